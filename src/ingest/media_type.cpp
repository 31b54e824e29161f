#include "ingest/media_type.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "ingest/place.hpp"

namespace iotstream::ingest {
namespace {

constexpr std::array<std::pair<std::string_view, BodyFormat>, 14> types = {{
    {"application/json", BodyFormat::json},
    {"text/json", BodyFormat::json},
    {"application/x-ndjson", BodyFormat::ndjson},
    {"application/ndjson", BodyFormat::ndjson},
    {"application/jsonl", BodyFormat::ndjson},
    {"application/x-jsonlines", BodyFormat::ndjson},
    {"application/jsonlines", BodyFormat::ndjson},
    {"application/stream+json", BodyFormat::ndjson},
    {"text/csv", BodyFormat::csv},
    {"application/csv", BodyFormat::csv},
    {"", BodyFormat::detect},
    {"text/plain", BodyFormat::detect},
    {"application/octet-stream", BodyFormat::detect},
    {"application/x-www-form-urlencoded", BodyFormat::detect},
}};

// False for a charset parameter whose bytes are not UTF-8's.
bool charset_fits(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::size_t end = std::min(parameters.find(';'), parameters.size());
    std::string_view one = trimmed(parameters.substr(0, end));
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
    if (!one.starts_with("charset=")) continue;
    one.remove_prefix(8);
    if (one.size() >= 2 && one.front() == '"') one = one.substr(1, one.size() - 2);
    if (one != "utf-8" && one != "utf8" && one != "us-ascii" && one != "ascii") return false;
  }
  return true;
}

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::optional<BodyFormat> format_of(std::string_view content_type) {
  const std::string text = lower(content_type);
  const std::size_t semicolon = std::min(text.find(';'), text.size());
  const std::string_view type = trimmed(std::string_view(text).substr(0, semicolon));
  if (!charset_fits(std::string_view(text).substr(std::min(semicolon + 1, text.size())))) return std::nullopt;
  for (const auto& [name, format] : types)
    if (name == type) return format;
  if (type.starts_with("application/") && type.ends_with("+json")) return BodyFormat::json;
  return std::nullopt;
}

}  // namespace iotstream::ingest
