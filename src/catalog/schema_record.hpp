// What the topic `_schemas` holds: one JSON document a record, readable without this program.
//   {"kind":"schema","time":"…","device":"…","source":"…","changes":[{"field","change":"added"|"widened"|"typed"|"declared"|
//    "edited","from","to","sample"}],"schema":{…}}; without source and sample where there is none
//   {"kind":"facts","id":1,"dataset":"1","code":"X46789","facts":{"code_model":"1",…}}
//   {"kind":"compatibility","time":"…","dataset":"1","compatibility":"strict","configured":"additive"}; without configured
//   where
//    the configuration says nothing
//   {"kind":"conflict","time":"…","dataset":"1","field":"v","from":"integer","to":"text","device":"…","source":"…","sample":"…"}:
//    the first reading refused for it; without from where a strict dataset has no such field
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

struct CompatibilityRecord {
  std::string dataset;
  Timestamp time;
  model::Compatibility compatibility = model::Compatibility::adaptive;
  std::optional<model::Compatibility> configured;  ///< what the configuration said when it was last asked
};

struct ConflictRecord {
  std::string dataset;
  Conflict conflict;
};

std::string to_json(const SchemaRecord& record);
std::string to_json(const FactsRecord& record);
std::string to_json(const CompatibilityRecord& record);
std::string to_json(const ConflictRecord& record);
using TopicRecord = std::variant<SchemaRecord, FactsRecord, CompatibilityRecord, ConflictRecord>;
/// Errors: corrupt.
Result<TopicRecord> schema_record_from_json(std::string_view text);
/// One JSON value without blanks, escaped as a record's is when it is read back; nothing when `text` is none.
std::optional<std::string> canonical_json(std::string_view text);

}  // namespace iotstream::catalog
