#include "catalog/csv_import.hpp"

#include <algorithm>
#include <cmath>

namespace iotstream::catalog {
namespace {

constexpr std::size_t problems_max = 100;
constexpr int fixed_parameters = 3;  // file_id, line, time_us

/// A cell for a message: UTF-8, short.
std::string shown(std::string_view cell, Encoding encoding) {
  constexpr std::size_t bytes_max = 60;
  std::string text;
  append_decoded(text, cell.substr(0, bytes_max), encoding == Encoding::utf8 ? Encoding::utf8_damaged : encoding);
  if (cell.size() > bytes_max) text += "…";
  return text;
}

}  // namespace

Result<ImportReport> CsvImport::run(const std::string& path, const Progress& progress) {
  auto file = CsvFile::open(path);
  if (!file) return std::move(file).error();
  file_ = std::move(*file);
  report_.path = path;
  report_.bytes = file_->stamp().size;
  const auto known = find_known();
  if (!known) return known.error();
  if (*known) {
    report_.unchanged = true;
    if (Status remembered = remember_source(); !remembered) return std::move(remembered).error();
    return report_;
  }
  if (Status planned = make_plan(progress); !planned) return std::move(planned).error();
  if (Status declared = declare_fields(); !declared) return std::move(declared).error();

  auto transaction = sqlite::Transaction::begin(database_);
  if (!transaction) return transaction.error();
  for (const auto step : {&CsvImport::replace_former, &CsvImport::add_file})
    if (Status done = (this->*step)(); !done) return std::move(done).error();
  if (Status done = store(progress); !done) return std::move(done).error();
  for (const auto step : {&CsvImport::sort_rows, &CsvImport::finish_file, &CsvImport::remember_source})
    if (Status done = (this->*step)(); !done) return std::move(done).error();
  if (Status committed = transaction->commit(); !committed) return std::move(committed).error();
  return std::move(report_);
}

Result<bool> CsvImport::find_known() {
  auto select = database_.prepare(
      "SELECT id, rows, rejected, columns_count, columns_empty, separator, encoding, time_column, pace_column, first_time_us, "
      "last_time_us "
      "FROM files WHERE prototype_id = ? AND sha256 = ?");
  if (!select) return std::move(select).error();
  select->bind(1, prototype_id_).bind(2, file_->sha256());
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
  auto insert =
      database_.prepare("INSERT OR REPLACE INTO sources(prototype_id, path, size, changed_ns, file_id) VALUES(?, ?, ?, ?, ?)");
  if (!insert) return std::move(insert).error();
  const FileStamp& stamp = file_->stamp();
  insert->bind(1, prototype_id_).bind(2, stamp.path).bind(3, static_cast<std::int64_t>(stamp.size)).bind(4, stamp.changed_ns);
  return insert->bind(5, file_id_).run();
}

Status CsvImport::make_plan(const Progress& progress) {
  CsvProfiler profiler(file_->separator(), file_->encoding());
  const std::uint64_t total = file_->stamp().size;
  Status read = file_->read([&](const CsvRow& row) { profiler.add(row); },
                            [&](std::uint64_t done) {
                              if (progress) progress(done / 2, total);  // the other half is the storing
                            });
  if (!read) return read;
  auto plan = profiler.finish();
  if (!plan) return Error{plan.error().kind, fmt::format("{}: {}", report_.path, plan.error().message)};
  plan_ = std::move(*plan);
  report_.separator = file_->separator();
  report_.encoding = std::string(name_of(file_->encoding()));
  report_.columns = plan_.columns.size();
  report_.columns_empty =
      static_cast<std::uint64_t>(std::count_if(plan_.columns.begin(), plan_.columns.end(),
                                               [](const PlannedColumn& column) { return column.type == ColumnClass::empty; }));
  if (plan_.time == TimeSource::column) report_.time_column = plan_.columns[plan_.time_column].name;
  if (plan_.time == TimeSource::elapsed) report_.pace_column = plan_.columns[plan_.time_column].name;
  return {};
}

bool CsvImport::stored(std::size_t column) const {
  const bool is_time = plan_.time == TimeSource::column && column == plan_.time_column;
  return !is_time && plan_.columns[column].type != ColumnClass::empty;
}

Status CsvImport::declare_fields() {
  std::vector<model::FieldDraft> drafts;
  for (std::size_t i = 0; i < plan_.columns.size(); ++i)
    if (stored(i)) drafts.push_back({plan_.columns[i].name, plan_.columns[i].field_type, {}, {}});
  auto evolved = schemas_.evolve(dataset_, drafts, {}, now_, "import");
  return evolved ? Status{} : Status(std::move(evolved).error());
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

Status CsvImport::add_file() {
  auto insert = database_.prepare(
      "INSERT INTO files(prototype_id, sha256, bytes, separator, encoding, time_column, pace_column, columns, columns_count, "
      "columns_empty, "
      "rows, rejected, first_row, last_row, imported_us) VALUES(?, ?, ?, ?, ?, ?, ?, '[]', ?, ?, 0, 0, 0, -1, ?)");
  if (!insert) return std::move(insert).error();
  insert->bind(1, prototype_id_).bind(2, file_->sha256()).bind(3, static_cast<std::int64_t>(report_.bytes));
  insert->bind(4, std::string_view(&report_.separator, 1)).bind(5, report_.encoding);
  insert->bind(6, report_.time_column).bind(7, report_.pace_column);
  insert->bind(8, static_cast<std::int64_t>(report_.columns)).bind(9, static_cast<std::int64_t>(report_.columns_empty));
  if (Status done = insert->bind(10, now_.us).run(); !done) return done;
  file_id_ = database_.last_insert_id();
  return {};
}

Status CsvImport::store(const Progress& progress) {
  auto columns = stored_columns(database_, prototype_id_);
  if (!columns) return std::move(columns).error();
  columns_ = std::move(*columns);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < plan_.columns.size(); ++i)
    if (stored(i)) names.push_back(plan_.columns[i].name);
  auto positions = add_columns(database_, prototype_id_, names, columns_);
  if (!positions) return std::move(positions).error();
  if (Status prepared = prepare_insert(*positions); !prepared) return prepared;
  const std::uint64_t total = file_->stamp().size;
  Status read = file_->read([&](const CsvRow& row) { take(row); },
                            [&](std::uint64_t done) {
                              if (progress) progress((total + done) / 2, total);
                            });
  return status_ ? read : status_;
}

Status CsvImport::prepare_insert(const std::vector<std::uint32_t>& positions) {
  std::string sql = fmt::format("INSERT INTO {}(file_id, line, time_us", rows_table(prototype_id_));
  std::string places = fmt::format(") VALUES({}, ?2, ?3", file_id_);
  std::size_t next = 0;
  for (std::size_t i = 0; i < plan_.columns.size(); ++i) {
    if (!stored(i)) continue;
    const std::uint32_t position = positions[next++];
    file_columns_.push_back({position, plan_.columns[i].type});
    sql += ", " + sqlite::quote_identifier(columns_[position].sql_name);
    fmt::format_to(std::back_inserter(places), ", ?{}", fixed_parameters + next);
  }
  auto insert = database_.prepare(sql + places + ")");
  if (!insert) return std::move(insert).error();
  insert_ = std::move(*insert);
  return {};
}

void CsvImport::take(const CsvRow& row) {
  if (!header_seen_) {
    header_seen_ = true;
    return;
  }
  if (!status_) return;
  const RowShape shape = shape_of(row, plan_.header, reason_);
  if (shape == RowShape::header_again) return;
  std::optional<Timestamp> time;
  if (shape == RowShape::good) time = time_of(row, reason_);
  if (!time) {
    reject(row.line, reason_);
    return;
  }
  insert_->bind(2, static_cast<std::int64_t>(row.line)).bind(3, time->us);
  int parameter = fixed_parameters;
  for (std::size_t i = 0; i < plan_.columns.size(); ++i) {
    if (!stored(i)) continue;
    bind_cell(++parameter, plan_.columns[i], i < row.cells.size() ? row.cells[i].text : std::string_view());
  }
  status_ = insert_->run();
  if (!status_) return;
  last_row_ = database_.last_insert_id();
  if (report_.rows++ == 0) first_row_ = last_row_;
  if (previous_ && *time < *previous_) sorted_ = false;
  previous_ = time;
  earliest_ = std::min(earliest_.value_or(*time), *time);
  latest_ = std::max(latest_.value_or(*time), *time);
}

std::optional<Timestamp> CsvImport::time_of(const CsvRow& row, std::string& reason) {
  if (plan_.time == TimeSource::steps) return Timestamp{} + Duration::seconds(static_cast<std::int64_t>(report_.rows));
  const std::string_view cell = plan_.time_column < row.cells.size() ? row.cells[plan_.time_column].text : std::string_view();
  const bool missing = is_missing(cell);
  if (plan_.time == TimeSource::elapsed) {
    model::Value value;
    if (!missing && read_csv_number(cell, false, value, scratch_)) {
      elapsed_last_ = value.as_double();
      if (!elapsed_first_) elapsed_first_ = elapsed_last_;
    }
    const double us = elapsed_first_ ? (elapsed_last_ - *elapsed_first_) * plan_.elapsed_unit_us : 0;
    constexpr double us_max = 9e18;  // within int64
    return Timestamp{std::llround(std::clamp(us, 0.0, us_max))};
  }
  const std::string& name = plan_.columns[plan_.time_column].name;
  if (missing) {
    reason = fmt::format("no time: '{}' is empty or '{}'", name, shown(cell, file_->encoding()));
    return std::nullopt;
  }
  const auto time = read_csv_time(cell);
  if (!time) reason = fmt::format("the time in '{}' cannot be read: '{}'", name, shown(cell, file_->encoding()));
  return time;
}

void CsvImport::bind_cell(int parameter, const PlannedColumn& column, std::string_view cell) {
  if (is_missing(cell)) {
    insert_->bind_null(parameter);
    return;
  }
  if (column.type == ColumnClass::text) return bind_text(parameter, cell);
  if (column.type == ColumnClass::boolean) {
    insert_->bind(parameter, std::int64_t{read_boolean(cell).value_or(false)});
    return;
  }
  model::Value value;
  if (!read_csv_number(cell, column.decimal_comma, value, scratch_)) return bind_text(parameter, cell);
  switch (value.kind) {
    case model::ValueKind::integer:
      insert_->bind(parameter, value.integer);
      break;
    case model::ValueKind::real:
      insert_->bind(parameter, value.real);
      break;
    default:
      insert_->bind(parameter, value.text);
      break;
  }
}

void CsvImport::bind_text(int parameter, std::string_view cell) {
  if (file_->encoding() == Encoding::utf8) {
    insert_->bind_view(parameter, cell);
    return;
  }
  std::string decoded;
  append_decoded(decoded, cell, file_->encoding());
  insert_->bind(parameter, std::string_view(decoded));
}

void CsvImport::reject(std::uint64_t line, std::string reason) {
  ++report_.rejected;
  if (report_.problems.size() < problems_max) report_.problems.push_back({line, std::move(reason)});
}

// Cursors walk row ids: the rows of a file stand in the order of their times. Most files are recorded so; one that is not is
// sorted here, once, by SQLite, which keeps what does not fit its cache in a temporary file.
Status CsvImport::sort_rows() {
  if (sorted_) return {};
  std::string names = "file_id, line, time_us";
  for (const StoredColumn& column : columns_) names += ", " + sqlite::quote_identifier(column.sql_name);
  insert_.reset();
  return database_.execute(
      fmt::format("CREATE TEMP TABLE sorting AS SELECT * FROM main.{0} WHERE rowid BETWEEN {1} AND {2} ORDER BY time_us, line;"
                  "DELETE FROM main.{0} WHERE rowid BETWEEN {1} AND {2};"
                  "INSERT INTO main.{0}(rowid, {3}) SELECT rowid + {1} - 1, {3} FROM temp.sorting ORDER BY rowid;"
                  "DROP TABLE temp.sorting",
                  rows_table(prototype_id_), first_row_, last_row_, names));
}

Status CsvImport::finish_file() {
  insert_.reset();
  auto update = database_.prepare(
      "UPDATE files SET columns = ?, rows = ?, rejected = ?, first_time_us = ?, last_time_us = ?, first_row = ?, last_row = ? "
      "WHERE id = ?");
  if (!update) return std::move(update).error();
  const std::string columns = to_json(file_columns_, columns_);
  update->bind(1, columns)
      .bind(2, static_cast<std::int64_t>(report_.rows))
      .bind(3, static_cast<std::int64_t>(report_.rejected));
  const bool timed = plan_.time == TimeSource::column;
  if (timed) {
    report_.first_time = earliest_;
    report_.last_time = latest_;
  }
  if (report_.first_time)
    update->bind(4, report_.first_time->us).bind(5, report_.last_time->us);
  else
    update->bind_null(4).bind_null(5);
  update->bind(6, first_row_).bind(7, last_row_).bind(8, file_id_);
  return update->run();
}

}  // namespace iotstream::catalog
