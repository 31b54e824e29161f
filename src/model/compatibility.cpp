#include <algorithm>
#include <array>

#include <iotstream/model/compatibility.hpp>

namespace iotstream::model {
namespace {

constexpr std::array<std::string_view, 3> compatibility_names = {"adaptive", "additive", "strict"};

}  // namespace

std::string_view name_of(Compatibility compatibility) { return compatibility_names[static_cast<std::size_t>(compatibility)]; }

std::optional<Compatibility> compatibility_from(std::string_view name) {
  const auto found = std::find(compatibility_names.begin(), compatibility_names.end(), name);
  if (found == compatibility_names.end()) return std::nullopt;
  return static_cast<Compatibility>(found - compatibility_names.begin());
}

std::vector<Misfit> misfits(const Schema* current, const std::vector<FieldDraft>& drafts, Compatibility compatibility) {
  std::vector<Misfit> found;
  if (compatibility == Compatibility::adaptive) return found;
  for (const FieldDraft& draft : drafts) {
    if (draft.envelope) continue;
    const auto id = current ? current->find(draft.name) : std::nullopt;
    if (!id) {
      if (compatibility == Compatibility::strict) found.push_back({&draft, std::nullopt});
      continue;
    }
    const Field& field = current->field(*id);
    if (draft.null || field.null_only || widen(field.type, draft.type) == field.type) continue;
    found.push_back({&draft, field.type});
  }
  return found;
}

}  // namespace iotstream::model
