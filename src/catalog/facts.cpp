#include "catalog/facts.hpp"

#include <algorithm>
#include <array>
#include <simdjson.h>

#include <fmt/format.h>

#include <iotstream/base/json.hpp>
#include <iotstream/base/text.hpp>

namespace iotstream::catalog {
namespace {

constexpr std::size_t facts_max = 64;
constexpr std::size_t name_bytes_max = 200;
constexpr std::size_t value_bytes_max = 1000;
/// Members that every event has, or may have, by other rules.
constexpr std::array<std::string_view, 10> taken_names = {"code_model", "codep",    "libelle", "marque",     "version",
                                                          "@timestamp", "dateHour", "device",  "_partition", "_offset"};

bool control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

Status check_name(const std::string& name) {
  if (name.empty()) return Error{ErrorKind::invalid, "a fact needs a name"};
  if (name.size() > name_bytes_max || !is_utf8(name) || std::any_of(name.begin(), name.end(), control))
    return Error{ErrorKind::invalid,
                 fmt::format("a fact's name is UTF-8 of at most {} bytes, without control characters", name_bytes_max)};
  if (std::find(taken_names.begin(), taken_names.end(), name) != taken_names.end())
    return Error{ErrorKind::invalid, fmt::format("the fact '{}' would hide what every event has under that name", name)};
  return {};
}

bool is_scalar(simdjson::dom::element value) { return !value.is_object() && !value.is_array(); }

}  // namespace

Status check_facts(const Facts& facts) {
  if (facts.size() > facts_max)
    return Error{ErrorKind::too_large, fmt::format("a prototype has {} facts; {} are allowed", facts.size(), facts_max)};
  simdjson::dom::parser parser;
  for (const auto& [name, value] : facts) {
    if (Status good = check_name(name); !good) return good;
    if (value.size() > value_bytes_max)
      return Error{ErrorKind::too_large,
                   fmt::format("the fact '{}' has {} bytes; {} are allowed", name, value.size(), value_bytes_max)};
    simdjson::dom::element element;
    if (parser.parse(value).get(element) != simdjson::SUCCESS || !is_scalar(element))
      return Error{ErrorKind::invalid, fmt::format("the fact '{}' must be a text, a number, true, false or null", name)};
    const auto same = [&wanted = name](const auto& other) { return other.first == wanted; };
    if (std::count_if(facts.begin(), facts.end(), same) > 1)
      return Error{ErrorKind::invalid, fmt::format("the fact '{}' is there twice", name)};
  }
  return {};
}

Result<Facts> facts_from_json(std::string_view object) {
  simdjson::dom::parser parser;
  simdjson::dom::object members;
  if (parser.parse(object.data(), object.size()).get(members) != simdjson::SUCCESS)
    return Error{ErrorKind::invalid, "facts must be a JSON object"};
  Facts facts;
  for (const auto& [name, value] : members) facts.emplace_back(std::string(name), simdjson::minify(value));
  if (Status good = check_facts(facts); !good) return std::move(good).error();
  return facts;
}

std::string facts_to_json(const Facts& facts) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  for (const auto& [name, value] : facts) writer.key(name).raw(value);
  writer.end_object();
  return out;
}

}  // namespace iotstream::catalog
