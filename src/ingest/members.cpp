#include "ingest/members.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include <iotstream/base/text.hpp>
#include <iotstream/ingest/gate.hpp>

#include "ingest/place.hpp"

namespace iotstream::ingest {
namespace {

// Four times the most fields that a schema may have.
constexpr std::size_t members_max = 20'000;

Role role_of(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, Role>, role_count> roles = {{{"device", Role::device},
                                                                                       {"device_id", Role::device_id},
                                                                                       {"clientid", Role::clientid},
                                                                                       {"clienID", Role::clien_id},
                                                                                       {"code", Role::code},
                                                                                       {"@timestamp", Role::timestamp},
                                                                                       {"dateHour", Role::date_hour}}};
  for (const auto& [text, role] : roles)
    if (text == name) return role;
  return Role::none;
}

bool control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

std::string problem_of(std::string_view name, const std::string& path) {
  if (name.empty()) return "a member has an empty name";
  if (path.size() > name_size_max)
    return fmt::format("a member's name is longer than {} bytes: it begins with {}", name_size_max, path.substr(0, 40));
  if (std::any_of(name.begin(), name.end(), control)) return fmt::format("a member's name has a control character: {}", path);
  if (first_invalid_utf8(name) < name.size()) return "a member's name is not UTF-8";
  return {};
}

}  // namespace

Member& Members::find(Level& level, Member* previous, std::string_view name) {
  auto found = level.by_name.find(name);
  if (found == level.by_name.end()) {
    auto member = std::make_unique<Member>();
    // A name as long as its whole reading is not copied to be refused.
    const std::string_view kept = name.substr(0, name_size_max + 1);
    member->path = level.prefix;
    member->path += kept;
    member->problem = problem_of(kept, member->path);
    if (!member->problem.empty()) {
      refused_.problem = std::move(member->problem);
      refused_.successor = nullptr;
      return refused_;
    }
    member->name = name;
    member->plain = name.find_first_of("\"\\") == std::string_view::npos;
    if (level.prefix.empty()) member->role = role_of(name);
    bind(*member);
    ++count_;
    found = level.by_name.emplace(std::string(name), std::move(member)).first;
  }
  Member& member = *found->second;
  (previous ? previous->successor : level.first) = &member;
  return member;
}

Level& Members::below(Member& member) {
  if (!member.below) {
    member.below = std::make_unique<Level>();
    member.below->prefix = member.path + '.';
  }
  return *member.below;
}

void Members::bind(const model::Schema* schema) {
  schema_ = schema;
  bind(*top_);
}

void Members::bind(Level& level) {
  for (auto& [name, member] : level.by_name) {
    bind(*member);
    if (member->below) bind(*member->below);
  }
}

void Members::bind(Member& member) const {
  member.field = schema_ ? schema_->find(member.path) : std::nullopt;
  member.fitting = 0;
  if (!member.field) return;
  const model::Field& field = schema_->field(*member.field);
  member.type = field.type;
  member.base = field.base;
  member.null_only = field.null_only;
  if (!field.null_only) member.fitting = static_cast<unsigned>(std::min(field.type, field.base)) + 1;
}

void Members::trim() {
  if (count_ <= members_max) return;
  top_ = std::make_unique<Level>();
  count_ = 0;
}

}  // namespace iotstream::ingest
