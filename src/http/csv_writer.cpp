#include "http/csv_writer.hpp"

#include <iotstream/base/time.hpp>
#include <iotstream/model/row.hpp>

namespace iotstream::http {

void append_csv_text(std::string& out, std::string_view text) {
  const bool formula = !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos;
  const bool quote = formula || text.find_first_of(",\"\r\n") != std::string_view::npos;
  if (!quote) {
    out += text;
    return;
  }
  out += '"';
  if (formula) out += '\'';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void append_csv_value(std::string& out, const model::Value& value) {
  switch (value.kind) {
    case model::ValueKind::missing:
    case model::ValueKind::null:
      return;
    case model::ValueKind::text:
    case model::ValueKind::key:
    case model::ValueKind::json:
      return append_csv_text(out, value.text);
    default:
      return model::append_json(out, value);
  }
}

CsvWriter::CsvWriter(const model::Schema& schema, const std::vector<FieldId>& fields) : schema_(schema), fields_(fields) {
  if (fields_.empty()) {
    for (const model::Field& field : schema.fields()) fields_.push_back(field.id);
  }
  cells_.resize(schema.fields().size());
}

void CsvWriter::header(std::string& out) const {
  out += "@timestamp,device,_partition,_offset";
  for (const FieldId field : fields_) {
    out += ',';
    append_csv_text(out, schema_.field(field).name);
  }
  out += "\r\n";
}

void CsvWriter::row(std::string& out, const store::Event& event) {
  std::fill(cells_.begin(), cells_.end(), nullptr);
  for (const auto& [field, value] : *event.values) {
    if (field.value < cells_.size()) cells_[field.value] = &value;
  }
  out += format_rfc3339(event.time);
  out += ',';
  append_csv_text(out, event.device);
  out += ',' + std::to_string(event.partition.value) + ',' + std::to_string(event.offset.value);
  for (const FieldId field : fields_) {
    out += ',';
    if (cells_[field.value] != nullptr) append_csv_value(out, *cells_[field.value]);
  }
  out += "\r\n";
}

}  // namespace iotstream::http
