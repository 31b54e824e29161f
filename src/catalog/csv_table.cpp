#include <algorithm>
#include <utility>

#include <iotstream/base/text.hpp>
#include <iotstream/catalog/csv_stream.hpp>

#include "catalog/csv_form.hpp"
#include "catalog/csv_plan.hpp"
#include "catalog/csv_reader.hpp"
#include "catalog/csv_text.hpp"

namespace iotstream::catalog {
namespace {

constexpr std::size_t head_bytes = 1024 * 1024;

using Row = CsvTable::Row;
using Visit = std::function<void(const Row&)>;

/// Rows of cells to rows of values, by what was found out about the text.
struct Rows {
  Encoding encoding = Encoding::utf8;
  CsvForm form;
  CsvPlan plan;
  bool guessed = false;  ///< the plan is of the first rows only: a later cell may not fit it
  std::vector<std::string> names;
  std::vector<std::string> scratch;  ///< per column: texts that are not in the text as they stand
  std::vector<Cell> cells;
  std::string reason;

  /// Errors: invalid, with the line.
  Status look(std::string_view head, bool whole);
  void take(const CsvRow& row, const Visit& visit);

 private:
  model::Value value_of(std::size_t column, std::string_view cell);
  bool read_value(std::size_t column, std::string_view cell, model::Value& value);
  std::optional<Timestamp> time_of(const CsvRow& row);
};

void read(const CsvForm& form, std::string_view text, const CsvReader::Sink& sink) {
  CsvReader reader(form.separator);
  reader.feed(text, sink);
  reader.finish(sink);
}

Status Rows::look(std::string_view head, bool whole) {
  // Of a text that goes on the last row may be cut, and its last character.
  const std::size_t end = whole ? std::string_view::npos : head.rfind('\n');
  if (end != std::string_view::npos) head = head.substr(0, end + 1);
  guessed = !whole;
  EncodingCensus census;
  census.feed(head);
  encoding = census.encoding();
  form = find_form({head.substr(0, head_bytes), whole && head.size() <= head_bytes, std::nullopt, true});
  if (!form.problem.empty()) return Error{ErrorKind::invalid, form.problem};
  CsvProfiler profiler(form);
  read(form, head, [&](const CsvRow& row) { profiler.add(row); });
  plan = profiler.finish(encoding);
  for (const PlannedColumn& column : plan.columns) names.push_back(column.name);
  scratch.resize(names.size());
  return {};
}

void Rows::take(const CsvRow& row, const Visit& visit) {
  const RowShape shape = shape_of(row, form, reason);
  if (shape != RowShape::good && shape != RowShape::bad) return;
  Row out;
  out.line = row.line;
  if (shape == RowShape::bad) {
    out.problem = reason;
    return visit(out);
  }
  cells.clear();
  const std::size_t count = std::min(row.cells.size(), names.size());
  for (std::size_t i = 0; i < count; ++i)
    if (!is_missing(row.cells[i].text)) cells.push_back({static_cast<std::uint32_t>(i), value_of(i, row.cells[i].text)});
  out.time = time_of(row);
  out.cells = cells;
  visit(out);
}

/// False when the cell is a text.
bool Rows::read_value(std::size_t column, std::string_view cell, model::Value& value) {
  const PlannedColumn& plan_of = plan.columns[column];
  const bool unknown = guessed && plan_of.type == ColumnClass::empty;
  if (plan_of.type == ColumnClass::boolean || unknown) {
    if (const auto truth = read_boolean(cell)) {
      value.kind = *truth ? model::ValueKind::true_ : model::ValueKind::false_;
      return true;
    }
  }
  if (!unknown && plan_of.type != ColumnClass::number && plan_of.type != ColumnClass::mixed) return false;
  // A code like 007 would have made a text of the column, had it come earlier.
  if (guessed && look_at_number(cell).leading_zero) return false;
  return read_csv_number(cell, plan_of.style, value, scratch[column]);
}

model::Value Rows::value_of(std::size_t column, std::string_view cell) {
  model::Value value;
  if (read_value(column, cell, value)) return value;
  value.kind = model::ValueKind::text;
  value.text = cell;
  const bool clean = encoding == Encoding::utf8 && (!guessed || first_invalid_utf8(cell) == cell.size());
  if (clean) return value;
  scratch[column].clear();
  append_decoded(scratch[column], cell, encoding == Encoding::utf8 ? Encoding::utf8_damaged : encoding);
  value.text = scratch[column];
  return value;
}

/// Nothing where the file has no column of times: what arrives now is of now.
std::optional<Timestamp> Rows::time_of(const CsvRow& row) {
  if (plan.time != TimeSource::column) return std::nullopt;
  return RowClock(plan).next(row.cells, encoding, reason);
}

}  // namespace

struct CsvTable::Content {
  std::string decoded;  ///< of a text in UTF-16
  std::string_view text;
  Rows rows;
};

Result<CsvTable> CsvTable::open(std::string_view text) {
  auto content = std::make_unique<Content>();
  const auto utf16 = utf16_of(text);
  text.remove_prefix(mark_bytes(text));
  if (utf16) {
    Utf16Decoder decoder(*utf16);
    decoder.feed(text, content->decoded);
    decoder.finish(content->decoded);
    text = content->decoded;
  }
  content->text = text;
  if (Status looked = content->rows.look(text, true); !looked) return std::move(looked).error();
  return CsvTable(std::move(content));
}

CsvTable::CsvTable(std::unique_ptr<Content> content) : content_(std::move(content)) {}
CsvTable::~CsvTable() = default;
CsvTable::CsvTable(CsvTable&&) noexcept = default;

const std::vector<std::string>& CsvTable::columns() const { return content_->rows.names; }

void CsvTable::each(const std::function<void(const Row&)>& visit) {
  read(content_->rows.form, content_->text, [&](const CsvRow& row) { content_->rows.take(row, visit); });
}

struct CsvStream::Content {
  explicit Content(Rows found) : rows(std::move(found)), reader(rows.form.separator) {}
  Rows rows;
  CsvReader reader;
  std::size_t mark = 0;  ///< bytes of the byte order mark that are still to be passed over
  std::optional<Utf16Decoder> decoder;
  std::string decoded;
};

Result<CsvStream> CsvStream::open(std::string_view head) {
  const auto utf16 = utf16_of(head);
  const std::size_t mark = mark_bytes(head);
  head.remove_prefix(mark);
  std::string decoded;
  if (utf16) {
    Utf16Decoder(*utf16).feed(head, decoded);
    head = decoded;
  }
  Rows rows;
  if (Status looked = rows.look(head, false); !looked) return std::move(looked).error();
  auto content = std::make_unique<Content>(std::move(rows));
  content->mark = mark;
  if (utf16) content->decoder.emplace(*utf16);
  return CsvStream(std::move(content));
}

CsvStream::CsvStream(std::unique_ptr<Content> content) : content_(std::move(content)) {}
CsvStream::~CsvStream() = default;
CsvStream::CsvStream(CsvStream&&) noexcept = default;

const std::vector<std::string>& CsvStream::columns() const { return content_->rows.names; }

void CsvStream::feed(std::string_view bytes, const std::function<void(const CsvTable::Row&)>& take) {
  const std::size_t passed = std::min(content_->mark, bytes.size());
  content_->mark -= passed;
  bytes.remove_prefix(passed);
  if (content_->decoder) {
    content_->decoded.clear();
    content_->decoder->feed(bytes, content_->decoded);
    bytes = content_->decoded;
  }
  content_->reader.feed(bytes, [&](const CsvRow& row) { content_->rows.take(row, take); });
}

void CsvStream::finish(const std::function<void(const CsvTable::Row&)>& take) {
  const auto hand_out = [&](const CsvRow& row) { content_->rows.take(row, take); };
  if (content_->decoder) {
    content_->decoded.clear();
    content_->decoder->finish(content_->decoded);
    content_->reader.feed(content_->decoded, hand_out);
  }
  content_->reader.finish(hand_out);
}

}  // namespace iotstream::catalog
