#include <mutex>
#include <simdjson.h>

#include <iotstream/base/diagnostics.hpp>
#include <iotstream/base/json.hpp>
#include <iotstream/catalog/catalog.hpp>
#include <iotstream/os/disk.hpp>
#include <iotstream/sqlite/database.hpp>

#include "catalog/csv_import.hpp"
#include "catalog/facts.hpp"
#include "catalog/model_xml.hpp"
#include "catalog/row_cursor.hpp"
#include "catalog/tables.hpp"

namespace iotstream::catalog {
namespace {

constexpr std::size_t code_bytes_max = 200;
constexpr std::string_view facts_kind = "prototype_facts";
constexpr std::string_view prototype_columns =
    "id, code, label, brand, version, dataset, model_xml, "
    "(SELECT json FROM documents WHERE kind = 'prototype_facts' AND name = prototypes.code)";

Error no_prototype(std::string_view code) { return {ErrorKind::not_found, fmt::format("there is no prototype '{}'", code)}; }

struct StoredPrototype {
  std::int64_t id = 0;
  Prototype prototype;
};

StoredPrototype prototype_at(const sqlite::Statement& row) {
  const auto text = [&](int column) { return std::string(row.text(column)); };
  StoredPrototype stored{row.integer(0), {text(1), text(2), text(3), text(4), text(5), text(6)}};
  if (row.type(7) == sqlite::ColumnType::null) return stored;
  if (auto facts = facts_from_json(row.text(7)))
    stored.prototype.facts = std::move(*facts);
  else
    diagnostics::error("catalog", "catalog.db: the facts of prototype '{}' cannot be read: {}", stored.prototype.code,
                       facts.error().message);
  return stored;
}

bool equal(const Prototype& a, const Prototype& b) {
  return a.code == b.code && a.label == b.label && a.brand == b.brand && a.version == b.version && a.dataset == b.dataset &&
         a.model_xml == b.model_xml && a.facts == b.facts;
}

Status check(const Prototype& prototype) {
  if (prototype.code.empty()) return Error{ErrorKind::invalid, "a prototype needs a code"};
  if (prototype.code.size() > code_bytes_max)
    return Error{ErrorKind::invalid,
                 fmt::format("the prototype's code has {} bytes; {} are allowed", prototype.code.size(), code_bytes_max)};
  for (const std::string* text : {&prototype.code, &prototype.label, &prototype.brand, &prototype.version})
    if (!simdjson::validate_utf8(*text))
      return Error{ErrorKind::invalid, fmt::format("prototype '{}': a text is not UTF-8", prototype.code)};
  if (Status good = check_facts(prototype.facts); !good)
    return Error{good.error().kind, fmt::format("prototype '{}': {}", prototype.code, good.error().message)};
  return {};
}

class SqliteCatalog final : public Catalog {
 public:
  SqliteCatalog(std::string path, sqlite::Database writer, sqlite::Database reader, Schemas& schemas, os::Clock& clock,
                metrics::Table& metrics)
      : path_(std::move(path)),
        writer_(std::move(writer)),
        reader_(std::move(reader)),
        schemas_(schemas),
        clock_(clock),
        rows_(metrics.counter("iotstream_catalog_rows_imported_total", "rows of CSV files taken into the catalog")),
        rejected_(metrics.counter("iotstream_catalog_rows_rejected_total", "rows of CSV files that could not be taken")),
        imports_(metrics.counter("iotstream_catalog_imports_total", "CSV files imported")),
        import_us_(metrics.histogram("iotstream_catalog_import_seconds", "time of one import of a CSV file")) {}

  std::vector<Prototype> prototypes() override;
  std::optional<Prototype> find(std::string_view code) override;
  Status put(const Prototype& prototype) override;
  Status remove(std::string_view code) override;
  Result<ImportReport> import_csv(std::string_view code, const std::string& path, const Progress& progress,
                                  const CsvChoices& choices) override;
  bool imported_unchanged(std::string_view code, const std::string& path) override;
  std::vector<ImportFile> files() override;
  Result<std::unique_ptr<RowCursor>> rows(std::string_view code) override;
  Status put_document(std::string_view kind, std::string_view name, std::string_view json) override;
  std::optional<std::string> document(std::string_view kind, std::string_view name) override;

 private:
  static Result<std::optional<StoredPrototype>> select(sqlite::Database& database, std::string_view code);
  /// Runs a query on the reading connection and hands `take` every row. The doors behind it have no place for an error: a
  /// catalog that cannot be read looks empty there, and says why on stderr.
  template <class Take, class... Values>
  void look_up(std::string_view sql, Take&& take, const Values&... values);
  Status store(const Prototype& prototype);

  std::string path_;
  std::mutex import_;  ///< one import at a time; taken before write_
  ChangeLock write_;   ///< guards writer_; an import holds it for some megabytes at a time
  sqlite::Database writer_;
  std::mutex read_;  ///< guards reader_; never held together with write_
  sqlite::Database reader_;
  Schemas& schemas_;
  os::Clock& clock_;
  metrics::Counter& rows_;
  metrics::Counter& rejected_;
  metrics::Counter& imports_;
  metrics::Histogram& import_us_;
};

Result<std::optional<StoredPrototype>> SqliteCatalog::select(sqlite::Database& database, std::string_view code) {
  auto statement = database.prepare(fmt::format("SELECT {} FROM prototypes WHERE code = ?", prototype_columns));
  if (!statement) return std::move(statement).error();
  statement->bind(1, code);
  const auto row = statement->step();
  if (!row) return row.error();
  if (!*row) return std::optional<StoredPrototype>();
  return std::optional(prototype_at(*statement));
}

template <class Take, class... Values>
void SqliteCatalog::look_up(std::string_view sql, Take&& take, const Values&... values) {
  const auto fail = [](const Error& error) { diagnostics::error("catalog", "catalog.db cannot be read: {}", error.message); };
  const std::lock_guard lock(read_);
  auto statement = reader_.prepare(sql);
  if (!statement) return fail(statement.error());
  int parameter = 0;
  (statement->bind(++parameter, values), ...);
  for (;;) {
    const auto row = statement->step();
    if (!row) return fail(row.error());
    if (!*row) return;
    take(*statement);
  }
}

std::vector<Prototype> SqliteCatalog::prototypes() {
  std::vector<Prototype> all;
  look_up(fmt::format("SELECT {} FROM prototypes ORDER BY id", prototype_columns),
          [&](const sqlite::Statement& row) { all.push_back(prototype_at(row).prototype); });
  return all;
}

std::optional<Prototype> SqliteCatalog::find(std::string_view code) {
  std::optional<Prototype> found;
  look_up(
      fmt::format("SELECT {} FROM prototypes WHERE code = ?", prototype_columns),
      [&](const sqlite::Statement& row) { found = prototype_at(row).prototype; }, code);
  return found;
}

Status SqliteCatalog::put(const Prototype& prototype) {
  if (Status good = check(prototype); !good) return good;
  std::vector<model::FieldDraft> drafts;
  if (!prototype.model_xml.empty()) {
    auto columns = read_model_columns(prototype.model_xml);
    if (!columns)
      return Error{columns.error().kind,
                   fmt::format("the model of prototype '{}': {}", prototype.code, columns.error().message)};
    for (ModelColumn& column : *columns)
      if (!column.time) drafts.push_back(std::move(column.draft));
  }
  const std::lock_guard lock(write_);
  const auto former = select(writer_, prototype.code);
  if (!former) return former.error();
  if (auto declared = schemas_.declare(prototype.dataset, drafts, clock_.now()); !declared) return std::move(declared).error();
  if (auto facts = schemas_.set_facts(prototype.dataset, prototype.code, enrichment_of(prototype)); !facts)
    return std::move(facts).error();
  if (Status stored = store(prototype); !stored) return stored;
  if (!*former || (*former)->prototype.dataset == prototype.dataset) return {};
  const auto left = schemas_.set_facts((*former)->prototype.dataset, prototype.code, {});
  return left ? Status{} : Status(left.error());
}

Status SqliteCatalog::store(const Prototype& prototype) {
  const auto known = select(writer_, prototype.code);
  if (!known) return known.error();
  if (*known && equal((*known)->prototype, prototype)) return {};
  auto transaction = sqlite::Transaction::begin(writer_);
  if (!transaction) return transaction.error();
  const std::int64_t now = clock_.now().us;
  const auto& [code, label, brand, version, dataset, model, facts] = prototype;
  Status done = run(
      writer_,
      "INSERT INTO prototypes(code, label, brand, version, dataset, model_xml, changed_us) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) "
      "ON CONFLICT(code) DO UPDATE SET label = ?2, brand = ?3, version = ?4, dataset = ?5, model_xml = ?6, changed_us = ?7",
      code, label, brand, version, dataset, model, now);
  if (done && !*known)
    done = writer_.execute(
        fmt::format("CREATE TABLE {}(file_id INTEGER NOT NULL, line INTEGER NOT NULL, time_us INTEGER NOT NULL)",
                    rows_table(writer_.last_insert_id())));
  if (done)
    done = run(writer_,
               "INSERT INTO prototype_versions SELECT id, changed_us, code, label, brand, version, dataset, model_xml "
               "FROM prototypes WHERE code = ?",
               code);
  if (done)
    done = facts.empty() ? run(writer_, "DELETE FROM documents WHERE kind = ? AND name = ?", facts_kind, code)
                         : run(writer_, "INSERT OR REPLACE INTO documents(kind, name, json, changed_us) VALUES(?, ?, ?, ?)",
                               facts_kind, code, facts_to_json(facts), now);
  if (done) done = run(writer_, "INSERT OR IGNORE INTO datasets(name, added_us) VALUES(?, ?)", dataset, now);
  return done ? transaction->commit() : done;
}

Status SqliteCatalog::remove(std::string_view code) {
  const std::lock_guard lock(write_);
  const auto known = select(writer_, code);
  if (!known) return known.error();
  if (!*known) return no_prototype(code);
  auto transaction = sqlite::Transaction::begin(writer_);
  if (!transaction) return transaction.error();
  const std::int64_t id = (*known)->id;
  for (const std::string_view table : {"sources", "files", "columns"})
    if (Status done = run(writer_, fmt::format("DELETE FROM {} WHERE prototype_id = ?", table), id); !done) return done;
  if (Status done = run(writer_, "DELETE FROM documents WHERE kind = ? AND name = ?", facts_kind, code); !done) return done;
  if (Status done = run(writer_, "DELETE FROM prototypes WHERE id = ?", id); !done) return done;
  if (Status done = writer_.execute(fmt::format("DROP TABLE {}", rows_table(id))); !done) return done;
  if (Status committed = transaction->commit(); !committed) return committed;
  const auto facts = schemas_.set_facts((*known)->prototype.dataset, code, {});
  return facts ? Status{} : Status(facts.error());
}

Result<ImportReport> SqliteCatalog::import_csv(std::string_view code, const std::string& path, const Progress& progress,
                                               const CsvChoices& choices) {
  const std::lock_guard one(import_);
  const auto known = [&] {
    const std::lock_guard lock(write_);
    return select(writer_, code);
  }();
  if (!known) return known.error();
  if (!*known) return no_prototype(code);
  const std::int64_t begin_ns = clock_.monotonic_ns();
  CsvImport import(writer_, write_, schemas_, clock_.now(), (*known)->id, (*known)->prototype.dataset);
  auto report = import.run(path, choices, progress);
  if (!report || report->unchanged) return report;
  import_us_.record_us((clock_.monotonic_ns() - begin_ns) / 1000);
  imports_.add();
  rows_.add(report->rows);
  rejected_.add(report->rejected);
  return report;
}

bool SqliteCatalog::imported_unchanged(std::string_view code, const std::string& path) {
  const auto stamp = stamp_of(path);
  if (!stamp) return false;
  bool found = false;
  look_up(
      "SELECT 1 FROM sources JOIN prototypes ON prototypes.id = prototype_id WHERE code = ? AND path = ? AND size = ? AND "
      "changed_ns = ?",
      [&](const sqlite::Statement&) { found = true; }, code, stamp->path, static_cast<std::int64_t>(stamp->size),
      stamp->changed_ns);
  return found;
}

std::vector<ImportFile> SqliteCatalog::files() {
  std::vector<ImportFile> all;
  look_up(
      "SELECT files.id, code, (SELECT min(path) FROM sources WHERE file_id = files.id), rows, rejected, imported_us, "
      "first_time_us, "
      "last_time_us FROM files JOIN prototypes ON prototypes.id = prototype_id ORDER BY files.id",
      [&](const sqlite::Statement& row) {
        ImportFile file;
        file.id = row.integer(0);
        file.prototype = row.text(1);
        file.path = row.text(2);
        file.rows = static_cast<std::uint64_t>(row.integer(3));
        file.rejected = static_cast<std::uint64_t>(row.integer(4));
        file.imported = Timestamp{row.integer(5)};
        file.first_time = time_at(row, 6);
        file.last_time = time_at(row, 7);
        all.push_back(std::move(file));
      });
  return all;
}

Result<std::unique_ptr<RowCursor>> SqliteCatalog::rows(std::string_view code) {
  std::int64_t id = 0;
  {
    const std::lock_guard lock(read_);
    const auto known = select(reader_, code);
    if (!known) return known.error();
    if (!*known) return no_prototype(code);
    id = (*known)->id;
  }
  return StoredRowCursor::open(path_, id);
}

Status SqliteCatalog::put_document(std::string_view kind, std::string_view name, std::string_view json) {
  const std::lock_guard lock(write_);
  return run(writer_, "INSERT OR REPLACE INTO documents(kind, name, json, changed_us) VALUES(?, ?, ?, ?)", kind, name, json,
             clock_.now().us);
}

std::optional<std::string> SqliteCatalog::document(std::string_view kind, std::string_view name) {
  std::optional<std::string> json;
  look_up(
      "SELECT json FROM documents WHERE kind = ? AND name = ?",
      [&](const sqlite::Statement& row) { json = std::string(row.text(0)); }, kind, name);
  return json;
}

}  // namespace

Facts enrichment_of(const Prototype& prototype) {
  Facts facts;
  const auto add = [&](std::string_view name, std::string_view value) {
    std::string json;
    json::append_string(json, value);
    facts.emplace_back(std::string(name), std::move(json));
  };
  add("code_model", prototype.dataset);
  add("codep", prototype.code);
  add("libelle", prototype.label);
  add("marque", prototype.brand);
  add("version", prototype.version);
  facts.insert(facts.end(), prototype.facts.begin(), prototype.facts.end());
  return facts;
}

Result<std::unique_ptr<Catalog>> Catalog::open(const std::string& directory, Schemas& schemas, os::Clock& clock,
                                               metrics::Table& metrics) {
  if (Status created = os::real_disk().create_directories(directory); !created) return std::move(created).error();
  std::string path = directory + "/catalog.db";
  auto writer = sqlite::Database::open(path, sqlite::OpenMode::read_write);
  if (!writer) return std::move(writer).error();
  if (Status created = create_tables(*writer); !created) return std::move(created).error();
  // Checkpoints of 32 MiB in place of 4: an import syncs less often, and its pages are copied in longer runs.
  if (Status set = writer->execute("PRAGMA wal_autocheckpoint = 8000"); !set) return std::move(set).error();
  auto reader = sqlite::Database::open(path, sqlite::OpenMode::read_only);
  if (!reader) return std::move(reader).error();
  return std::unique_ptr<Catalog>(
      std::make_unique<SqliteCatalog>(std::move(path), std::move(*writer), std::move(*reader), schemas, clock, metrics));
}

}  // namespace iotstream::catalog
