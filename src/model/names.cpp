// What names tell: units, kinds, groups. Rules, stated in README.md; wrong guesses cost a chart type, never data.
#include <algorithm>
#include <array>
#include <span>

#include <iotstream/model/schema.hpp>

namespace iotstream::model {
namespace {

constexpr std::string_view blanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
char lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }
/// Bytes beyond ASCII are letters of some alphabet here.
bool is_letter(char c) { return is_lower(c) || is_upper(c) || static_cast<unsigned char>(c) >= 0x80; }

/// Where a word ends that begins at `begin`: `gps|Speed`, `GPS|Speed`, `Ast|_`.
std::size_t word_end(std::string_view name, std::size_t begin) {
  std::size_t end = begin + 1;
  for (; end < name.size() && is_letter(name[end]); ++end) {
    if (!is_upper(name[end])) continue;
    if (is_lower(name[end - 1])) break;
    if (end + 1 < name.size() && is_lower(name[end + 1])) break;
  }
  return end;
}

/// The words of a name in lower case, at most 16: `gpsSatCount` → gps, sat, count.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < name.size() && words.size() < 16;) {
    if (!is_letter(name[at])) {
      ++at;
      continue;
    }
    const std::size_t end = word_end(name, at);
    std::string word(name.substr(at, end - at));
    std::transform(word.begin(), word.end(), word.begin(), lower);
    words.push_back(std::move(word));
    at = end;
  }
  return words;
}

bool any_of(std::span<const std::string_view> list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool angle_unit(std::string_view unit) { return unit.empty() || unit == "°" || unit == "deg" || unit == "degrees"; }

constexpr std::array<std::string_view, 13> identifier_names = {
    "id", "uuid", "guid", "code", "codep", "clientid", "clienid", "device", "deviceid", "vin", "serial", "imei", "mac"};
constexpr std::array<std::string_view, 3> identifier_endings = {"id", "uuid", "guid"};
constexpr std::array<std::string_view, 5> counter_endings = {"odometer", "counter", "sequence", "seq", "ticks"};
constexpr std::array<std::string_view, 9> state_words = {"state", "status", "mode",  "gear", "phase",
                                                         "stage", "alarm",  "fault", "level"};
constexpr std::array<std::string_view, 2> number_state_endings = {"state", "status"};

/// The letters of a name, joined in lower case: `clienID` → clienid, `device_id` → deviceid.
std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += word;
  return all;
}

bool is_identifier(const std::vector<std::string>& words) {
  return any_of(identifier_names, joined(words)) || any_of(identifier_endings, words.back());
}

/// `lat`, `latitude`, `GPS Latitude (°)`, `gps_lat`; not `LONG_TERM_FUEL_TRIM` and not `Latitude error (m)`.
bool is_place(const std::vector<std::string>& words, std::string_view unit, std::string_view full,
              std::span<const std::string_view> brief) {
  if (!angle_unit(unit)) return false;
  return words.back() == full || any_of(brief, words.back());
}

}  // namespace

NameParts split_unit(std::string_view name) {
  std::string_view label = trimmed(name);
  std::string_view unit;
  if (!label.empty() && (label.back() == ')' || label.back() == ']')) {
    const char open = label.back() == ')' ? '(' : '[';
    const char close = label.back();
    std::size_t depth = 0;
    for (std::size_t i = label.size(); i-- > 0;) {
      if (label[i] == close) ++depth;
      if (label[i] == open && --depth == 0) {
        // A name that is nothing but brackets keeps them: it has no other label.
        if (trimmed(label.substr(0, i)).empty()) break;
        unit = trimmed(label.substr(i + 1, label.size() - i - 2));
        label = trimmed(label.substr(0, i));
        break;
      }
    }
  }
  return {std::string(label), std::string(unit)};
}

FieldKind guess_kind(std::string_view name, std::string_view unit, FieldType type) {
  if (type == FieldType::boolean) return FieldKind::boolean;
  if (type == FieldType::json) return FieldKind::text;
  const std::vector<std::string> words = words_of(split_unit(name).label);
  const bool number = type != FieldType::text;
  if (words.empty()) return number ? FieldKind::measure : FieldKind::text;
  if (type != FieldType::real && is_identifier(words)) return FieldKind::identifier;
  if (!number) {
    const bool state =
        std::any_of(words.begin(), words.end(), [](const std::string& word) { return any_of(state_words, word); });
    return state ? FieldKind::state : FieldKind::text;
  }
  constexpr std::array<std::string_view, 1> latitude = {"lat"};
  constexpr std::array<std::string_view, 3> longitude = {"lon", "lng", "long"};
  if (is_place(words, unit, "latitude", latitude)) return FieldKind::latitude;
  if (is_place(words, unit, "longitude", longitude)) return FieldKind::longitude;
  if (type == FieldType::integer && any_of(number_state_endings, words.back())) return FieldKind::state;
  const bool total = words.size() > 1 && words.back() == "total" && name.find("_total") != std::string_view::npos;
  if (total || any_of(counter_endings, words.back())) return FieldKind::counter;
  return FieldKind::measure;
}

std::string group_of(const Field& field) {
  if (!field.group.empty()) return field.group;
  if (!field.unit.empty()) return field.unit;
  std::vector<std::string> words = words_of(field.label.empty() ? field.name : field.label);
  if (words.empty()) return {};
  std::string group = std::move(words.front());
  if (is_lower(group.front())) group.front() = static_cast<char>(group.front() - 'a' + 'A');
  return group;
}

}  // namespace iotstream::model
