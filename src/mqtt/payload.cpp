#include "mqtt/payload.hpp"

#include <simdjson.h>

#include <iotstream/base/json.hpp>

namespace iotstream::mqtt {
namespace {

constexpr std::string_view blanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(blanks);
  return first == std::string_view::npos ? std::string_view() : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string_view without_blanks(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(blanks), text.size()));
}

std::string_view without_digits(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of("0123456789"), text.size()));
}

/// RFC 8259, section 6.
bool is_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::string_view behind = without_digits(text);
  const std::size_t whole = text.size() - behind.size();
  if (whole == 0 || (whole > 1 && text.front() == '0')) return false;
  text = behind;
  if (text.starts_with('.')) {
    const std::string_view rest = without_digits(text.substr(1));
    if (rest.size() + 1 == text.size()) return false;
    text = rest;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    const std::string_view rest = without_digits(text);
    if (rest.size() == text.size()) return false;
    text = rest;
  }
  return text.empty();
}

/// `text` begins with { or [.
bool is_envelope(std::string_view text) {
  if (text.front() == '[') text = without_blanks(text.substr(1));
  if (!text.starts_with('{')) return false;
  text = without_blanks(text.substr(1));
  if (text.starts_with("\"DatasetType\"")) return true;
  return text.starts_with("\"data\"") && text.find("\"DatasetType\"") != std::string_view::npos;
}

}  // namespace

Body body_of(std::string_view payload, std::string& made) {
  std::string_view text = payload;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  text = trimmed(text);
  if (text.empty()) return {payload, false};
  if (text.front() == '{' || text.front() == '[') return {payload, is_envelope(text)};
  if (!simdjson::validate_utf8(text.data(), text.size())) return {payload, false};
  made = "{\"value\":";
  if (is_number(text) || text == "true" || text == "false" || text == "null")
    made += text;
  else
    json::append_string(made, payload);
  made += '}';
  return {made, false};
}

}  // namespace iotstream::mqtt
