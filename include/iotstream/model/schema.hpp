// What a dataset's events look like: ordered, typed, versioned fields. Pure; no I/O.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <iotstream/base/ids.hpp>
#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>

namespace iotstream::model {

/// The type of a field: the narrowest that holds every value seen so far. Order matters: widening goes down the list
/// (boolean → integer → real → text → json). Each value keeps its own kind in its row, whatever the field widens to.
enum class FieldType : unsigned char { boolean, integer, real, text, json };
/// `boolean`, `integer`, `float`, `text`, `json`: as the API says it.
std::string_view name_of(FieldType type);
std::optional<FieldType> field_type_from(std::string_view name);
/// The narrowest type that holds both.
FieldType widen(FieldType a, FieldType b);

/// What a field is for; guessed by guess_kind(), used to choose a chart.
enum class FieldKind : unsigned char { measure, counter, state, boolean, latitude, longitude, text, identifier };
std::string_view name_of(FieldKind kind);
std::optional<FieldKind> field_kind_from(std::string_view name);

struct Field {
  FieldId id;         ///< its place in Schema::fields
  std::string name;   ///< as sent
  std::string label;  ///< for people: the name without its unit
  std::string unit;   ///< `km/h`, `°C`, or empty
  FieldType type = FieldType::integer;
  FieldKind kind = FieldKind::measure;
  SchemaVersion added_in;  ///< the version that brought it
  Timestamp first_seen;    ///< when that was
};

/// Immutable once shared. Fields are only added and widened, so a row of any older version decodes with any newer schema.
class Schema {
 public:
  Schema(std::string dataset, SchemaVersion version, std::vector<Field> fields);

  const std::string& dataset() const { return dataset_; }
  SchemaVersion version() const { return version_; }
  const std::vector<Field>& fields() const { return fields_; }
  const Field& field(FieldId id) const { return fields_[id.value]; }
  std::optional<FieldId> find(std::string_view name) const;

  /// As stored in the topic `_schemas`:
  /// {"dataset","version","fields":[{"name","label","unit","type","kind","added_in","first_seen"}]}.
  std::string to_json() const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::string dataset_;
  SchemaVersion version_;
  std::vector<Field> fields_;
  std::unordered_map<std::string, FieldId, Hash, std::equal_to<>> by_name_;
};

using SchemaPtr = std::shared_ptr<const Schema>;

/// Reads what to_json() wrote. Errors: corrupt.
Result<SchemaPtr> schema_from_json(std::string_view json);

/// A field as some source declares or shows it, before it has an id.
struct FieldDraft {
  std::string name;
  FieldType type = FieldType::integer;
  std::string label;  ///< empty: taken from the name
  std::string unit;   ///< empty: taken from the name
};

/// What changed from one version to the next.
struct SchemaChange {
  std::string field;
  bool added = false;                   ///< else widened
  FieldType from = FieldType::integer;  ///< of a widened field
  FieldType to = FieldType::integer;
};

/// `current` (nullptr: none yet) with the drafts added or widened, as a new version; `current` itself when it holds them all.
/// `changes` gets what was done.
SchemaPtr evolve(const SchemaPtr& current, std::string_view dataset, const std::vector<FieldDraft>& drafts, Timestamp now,
                 std::vector<SchemaChange>& changes);

/// Splits `Speed (OBD)(km/h)` into label `Speed (OBD)` and unit `km/h`: the unit is the last bracketed part at the end of the
/// name; an empty one is dropped; leading and trailing blanks go.
struct NameParts {
  std::string label;
  std::string unit;
};
NameParts split_unit(std::string_view name);

/// The stated rule (in README.md): by type, then by words in the name and by unit.
FieldKind guess_kind(std::string_view name, std::string_view unit, FieldType type);

/// The heading under which charts are grouped: by unit, else by the name's first word; a rule, not stored.
std::string group_of(const Field& field);

}  // namespace iotstream::model
