#include "ingest/letter_record.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <simdjson.h>

#include <fmt/format.h>

#include <iotstream/base/json.hpp>

namespace iotstream::ingest {
namespace {

constexpr std::array<std::string_view, 5> form_names{"reading", "envelope", "csv", "point", "body"};

std::string text_of(simdjson::dom::element document, const char* name) {
  std::string_view text;
  return document[name].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

std::uint64_t number_of(simdjson::dom::element document, const char* name) {
  std::uint64_t number = 0;
  return document[name].get(number) == simdjson::SUCCESS ? number : 0;
}

LetterForm form_of(std::string_view name) {
  for (std::size_t i = 0; i != form_names.size(); ++i)
    if (form_names[i] == name) return static_cast<LetterForm>(i);
  return LetterForm::body;
}

}  // namespace

std::string_view name_of(LetterForm form) { return form_names[static_cast<std::size_t>(form)]; }

std::string encode(const DeadLetter& letter) {
  std::string record;
  json::Writer writer(record);
  writer.begin_object();
  writer.key("reason").value(letter.reason);
  writer.key("source").value(letter.source);
  if (!letter.device.empty()) writer.key("device").value(letter.device);
  writer.key("kind").value(letter.kind);
  writer.key("line").value(letter.line);
  writer.key("form").value(name_of(letter.form));
  writer.key("size").value(letter.size);
  writer.key("truncated").value(letter.truncated);
  writer.key("header_size").value(static_cast<std::uint64_t>(letter.header.size()));
  writer.end_object();
  record += '\n';
  record += letter.header;
  record += letter.raw;
  return record;
}

std::optional<DeadLetter> decode(const log::Record& record) {
  const std::string_view text = as_text(record.value);
  const std::size_t end = text.find('\n');
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (end == std::string_view::npos || parser.parse(text.data(), end).get(document) != simdjson::SUCCESS) return std::nullopt;
  DeadLetter letter;
  letter.time = record.time;
  letter.dataset = record.key;
  letter.reason = text_of(document, "reason");
  letter.source = text_of(document, "source");
  letter.device = text_of(document, "device");
  letter.kind = text_of(document, "kind");
  letter.line = number_of(document, "line");
  letter.form = form_of(text_of(document, "form"));
  letter.size = number_of(document, "size");
  bool truncated = false;
  letter.truncated = document["truncated"].get(truncated) == simdjson::SUCCESS && truncated;
  const std::string_view rest = text.substr(end + 1);
  letter.header = rest.substr(0, number_of(document, "header_size"));
  letter.raw = rest.substr(letter.header.size());
  return letter;
}

std::string encode(const PointRules& rules) {
  std::string text = fmt::format("{}\n{}\n{}", rules.unit_ns, rules.prefix, rules.suffix);
  for (const std::string& tag : rules.device_tags) text.append("\n").append(tag);
  return text;
}

PointRules decode_rules(std::string_view text) {
  PointRules rules;
  const auto next = [&text] {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
  };
  const std::string_view unit = next();
  std::from_chars(unit.data(), unit.data() + unit.size(), rules.unit_ns);
  rules.prefix = next();
  rules.suffix = next();
  while (!text.empty()) rules.device_tags.emplace_back(next());
  return rules;
}

std::string encode_settled(const std::vector<std::uint64_t>& offsets) {
  std::string record;
  json::Writer writer(record);
  writer.begin_object().key("settled").begin_array();
  for (const std::uint64_t offset : offsets) writer.value(offset);
  writer.end_array().end_object();
  return record;
}

std::vector<std::uint64_t> decode_settled(const log::Record& record) {
  std::vector<std::uint64_t> offsets;
  const std::string_view text = as_text(record.value);
  if (!record.key.empty() || !text.starts_with("{\"settled\":")) return offsets;
  simdjson::dom::parser parser;
  simdjson::dom::array list;
  if (parser.parse(text.data(), text.size())["settled"].get(list) != simdjson::SUCCESS) return offsets;
  for (const simdjson::dom::element element : list) {
    std::uint64_t offset = 0;
    if (element.get(offset) == simdjson::SUCCESS) offsets.push_back(offset);
  }
  return offsets;
}

}  // namespace iotstream::ingest
