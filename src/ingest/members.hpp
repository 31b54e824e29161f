// The members that a dataset's events have had, as a tree that follows the nesting: finds a member without hashing while events
// keep their order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <iotstream/base/ids.hpp>
#include <iotstream/catalog/conflicts.hpp>
#include <iotstream/model/schema.hpp>

namespace iotstream::ingest {

/// What a top-level member means beside being a field. The first five are the device's names, in order of preference.
enum class Role : unsigned char { device, device_id, clientid, clien_id, code, timestamp, date_hour, none };
inline constexpr std::size_t device_roles = 5;
inline constexpr std::size_t role_count = 7;

struct Level;

struct Member {
  std::string name;     ///< within its object
  std::string path;     ///< the field's name: with dots
  std::string problem;  ///< why a reading with such a member is rejected; empty: it is not
  bool plain = false;   ///< the name's bytes in JSON are its own: it has nothing to escape
  Role role = Role::none;
  std::optional<FieldId> field;  ///< nothing: not in the schema yet
  model::FieldType type = model::FieldType::boolean;
  model::FieldType base = model::FieldType::boolean;  ///< a value wider than this is a conflict
  bool null_only = false;                             ///< the field has no type yet
  unsigned fitting = 0;                               ///< values of so many types, the narrowest first, need no further look
  /// The counters of its conflicts, by the value's type; nullptr: not asked for yet. Of the dataset's book, which outlives
  /// this.
  std::array<catalog::ConflictCell*, 5> conflicts{};
  Member* successor = nullptr;  ///< who came after it the last time
  std::unique_ptr<Level> below;
};

/// memcmp() for a few bytes without the call of it, which names are compared by the dozen for every event.
inline bool same_bytes(const char* a, const char* b, std::size_t size) {
  std::uint64_t left = 0;
  std::uint64_t right = 0;
  if (size < sizeof left) {
    for (std::size_t i = 0; i < size; ++i)
      if (a[i] != b[i]) return false;
    return true;
  }
  for (std::size_t i = 0; i + sizeof left < size; i += sizeof left) {
    std::memcpy(&left, a + i, sizeof left);
    std::memcpy(&right, b + i, sizeof right);
    if (left != right) return false;
  }
  std::memcpy(&left, a + size - sizeof left, sizeof left);
  std::memcpy(&right, b + size - sizeof right, sizeof right);
  return left == right;
}

/// The members of one object, by name.
struct Level {
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::string prefix;  ///< `tyre.` for what is within `tyre`; empty at the top
  Member* first = nullptr;
  std::unordered_map<std::string, std::unique_ptr<Member>, Hash, std::equal_to<>> by_name;

  /// The member expected after `previous` (nullptr: the first), when its name is what stands at `raw` before a quote; else
  /// nullptr. `end` bounds what may be read.
  Member* expected(Member* previous, const char* raw, const char* end) const {
    Member* member = previous ? previous->successor : first;
    if (!member || !member->plain || static_cast<std::size_t>(end - raw) <= member->name.size()) return nullptr;
    const bool equal = raw[member->name.size()] == '"' && same_bytes(raw, member->name.data(), member->name.size());
    return equal ? member : nullptr;
  }
};

/// One tree. One thread.
class Members {
 public:
  Level& top() { return *top_; }
  /// The member of that name (unescaped), noted as the one that follows `previous`. Names that cannot be taken give a member
  /// with a problem, which is not kept.
  Member& find(Level& level, Member* previous, std::string_view name);
  Level& below(Member& member);
  /// Gives every member its field of `schema`, and every later one; `schema` stays alive by the caller.
  void bind(const model::Schema* schema);
  /// Forgets all when there are more than any real dataset has: foreign names must not fill the memory. Between events only.
  void trim();

 private:
  void bind(Level& level);
  void bind(Member& member) const;

  std::unique_ptr<Level> top_ = std::make_unique<Level>();
  const model::Schema* schema_ = nullptr;
  std::size_t count_ = 0;
  Member refused_;
};

}  // namespace iotstream::ingest
