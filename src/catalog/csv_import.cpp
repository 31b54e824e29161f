#include "catalog/csv_import.hpp"

#include <algorithm>
#include <thread>

#include <iotstream/base/diagnostics.hpp>
#include <iotstream/base/json.hpp>
#include <iotstream/os/process.hpp>

namespace iotstream::catalog {
namespace {

constexpr std::size_t problems_max = 100;
constexpr int fixed_parameters = 3;  // file_id, line, time_us
constexpr std::uint64_t batch_bytes = 16u << 20;

/// The choices as text: the same file read in another way is another content.
std::string said(const CsvChoices& choices) {
  std::string text;
  json::Writer json(text);
  json.begin_object();
  if (choices.separator) json.key("separator").value(std::string_view(&*choices.separator, 1));
  if (choices.time_column) json.key("time_column").value(*choices.time_column);
  if (!choices.date_order.empty()) json.key("date_order").value(choices.date_order);
  json.key("columns").begin_array();
  for (const ColumnChoice& column : choices.columns) {
    json.begin_object().key("column").value(column.column).key("name").value(column.name).key("type").value(column.type);
    if (column.unit) json.key("unit").value(*column.unit);
    json.end_object();
  }
  json.end_array().end_object();
  return text;
}

}  // namespace

Result<ImportReport> CsvImport::run(const std::string& path, const CsvChoices& choices, const Progress& progress) {
  auto file = CsvFile::open(path, choices.separator);
  if (!file) return std::move(file).error();
  file_ = std::move(*file);
  report_.path = path;
  report_.bytes = file_->stamp().size;
  if (Status looked = look(choices, progress); !looked) return std::move(looked).error();
  {
    const std::lock_guard lock(lock_);
    const auto known = find_known();
    if (!known) return known.error();
    if (*known) {
      report_.unchanged = true;
      if (Status remembered = remember_source(); !remembered) return std::move(remembered).error();
      return report_;
    }
  }
  if (Status declared = declare_fields(); !declared) return std::move(declared).error();
  Status stored = begin_load();
  if (stored) stored = store(progress);
  if (stored) stored = finish_load();
  if (stored) return std::move(report_);
  discard();
  return std::move(stored).error();
}

Status CsvImport::look(const CsvChoices& choices, const Progress& progress) {
  CsvProfiler profiler(file_->form());
  const std::uint64_t total = report_.bytes;
  // Content of another length is another content: its digest can be taken on the way to the catalog.
  const auto alike = [&] {
    const std::lock_guard lock(lock_);
    return number(database_,
                  fmt::format("SELECT count(*) FROM files WHERE prototype_id = {} AND bytes = {}", prototype_id_, total));
  }();
  if (!alike) return alike.error();
  // The other half is the storing.
  Status read = file_->scan([&](const CsvRow& row) { profiler.add(row); },
                            [&](std::uint64_t done) { return !progress || progress(done / 2, total); }, *alike > 0);
  if (!read) return read;
  plan_ = profiler.finish(file_->encoding());
  if (Status applied = apply(choices, plan_); !applied) return applied;
  if (choices.any()) said_ = " " + said(choices);
  report_.separator = file_->form().separator;
  report_.encoding = std::string(name_of(file_->encoding()));
  report_.left_out = profiler.left_out();
  report_.columns = plan_.columns.size();
  report_.columns_empty =
      static_cast<std::uint64_t>(std::count_if(plan_.columns.begin(), plan_.columns.end(),
                                               [](const PlannedColumn& column) { return column.type == ColumnClass::empty; }));
  report_.time_column = plan_.time_name();
  report_.pace_column = plan_.pace_name();
  return {};
}

Result<bool> CsvImport::find_known() {
  if (file_->sha256().empty()) return false;
  auto select = database_.prepare(
      "SELECT id, rows, rejected, columns_count, columns_empty, separator, encoding, time_column, pace_column, first_time_us, "
      "last_time_us "
      "FROM files WHERE prototype_id = ? AND sha256 = ?");
  if (!select) return std::move(select).error();
  select->bind(1, prototype_id_).bind(2, file_->sha256() + said_);
  auto row = select->step();
  if (!row || !*row) return row;
  file_id_ = select->integer(0);
  report_.rows = static_cast<std::uint64_t>(select->integer(1));
  report_.rejected = static_cast<std::uint64_t>(select->integer(2));
  report_.columns = static_cast<std::uint64_t>(select->integer(3));
  report_.columns_empty = static_cast<std::uint64_t>(select->integer(4));
  report_.separator = select->text(5).empty() ? ',' : select->text(5)[0];
  report_.encoding = std::string(select->text(6));
  report_.time_column = std::string(select->text(7));
  report_.pace_column = std::string(select->text(8));
  report_.first_time = time_at(*select, 9);
  report_.last_time = time_at(*select, 10);
  return true;
}

Status CsvImport::remember_source() {
  const FileStamp& stamp = file_->stamp();
  return ::iotstream::catalog::run(
      database_, "INSERT OR REPLACE INTO sources(prototype_id, path, size, changed_ns, file_id) VALUES(?, ?, ?, ?, ?)",
      prototype_id_, std::string_view(stamp.path), static_cast<std::int64_t>(stamp.size), stamp.changed_ns, file_id_);
}

Status CsvImport::declare_fields() {
  std::vector<model::FieldDraft> drafts;
  for (std::size_t i = 0; i < plan_.columns.size(); ++i)
    if (plan_.stored(i)) drafts.push_back({plan_.columns[i].name, plan_.columns[i].field_type, {}, plan_.columns[i].unit});
  auto evolved = schemas_.evolve(dataset_, drafts, {}, now_, "import");
  return evolved ? Status{} : Status(std::move(evolved).error());
}

/// Makes room: what a former import left when the process died goes, the columns are there, the load is on record.
Status CsvImport::begin_load() {
  const std::lock_guard lock(lock_);
  auto transaction = sqlite::Transaction::begin(database_);
  if (!transaction) return transaction.error();
  if (Status clean = remove_leftovers(database_); !clean) return clean;
  auto columns = stored_columns(database_, prototype_id_);
  if (!columns) return std::move(columns).error();
  columns_ = std::move(*columns);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < plan_.columns.size(); ++i)
    if (plan_.stored(i)) names.push_back(plan_.columns[i].name);
  auto positions = add_columns(database_, prototype_id_, names, columns_);
  if (!positions) return std::move(positions).error();
  auto id = number(database_, "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'files'");
  if (!id) return id.error();
  file_id_ = *id;
  auto first = number(database_, fmt::format("SELECT coalesce(max(rowid), 0) + 1 FROM {}", rows_table(prototype_id_)));
  if (!first) return first.error();
  first_row_ = *first;
  if (Status noted = note_load(database_, file_id_, prototype_id_, first_row_); !noted) return noted;
  if (Status prepared = prepare_insert(*positions); !prepared) return prepared;
  loading_ = true;
  return transaction->commit();
}

Status CsvImport::prepare_insert(const std::vector<std::uint32_t>& positions) {
  std::string sql = fmt::format("INSERT INTO {}(file_id, line, time_us", rows_table(prototype_id_));
  std::string places = fmt::format(") VALUES({}, ?2, ?3", file_id_);
  std::size_t next = 0;
  for (std::size_t i = 0; i < plan_.columns.size(); ++i) {
    if (!plan_.stored(i)) continue;
    const std::uint32_t position = positions[next++];
    file_columns_.push_back({position, plan_.columns[i].type});
    if (in_more(position)) {
      more_.push_back(i);
      continue;
    }
    own_.push_back(i);
    sql += ", " + sqlite::quote_identifier(columns_[position].sql_name);
    fmt::format_to(std::back_inserter(places), ", ?{}", fixed_parameters + own_.size());
  }
  if (!more_.empty()) {
    sql += fmt::format(", {}", more_column);
    fmt::format_to(std::back_inserter(places), ", ?{}", fixed_parameters + own_.size() + 1);
  }
  auto insert = database_.prepare(sql + places + ")");
  if (!insert) return std::move(insert).error();
  insert_ = std::move(*insert);
  return {};
}

Status CsvImport::begin_batch() {
  batch_ = std::unique_lock(lock_);
  auto transaction = sqlite::Transaction::begin(database_);
  if (!transaction) return transaction.error();
  transaction_.emplace(std::move(*transaction));
  const auto there = number(database_, fmt::format("SELECT count(*) FROM prototypes WHERE id = {}", prototype_id_));
  if (!there) return there.error();
  if (*there == 1) return {};
  return Error{ErrorKind::not_found, fmt::format("{}: the prototype was removed while its file was loaded", report_.path)};
}

Status CsvImport::end_batch() {
  const Status committed = transaction_->commit();
  transaction_.reset();
  batch_.unlock();
  return committed;
}

/// The reading half, on a thread of its own: the file, row by row, into batches.
Status CsvImport::parse(BatchExchange& exchange) {
  RowParser parser(file_->form(), plan_, file_->encoding(), own_, more_);
  std::unique_ptr<RowBatch> batch = exchange.empty();
  std::uint64_t done = 0;
  const auto hand_over = [&] {
    batch->bytes_done = done;
    exchange.push(std::move(batch));
    batch = exchange.empty();
  };
  Status read = file_->read(
      [&](const CsvRow& row) {
        while (batch && !parser.take(row, *batch)) hand_over();
      },
      [&](std::uint64_t bytes) {
        done = bytes;
        return batch != nullptr;
      },
      file_->sha256().empty());
  if (batch && read) hand_over();
  exchange.finish();
  return read;
}

Status CsvImport::store(const Progress& progress) {
  if (Status begun = begin_batch(); !begun) return begun;
  BatchExchange exchange;
  Status parsed;
  std::thread reader([&] {
    os::name_thread("csv reader");
    parsed = parse(exchange);
  });
  const std::uint64_t total = report_.bytes;
  std::uint64_t committed = 0;
  Status stored;
  while (auto batch = exchange.pop()) {
    if (stored) stored = store_rows(*batch);
    if (stored && batch->bytes_done - committed >= batch_bytes) {
      committed = batch->bytes_done;
      stored = end_batch();
      if (stored) stored = begin_batch();
    }
    if (stored && progress && !progress((total + batch->bytes_done) / 2, total))
      stored = Error{ErrorKind::unavailable, fmt::format("{}: stopped before its end", report_.path)};
    if (!stored) exchange.stop();
    exchange.give_back(std::move(batch));
  }
  reader.join();
  if (stored && !parsed) stored = std::move(parsed);
  return stored ? end_batch() : stored;
}

Status CsvImport::store_rows(const RowBatch& batch) {
  const std::size_t places = own_.size() + (more_.empty() ? 0 : 1);
  const model::Value* cell = batch.cells.data();
  for (const RowBatch::Row& row : batch.rows) {
    insert_->bind(2, static_cast<std::int64_t>(row.line)).bind(3, row.time_us);
    for (std::size_t place = 0; place < places; ++place) bind(fixed_parameters + static_cast<int>(place) + 1, *cell++);
    if (Status done = insert_->run(); !done) return done;
    const Timestamp time{row.time_us};
    sorted_ = sorted_ && time >= latest_.value_or(time);
    earliest_ = std::min(earliest_.value_or(time), time);
    latest_ = std::max(latest_.value_or(time), time);
  }
  report_.rows += batch.rows.size();
  report_.rejected += batch.rejected;
  for (const RowProblem& problem : batch.problems)
    if (report_.problems.size() < problems_max) report_.problems.push_back(problem);
  return {};
}

void CsvImport::bind(int parameter, const model::Value& value) {
  switch (value.kind) {
    case model::ValueKind::missing:
      insert_->bind_null(parameter);
      break;
    case model::ValueKind::integer:
      insert_->bind(parameter, value.integer);
      break;
    case model::ValueKind::real:
      insert_->bind(parameter, value.real);
      break;
    case model::ValueKind::true_:
    case model::ValueKind::false_:
      insert_->bind(parameter, std::int64_t{value.kind == model::ValueKind::true_});
      break;
    default:
      insert_->bind_view(parameter, value.text);
      break;
  }
}

Status CsvImport::finish_load() {
  insert_.reset();
  const std::lock_guard lock(lock_);
  auto transaction = sqlite::Transaction::begin(database_);
  if (!transaction) return transaction.error();
  for (const auto step : {&CsvImport::replace_former, &CsvImport::sort_rows, &CsvImport::add_file, &CsvImport::remember_source})
    if (Status done = (this->*step)(); !done) return done;
  if (Status done = ::iotstream::catalog::run(database_, "DELETE FROM loads WHERE file_id = ?", file_id_); !done) return done;
  Status committed = transaction->commit();
  loading_ = !committed.ok();
  return committed;
}

/// Takes back what a failed import has stored. When even that fails, the next import does it.
void CsvImport::discard() {
  insert_.reset();
  transaction_.reset();
  if (batch_.owns_lock()) batch_.unlock();
  if (!loading_) return;
  const std::lock_guard lock(lock_);
  auto transaction = sqlite::Transaction::begin(database_);
  Status removed = transaction ? remove_leftovers(database_) : Status(transaction.error());
  if (removed) removed = transaction->commit();
  if (!removed)
    diagnostics::warning("catalog", "what was loaded of {} is removed later: {}", report_.path, removed.error().message);
}

Status CsvImport::replace_former() {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t former = 0;
  {
    auto select = database_.prepare(
        "SELECT id, first_row, last_row FROM files WHERE id = (SELECT file_id FROM sources WHERE prototype_id = ?1 AND path = "
        "?2) "
        "AND NOT EXISTS (SELECT 1 FROM sources WHERE file_id = files.id AND path <> ?2)");
    if (!select) return std::move(select).error();
    select->bind(1, prototype_id_).bind(2, file_->stamp().path);
    const auto row = select->step();
    if (!row) return row.error();
    if (!*row) return {};
    former = select->integer(0);
    first = select->integer(1);
    last = select->integer(2);
  }
  report_.replaced = true;
  return database_.execute(fmt::format("DELETE FROM {} WHERE rowid BETWEEN {} AND {}; DELETE FROM files WHERE id = {}",
                                       rows_table(prototype_id_), first, last, former));
}

// Cursors walk row ids: the rows of a file stand in the order of their times. Most files are recorded so; one that is not is
// sorted here, once, by SQLite, which keeps what does not fit its cache in a temporary file.
Status CsvImport::sort_rows() {
  if (sorted_) return {};
  std::string names = "file_id, line, time_us";
  bool more = false;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    more = more || in_more(static_cast<std::uint32_t>(i));
    if (!in_more(static_cast<std::uint32_t>(i))) names += ", " + sqlite::quote_identifier(columns_[i].sql_name);
  }
  if (more) names += fmt::format(", {}", more_column);
  const std::int64_t last = first_row_ + static_cast<std::int64_t>(report_.rows) - 1;
  return database_.execute(fmt::format(
      "CREATE TEMP TABLE sorting AS SELECT {3} FROM main.{0} WHERE rowid BETWEEN {1} AND {2} ORDER BY time_us, line;"
      "DELETE FROM main.{0} WHERE rowid BETWEEN {1} AND {2};"
      "INSERT INTO main.{0}(rowid, {3}) SELECT rowid + {1} - 1, {3} FROM temp.sorting ORDER BY rowid;"
      "DROP TABLE temp.sorting",
      rows_table(prototype_id_), first_row_, last, names));
}

Status CsvImport::add_file() {
  if (plan_.time == TimeSource::column) {
    report_.first_time = earliest_;
    report_.last_time = latest_;
  }
  auto insert = database_.prepare(
      "INSERT INTO files(id, prototype_id, sha256, bytes, separator, encoding, time_column, pace_column, columns, "
      "columns_count, "
      "columns_empty, rows, rejected, first_row, last_row, imported_us, first_time_us, last_time_us) "
      "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (!insert) return std::move(insert).error();
  const auto whole = [](std::uint64_t n) { return static_cast<std::int64_t>(n); };
  const std::string columns = to_json(file_columns_, columns_);
  insert->bind(1, file_id_).bind(2, prototype_id_).bind(3, file_->sha256() + said_).bind(4, whole(report_.bytes));
  insert->bind(5, std::string_view(&report_.separator, 1)).bind(6, report_.encoding);
  insert->bind(7, report_.time_column).bind(8, report_.pace_column).bind(9, columns);
  insert->bind(10, whole(report_.columns)).bind(11, whole(report_.columns_empty));
  insert->bind(12, whole(report_.rows)).bind(13, whole(report_.rejected));
  insert->bind(14, first_row_).bind(15, first_row_ + whole(report_.rows) - 1).bind(16, now_.us);
  if (report_.first_time) insert->bind(17, report_.first_time->us).bind(18, report_.last_time->us);
  return insert->run();
}

}  // namespace iotstream::catalog
