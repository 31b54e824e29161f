#include "catalog/row_cursor.hpp"

namespace iotstream::catalog {
namespace {

constexpr std::size_t chunk_rows = 256;
constexpr std::size_t chunk_text_bytes = 1024 * 1024;

}  // namespace

Result<std::unique_ptr<RowCursor>> StoredRowCursor::open(const std::string& path, std::int64_t prototype_id) {
  auto database = sqlite::Database::open(path, sqlite::OpenMode::read_only);
  if (!database) return std::move(database).error();
  std::unique_ptr<StoredRowCursor> cursor(new StoredRowCursor(std::move(*database), prototype_id));
  cursor->rewind();
  if (!cursor->loaded_) return std::move(cursor->loaded_).error();
  return std::unique_ptr<RowCursor>(std::move(cursor));
}

void StoredRowCursor::rewind() {
  select_.reset();
  chunk_.clear();
  chunk_next_ = 0;
  file_ = 0;
  loaded_ = load_files();
  if (loaded_ && !files_.empty()) loaded_ = open_file();
}

Status StoredRowCursor::load_files() {
  files_.clear();
  row_count_ = 0;
  auto stored = stored_columns(database_, prototype_id_);
  if (!stored) return std::move(stored).error();
  stored_ = std::move(*stored);
  for (std::size_t i = names_.size(); i < stored_.size(); ++i) names_.push_back(stored_[i].name);
  auto select = database_.prepare(
      "SELECT id, first_row, last_row, columns, rows FROM files WHERE prototype_id = ? AND rows > 0 ORDER BY first_time_us, "
      "id");
  if (!select) return std::move(select).error();
  select->bind(1, prototype_id_);
  for (;;) {
    const auto row = select->step();
    if (!row) return row.error();
    if (!*row) return {};
    auto columns = file_columns_from_json(select->text(3));
    if (!columns) return std::move(columns).error();
    for (const FileColumn& column : *columns)
      if (column.position >= stored_.size())
        return Error{ErrorKind::corrupt, "catalog.db: a file has a column that is not there"};
    files_.push_back({select->integer(0), select->integer(1), select->integer(2), std::move(*columns)});
    row_count_ += static_cast<std::uint64_t>(select->integer(4));
  }
}

Status StoredRowCursor::open_file() {
  const FilePart& file = files_[file_];
  std::string sql = "SELECT rowid, time_us";
  more_ = false;
  for (const FileColumn& column : file.columns) {
    more_ = more_ || in_more(column.position);
    if (!in_more(column.position)) sql += ", " + sqlite::quote_identifier(stored_[column.position].sql_name);
  }
  if (more_) sql += fmt::format(", {}", more_column);
  // The file's id besides the range of rows: both may have been given anew by an import that replaced this file.
  sql += fmt::format(" FROM {} WHERE rowid > ?1 AND rowid <= {} AND file_id = {} ORDER BY rowid", rows_table(prototype_id_),
                     file.last_row, file.id);
  auto select = database_.prepare(sql);
  if (!select)
    return Error{select.error().kind == ErrorKind::invalid ? ErrorKind::not_found : select.error().kind,
                 fmt::format("the imported rows cannot be read: {}", select.error().message)};
  select_ = std::move(*select);
  row_id_ = file.first_row - 1;
  return {};
}

Result<bool> StoredRowCursor::next(Row& row) {
  row.cells.clear();
  if (!loaded_) return loaded_.error();
  while (chunk_next_ == chunk_.size()) {
    auto loaded = load_chunk();
    if (!loaded || !*loaded) return loaded;
  }
  const std::size_t begin = chunk_next_ == 0 ? 0 : chunk_[chunk_next_ - 1].cells_end;
  const ChunkRow& stored = chunk_[chunk_next_++];
  row.time = stored.time;
  row.cells.assign(cells_.begin() + static_cast<std::ptrdiff_t>(begin),
                   cells_.begin() + static_cast<std::ptrdiff_t>(stored.cells_end));
  return true;
}

/// false: no file is left.
Result<bool> StoredRowCursor::load_chunk() {
  if (file_ == files_.size()) return false;
  chunk_.clear();
  chunk_next_ = 0;
  cells_.clear();
  texts_.clear();
  text_places_.clear();
  const FilePart& file = files_[file_];
  select_->reset();
  select_->bind(1, row_id_);
  bool more = true;
  while (chunk_.size() < chunk_rows && texts_.size() < chunk_text_bytes) {
    const auto row = select_->step();
    if (!row) return row.error();
    more = *row;
    if (!more) break;
    row_id_ = select_->integer(0);
    int place = 2;
    for (const FileColumn& column : file.columns)
      if (!in_more(column.position)) take_cell(place++, column);
    if (more_)
      if (Status taken = take_more(place, file); !taken) return std::move(taken).error();
    chunk_.push_back({Timestamp{select_->integer(1)}, cells_.size()});
  }
  select_->reset();
  for (const TextPlace& place : text_places_)
    cells_[place.cell].value.text = std::string_view(texts_).substr(place.begin, place.length);
  if (more) return true;
  if (++file_ < files_.size()) {
    if (Status opened = open_file(); !opened) return std::move(opened).error();
  }
  return true;
}

void StoredRowCursor::take_cell(int column, const FileColumn& file_column) {
  using model::ValueKind;
  Cell cell;
  cell.column = file_column.position;
  switch (select_->type(column)) {
    case sqlite::ColumnType::integer:
      cell.value.integer = select_->integer(column);
      cell.value.kind = ValueKind::integer;
      if (file_column.type == ColumnClass::boolean)
        cell.value.kind = cell.value.integer != 0 ? ValueKind::true_ : ValueKind::false_;
      break;
    case sqlite::ColumnType::real:
      cell.value.real = select_->real(column);
      cell.value.kind = ValueKind::real;
      break;
    case sqlite::ColumnType::text:
      return take_text(cell, select_->text(column), file_column);
    case sqlite::ColumnType::null:
    case sqlite::ColumnType::blob:
      return;
  }
  cells_.push_back(cell);
}

void StoredRowCursor::take_text(Cell cell, std::string_view text, const FileColumn& column) {
  cell.value.kind = column.type == ColumnClass::number ? model::ValueKind::decimal : model::ValueKind::text;
  text_places_.push_back({cells_.size(), texts_.size(), text.size()});
  texts_ += text;
  cells_.push_back(cell);
}

/// The fields that share a column, in the file's order.
Status StoredRowCursor::take_more(int place, const FilePart& file) {
  using simdjson::dom::element_type;
  const Error damaged{ErrorKind::corrupt,
                      fmt::format("catalog.db: row {} of {} cannot be read", row_id_, rows_table(prototype_id_))};
  const std::string_view text = select_->text(place);
  simdjson::dom::object object;
  if (parser_.parse(text.data(), text.size()).get(object) != simdjson::SUCCESS) return damaged;
  // Both follow the file's columns; what has no value is not in the object.
  auto member = object.begin();
  for (const FileColumn& column : file.columns) {
    if (!in_more(column.position) || member == object.end() || member.key() != stored_[column.position].name) continue;
    Cell cell;
    cell.column = column.position;
    const simdjson::dom::element value = member.value();
    ++member;
    switch (value.type()) {
      case element_type::INT64:
        cell.value.kind = model::ValueKind::integer;
        cell.value.integer = value.get_int64().value_unsafe();
        break;
      case element_type::DOUBLE:
        cell.value.kind = model::ValueKind::real;
        cell.value.real = value.get_double().value_unsafe();
        break;
      case element_type::BOOL:
        cell.value.kind = value.get_bool().value_unsafe() ? model::ValueKind::true_ : model::ValueKind::false_;
        break;
      case element_type::STRING:
        take_text(cell, value.get_string().value_unsafe(), column);
        continue;
      default:
        return damaged;
    }
    cells_.push_back(cell);
  }
  return member == object.end() ? Status{} : Status(damaged);
}

}  // namespace iotstream::catalog
