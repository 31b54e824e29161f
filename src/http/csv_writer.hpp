// Events as CSV (RFC 4180): one header, one line an event, the same columns throughout.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <iotstream/model/row.hpp>
#include <iotstream/model/schema.hpp>
#include <iotstream/store/history.hpp>

namespace iotstream::http {

/// A text as a cell, guarded as CsvWriter's are.
void append_csv_text(std::string& out, std::string_view text);
/// A value as a cell; nothing for a missing one and null.
void append_csv_value(std::string& out, const model::Value& value);

/// One answer's writer. Texts that a spreadsheet would take for a formula (they begin with = + - @ tab or CR) get a `'` before
/// them; numbers stay as they are. `schema` outlives it.
class CsvWriter {
 public:
  /// `fields` empty: all of the schema.
  CsvWriter(const model::Schema& schema, const std::vector<FieldId>& fields);
  void header(std::string& out) const;
  void row(std::string& out, const store::Event& event);

 private:
  const model::Schema& schema_;
  std::vector<FieldId> fields_;
  std::vector<const model::Value*> cells_;  ///< by field number; reused from row to row
};

}  // namespace iotstream::http
