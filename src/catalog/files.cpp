#include <algorithm>
#include <charconv>
#include <simdjson.h>

#include <fmt/format.h>

#include <iotstream/catalog/files.hpp>
#include <iotstream/sqlite/database.hpp>

#include "catalog/tables.hpp"

namespace iotstream::catalog {

namespace {

constexpr std::string_view file_prefix = "file:";

constexpr std::string_view select_files =
    "SELECT files.id, (SELECT path FROM sources WHERE file_id = files.id ORDER BY changed_ns DESC, path LIMIT 1), code, "
    "dataset, "
    "rows, rejected, json_array_length(files.columns), bytes, time_column, first_time_us, last_time_us, imported_us, "
    "first_row, "
    "last_row, columns, prototype_id FROM files JOIN prototypes ON prototypes.id = prototype_id ";

FileInfo info_at(const sqlite::Statement& row) {
  FileInfo info;
  info.id = row.integer(0);
  info.path = row.text(1);
  info.name = info.path.substr(info.path.rfind('/') + 1);
  info.prototype = row.text(2);
  info.dataset = row.text(3);
  info.rows = static_cast<std::uint64_t>(row.integer(4));
  info.rejected = static_cast<std::uint64_t>(row.integer(5));
  info.columns = static_cast<std::uint64_t>(row.integer(6));
  info.bytes = static_cast<std::uint64_t>(row.integer(7));
  info.time_column = row.text(8);
  info.first_time = time_at(row, 9);
  info.last_time = time_at(row, 10);
  info.imported = Timestamp{row.integer(11)};
  return info;
}

Result<sqlite::Database> open_catalog(const std::string& directory) {
  return sqlite::Database::open(directory + "/catalog.db", sqlite::OpenMode::read_only);
}

Error no_file(std::int64_t id) {
  return {ErrorKind::not_found, fmt::format("there is no dataset 'file:{}'; GET /api/v1/files lists the imported files", id)};
}

/// Where a file's rows stand.
struct FilePlace {
  std::int64_t first_row = 0;
  std::int64_t last_row = 0;
  std::int64_t prototype = 0;
};

/// What the database holds at one moment, for as long as this lives.
class Picture {
 public:
  static Result<Picture> begin(sqlite::Database& database) {
    if (auto begun = database.execute("BEGIN"); !begun) return begun.error();
    return Picture(database);
  }
  Picture(Picture&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Picture& operator=(Picture&&) = delete;
  ~Picture() {
    if (database_ != nullptr) (void)database_->execute("ROLLBACK");  // nothing was written
  }

 private:
  explicit Picture(sqlite::Database& database) : database_(&database) {}
  sqlite::Database* database_;
};

class StoredFile final : public FileRows {
 public:
  static Result<std::unique_ptr<FileRows>> open(const std::string& directory, std::int64_t id, const Schemas& schemas) {
    auto database = open_catalog(directory);
    if (!database) return database.error();
    std::unique_ptr<StoredFile> file(new StoredFile(std::move(*database)));
    if (auto read = file->read(id, schemas); !read) return read.error();
    return std::unique_ptr<FileRows>(std::move(file));
  }

  const FileInfo& info() const override { return info_; }
  const model::SchemaPtr& schema() const override { return schema_; }
  Status walk(const FileQuery& query, const std::function<bool(const FileRow&)>& visit) override;

 private:
  /// A field and how its cells are read back.
  struct Source {
    FieldId field;
    ColumnClass type = ColumnClass::empty;
  };

  explicit StoredFile(sqlite::Database database) : database_(std::move(database)) {}
  Status read(std::int64_t id, const Schemas& schemas);
  std::vector<Source> sources_of(const FileQuery& query) const;
  std::string select_sql(const std::vector<Source>& sources, bool backwards) const;
  Result<bool> is_known();
  Result<std::int64_t> first_at(Timestamp time);
  Result<std::pair<std::int64_t, std::int64_t>> range_of(const FileQuery& query);
  void take(const sqlite::Statement& row, int column, const Source& source);
  Status take_more(std::string_view json, const std::vector<Source>& sources);
  void take_text(const Source& source, std::string_view text);

  sqlite::Database database_;
  FileInfo info_;
  FilePlace place_;
  model::SchemaPtr schema_;
  std::vector<FileColumn> columns_;     ///< by FieldId
  std::vector<std::string> sql_names_;  ///< likewise
  std::vector<std::pair<FieldId, model::Value>> values_;
  simdjson::dom::parser parser_;
};

Status StoredFile::read(std::int64_t id, const Schemas& schemas) {
  auto select = database_.prepare(fmt::format("{} WHERE files.id = ?", select_files));
  if (!select) return select.error();
  select->bind(1, id);
  auto row = select->step();
  if (!row) return row.error();
  if (!*row) return no_file(id);
  info_ = info_at(*select);
  place_ = {select->integer(12), select->integer(13), select->integer(15)};
  auto columns = file_columns_from_json(select->text(14));
  if (!columns) return columns.error();
  auto stored = stored_columns(database_, place_.prototype);
  if (!stored) return stored.error();
  columns_ = std::move(*columns);
  const auto dataset = schemas.current(info_.dataset);
  std::vector<model::Field> fields;
  for (const FileColumn& column : columns_) {
    if (column.position >= stored->size())
      return Error{ErrorKind::corrupt, "catalog.db: a file has a column that is not there"};
    sql_names_.push_back((*stored)[column.position].sql_name);
    const std::string& name = (*stored)[column.position].name;
    model::Field field;
    const auto known = dataset ? dataset->find(name) : std::nullopt;
    if (known) {
      field = dataset->field(*known);
    } else {
      const model::NameParts parts = model::split_unit(name);
      field.name = name;
      field.label = parts.label;
      field.unit = parts.unit;
      field.type = column.type == ColumnClass::boolean  ? model::FieldType::boolean
                   : column.type == ColumnClass::number ? model::FieldType::real
                                                        : model::FieldType::text;
      field.kind = model::guess_kind(name, field.unit, field.type);
    }
    field.id = FieldId(static_cast<std::uint32_t>(fields.size()));
    fields.push_back(std::move(field));
  }
  schema_ = std::make_shared<const model::Schema>(fmt::format("{}{}", file_prefix, id), SchemaVersion(1), std::move(fields));
  return {};
}

std::vector<StoredFile::Source> StoredFile::sources_of(const FileQuery& query) const {
  std::vector<bool> wanted(columns_.size(), query.fields.empty());
  for (const FieldId field : query.fields)
    if (field.value < wanted.size()) wanted[field.value] = true;
  std::vector<Source> sources;
  for (std::uint32_t i = 0; i < columns_.size(); ++i)
    if (wanted[i]) sources.push_back({FieldId(i), columns_[i].type});
  return sources;
}

std::string StoredFile::select_sql(const std::vector<Source>& sources, bool backwards) const {
  std::string sql = "SELECT rowid, line, time_us";
  bool more = false;
  for (const Source& source : sources) {
    const bool shared = in_more(columns_[source.field.value].position);
    more = more || shared;
    if (!shared) sql += ", " + sqlite::quote_identifier(sql_names_[source.field.value]);
  }
  if (more) sql += fmt::format(", {}", more_column);
  // The file's id besides the range of rows: both may have been given anew by an import that replaced this file.
  return sql + fmt::format(" FROM {} WHERE rowid BETWEEN ?1 AND ?2 AND file_id = {} ORDER BY rowid {}",
                           rows_table(place_.prototype), info_.id, backwards ? "DESC" : "ASC");
}

/// The first row of the file that is not before `time`; one beyond the last when there is none. Rows stand in the order of
/// times.
Result<std::int64_t> StoredFile::first_at(Timestamp time) {
  auto look = database_.prepare(
      fmt::format("SELECT rowid, time_us FROM {} WHERE rowid BETWEEN ?1 AND ?2 AND file_id = {} ORDER BY rowid LIMIT 1",
                  rows_table(place_.prototype), info_.id));
  if (!look) return look.error();
  std::int64_t low = place_.first_row;
  std::int64_t high = place_.last_row + 1;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    look->reset();
    look->bind(1, middle).bind(2, place_.last_row);
    auto row = look->step();
    if (!row) return row.error();
    if (!*row || look->integer(1) >= time.us)
      high = middle;
    else
      low = look->integer(0) + 1;
  }
  return low;
}

Result<bool> StoredFile::is_known() {
  auto select = database_.prepare("SELECT 1 FROM files WHERE id = ?");
  if (!select) return select.error();
  select->bind(1, info_.id);
  return select->step();
}

Result<std::pair<std::int64_t, std::int64_t>> StoredFile::range_of(const FileQuery& query) {
  std::int64_t first = place_.first_row;
  std::int64_t last = place_.last_row;
  if (query.from) {
    auto found = first_at(*query.from);
    if (!found) return found.error();
    first = *found;
  }
  if (query.to) {
    auto found = first_at(*query.to);
    if (!found) return found.error();
    last = *found - 1;
  }
  if (query.after) {
    const auto behind = place_.first_row + static_cast<std::int64_t>(std::min<std::uint64_t>(*query.after, INT64_MAX / 2));
    query.backwards ? last = std::min(last, behind - 1) : first = std::max(first, behind + 1);
  }
  return std::pair(first, last);
}

void StoredFile::take_text(const Source& source, std::string_view text) {
  model::Value value;
  value.kind = source.type == ColumnClass::number ? model::ValueKind::decimal : model::ValueKind::text;
  value.text = text;
  values_.emplace_back(source.field, value);
}

void StoredFile::take(const sqlite::Statement& row, int column, const Source& source) {
  model::Value value;
  switch (row.type(column)) {
    case sqlite::ColumnType::integer:
      value.integer = row.integer(column);
      value.kind = model::ValueKind::integer;
      if (source.type == ColumnClass::boolean)
        value.kind = value.integer != 0 ? model::ValueKind::true_ : model::ValueKind::false_;
      break;
    case sqlite::ColumnType::real:
      value.real = row.real(column);
      value.kind = model::ValueKind::real;
      break;
    case sqlite::ColumnType::text:
      return take_text(source, row.text(column));
    case sqlite::ColumnType::null:
    case sqlite::ColumnType::blob:
      return;
  }
  values_.emplace_back(source.field, value);
}

/// The fields that share a column: members by name.
Status StoredFile::take_more(std::string_view json, const std::vector<Source>& sources) {
  using simdjson::dom::element_type;
  simdjson::dom::object object;
  if (parser_.parse(json.data(), json.size()).get(object) != simdjson::SUCCESS)
    return Error{ErrorKind::corrupt, fmt::format("catalog.db: a row of file {} cannot be read", info_.id)};
  for (const Source& source : sources) {
    if (!in_more(columns_[source.field.value].position)) continue;
    simdjson::dom::element member;
    if (object[schema_->field(source.field).name].get(member) != simdjson::SUCCESS) continue;
    model::Value value;
    switch (member.type()) {
      case element_type::INT64:
        value.kind = model::ValueKind::integer;
        value.integer = member.get_int64().value_unsafe();
        break;
      case element_type::DOUBLE:
        value.kind = model::ValueKind::real;
        value.real = member.get_double().value_unsafe();
        break;
      case element_type::BOOL:
        value.kind = member.get_bool().value_unsafe() ? model::ValueKind::true_ : model::ValueKind::false_;
        break;
      case element_type::STRING:
        take_text(source, member.get_string().value_unsafe());
        continue;
      default:
        continue;
    }
    values_.emplace_back(source.field, value);
  }
  return {};
}

Status StoredFile::walk(const FileQuery& query, const std::function<bool(const FileRow&)>& visit) {
  // Invalid: the table, or a column of it, is no more: SQLite tells that when it compiles, or at the first step.
  const auto failed = [this](const Error& error) { return error.kind == ErrorKind::invalid ? no_file(info_.id) : error; };
  // One picture for the range and its rows; when the file was replaced, its rows are no more, but their table is.
  const auto picture = Picture::begin(database_);
  if (!picture) return picture.error();
  const auto known = is_known();
  if (!known) return known.error();
  if (!*known) return no_file(info_.id);
  const auto range = range_of(query);
  if (!range) return failed(range.error());
  const std::vector<Source> sources = sources_of(query);
  auto select = database_.prepare(select_sql(sources, query.backwards));
  if (!select) return failed(select.error());
  select->bind(1, range->first).bind(2, range->second);
  std::vector<Source> own;
  for (const Source& source : sources)
    if (!in_more(columns_[source.field.value].position)) own.push_back(source);
  const bool more = own.size() != sources.size();
  FileRow row;
  row.values = &values_;
  for (;;) {
    auto there = select->step();
    if (!there) return failed(there.error());
    if (!*there) return {};
    values_.clear();
    int column = 3;
    for (const Source& source : own) take(*select, column++, source);
    if (more)
      if (auto taken = take_more(select->text(column), sources); !taken) return taken;
    if (more) std::sort(values_.begin(), values_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    row.number = static_cast<std::uint64_t>(select->integer(0) - place_.first_row);
    row.line = static_cast<std::uint64_t>(select->integer(1));
    row.time = Timestamp{select->integer(2)};
    if (!visit(row)) return {};
  }
}

}  // namespace

std::optional<std::int64_t> file_id_of(std::string_view dataset) {
  if (!dataset.starts_with(file_prefix)) return std::nullopt;
  dataset.remove_prefix(file_prefix.size());
  std::int64_t id = 0;
  const auto [end, code] = std::from_chars(dataset.data(), dataset.data() + dataset.size(), id);
  if (code != std::errc() || end != dataset.data() + dataset.size() || id < 0) return std::nullopt;
  return id;
}

Result<std::vector<FileInfo>> list_files(const std::string& directory) {
  auto database = open_catalog(directory);
  if (!database) return database.error();
  auto select = database->prepare(fmt::format("{} ORDER BY files.id", select_files));
  if (!select) return select.error();
  std::vector<FileInfo> files;
  for (;;) {
    auto row = select->step();
    if (!row) return row.error();
    if (!*row) return files;
    files.push_back(info_at(*select));
  }
}

Result<std::unique_ptr<FileRows>> open_file(const std::string& directory, std::int64_t id, const Schemas& schemas) {
  return StoredFile::open(directory, id, schemas);
}

}  // namespace iotstream::catalog
