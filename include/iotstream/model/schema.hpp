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

/// What a field is for; guessed by guess_kind() or said by people, used to choose a chart.
enum class FieldKind : unsigned char { measure, counter, state, boolean, latitude, longitude, text, identifier };
std::string_view name_of(FieldKind kind);
std::optional<FieldKind> field_kind_from(std::string_view name);

/// What people said about a field: bits of Field::edited.
inline constexpr unsigned char edited_label = 1;
inline constexpr unsigned char edited_unit = 2;
inline constexpr unsigned char edited_kind = 4;

struct Field {
  FieldId id;         ///< its place in Schema::fields
  std::string name;   ///< as sent
  std::string label;  ///< for people: the name without its unit
  std::string unit;   ///< `km/h`, `°C`, or empty
  FieldType type = FieldType::integer;
  FieldKind kind = FieldKind::measure;
  SchemaVersion added_in;  ///< the version that brought it
  Timestamp first_seen;    ///< when that was
  /// The type that a model or the first value gave it. A value wider than this is a conflict.
  FieldType base = FieldType::integer;
  bool null_only = false;  ///< nothing but null came so far: `type` is boolean until the first value says
  std::string group;       ///< in place of group_of()'s rule; empty: the rule
  std::string description;
  bool hidden = false;       ///< not shown unless asked for
  unsigned char edited = 0;  ///< which of label, unit and kind people said: no rule touches those
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
  /// {"dataset","version","fields":[{"name","label","unit","type","kind","added_in","first_seen"}]}, and only where they say
  /// something "base", "null_only", "group", "description", "hidden", "edited" (names of label, unit, kind).
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
  /// Of a value: it is null, which tells no type (`type` is boolean then).
  bool null = false;
  /// Names who sent the event, or when it was: no rule of compatibility asks for that.
  bool envelope = false;
  std::string sample = {};  ///< a value that asked for it, as JSON; may be cut
};

enum class ChangeKind : unsigned char {
  added,
  widened,   ///< a value did not fit
  typed,     ///< the first value that is not null came
  declared,  ///< a model says that it is as wide as it has become
  edited,    ///< people said something about it
};
/// `added`, `widened`, `typed`, `declared`, `edited`.
std::string_view name_of(ChangeKind kind);
std::optional<ChangeKind> change_kind_from(std::string_view name);

/// What changed from one version to the next.
struct SchemaChange {
  std::string field;
  ChangeKind kind = ChangeKind::added;
  FieldType from = FieldType::integer;  ///< of an added field the same as `to`
  FieldType to = FieldType::integer;
  std::string sample = {};  ///< of a widened field: the value that did it
};

/// Where drafts come from: values only ever widen a field, a model says how wide it is meant to be.
enum class Origin : unsigned char { values, model };

/// `current` (nullptr: none yet) with the drafts added or widened, as a new version; `current` itself when it holds them all.
/// `changes` gets what was done.
SchemaPtr evolve(const SchemaPtr& current, std::string_view dataset, const std::vector<FieldDraft>& drafts, Timestamp now,
                 std::vector<SchemaChange>& changes, Origin origin = Origin::values);

/// What people say about a field. Nothing: stays as it is.
struct FieldEdit {
  std::optional<std::string> label;
  std::optional<std::string> unit;
  std::optional<FieldKind> kind;
  std::optional<std::string> group;
  std::optional<std::string> description;
  std::optional<bool> hidden;
  unsigned char by_rule = 0;  ///< of label, unit, kind (edited_…): those that the rules say again; goes before the values above
};
/// `current` with the edit, as a new version; `current` itself when it changes nothing.
SchemaPtr edit(const SchemaPtr& current, FieldId field, const FieldEdit& edit, std::vector<SchemaChange>& changes);

/// Splits `Speed (OBD)(km/h)` into label `Speed (OBD)` and unit `km/h`: the unit is the last bracketed part at the end of the
/// name; an empty one is dropped; leading and trailing blanks go.
struct NameParts {
  std::string label;
  std::string unit;
};
NameParts split_unit(std::string_view name);

/// The stated rule (in README.md): by type, then by words in the name and by unit.
FieldKind guess_kind(std::string_view name, std::string_view unit, FieldType type);

/// The heading under which charts are grouped: what people said; else by unit, else by the name's first word.
std::string group_of(const Field& field);

}  // namespace iotstream::model
