// What the topic `_schemas` holds: one JSON document a record, readable without this program.
//   {"kind":"schema","time":"…","device":"…","changes":[{"field","change":"added"|"widened","from","to"}],"schema":{…}}
//   {"kind":"facts","id":1,"dataset":"1","code":"X46789","facts":{"code_model":"1",…}}
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include <iotstream/catalog/schemas.hpp>

namespace iotstream::catalog {

struct FactsRecord {
  FactsId id;
  std::string dataset;
  std::string code;
  Facts facts;
};

std::string to_json(const SchemaRecord& record);
std::string to_json(const FactsRecord& record);
/// Errors: corrupt.
Result<std::variant<SchemaRecord, FactsRecord>> schema_record_from_json(std::string_view text);
/// One JSON value without blanks, escaped as a record's is when it is read back; nothing when `text` is none.
std::optional<std::string> canonical_json(std::string_view text);

}  // namespace iotstream::catalog
