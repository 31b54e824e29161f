#include "ingest/json_reader.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include <iotstream/base/text.hpp>
#include <iotstream/ingest/gate.hpp>
#include <iotstream/model/number.hpp>

#include "ingest/pieces.hpp"
#include "ingest/place.hpp"

namespace iotstream::ingest {
namespace {

using model::ValueKind;
using simdjson::error_code;
using simdjson::ondemand::json_type;

constexpr std::string_view follows = "something follows the reading";
constexpr std::size_t parser_size_min = 4096;
constexpr std::size_t parser_size_kept = 64u << 10;

std::string_view sentence(error_code error) {
  switch (error) {
    case simdjson::UTF8_ERROR:
      return "a byte that is not UTF-8";
    case simdjson::UNCLOSED_STRING:
      return "a string is not closed";
    case simdjson::UNESCAPED_CHARS:
      return "a control character in a string must be escaped";
    case simdjson::STRING_ERROR:
      return "a wrong escape in a string";
    case simdjson::T_ATOM_ERROR:
    case simdjson::F_ATOM_ERROR:
    case simdjson::N_ATOM_ERROR:
      return "neither true, false nor null";
    case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
      return "an object or array is not closed";
    case simdjson::EMPTY:
      return "nothing where a reading should be";
    default:
      return "malformed JSON";
  }
}

// The first raw control character inside a string; stage 1 of the parser says only that there is one.
std::size_t first_control_in_string(std::string_view text) {
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') inside = !inside;
    if (inside && text[i] == '\\') ++i;
    if (inside && i < text.size() && static_cast<unsigned char>(text[i]) < 0x20) return i;
  }
  return text.size();
}

bool valid_scalar(std::string_view text) {
  model::Value ignored;
  return text == "true" || text == "false" || text == "null" || model::read_number(text, ignored) ||
         (text.size() >= 2 && text[0] == '"' && string_end(text, 1) == text.size());
}

}  // namespace

std::string_view JsonReader::padded(std::string_view text, std::string_view body) {
  const auto behind = static_cast<std::size_t>(body.data() + body.size() - (text.data() + text.size()));
  if (behind >= simdjson::SIMDJSON_PADDING) return text;
  copy_.reserve(std::bit_ceil(text.size() + simdjson::SIMDJSON_PADDING));
  copy_.assign(text);
  copy_.append(simdjson::SIMDJSON_PADDING, ' ');
  return std::string_view(copy_).substr(0, text.size());
}

Problem JsonReader::problem_at(const char* at, ErrorKind kind, std::string reason) const {
  const bool within = at >= text_.data() && at <= text_.data() + text_.size();
  return {kind, std::move(reason), within ? std::optional(static_cast<std::size_t>(at - text_.data())) : std::nullopt};
}

Problem JsonReader::malformed(error_code error) {
  const char* at = nullptr;
  if (error == simdjson::UTF8_ERROR)
    at = text_.data() + first_invalid_utf8(text_);
  else if (error == simdjson::UNESCAPED_CHARS)
    at = text_.data() + first_control_in_string(text_);
  else if (!document_ || document_->current_location().get(at))
    at = text_.data() + text_.size();
  return problem_at(at, ErrorKind::invalid, std::string(sentence(error)));
}

std::optional<Problem> JsonReader::open(std::string_view text, std::string_view body, Document& document, Object& object) {
  text_ = text;
  document_ = nullptr;
  json_.clear();
  dataset_ = {};
  late_data_.reset();
  if (text.size() > reading_size_max)
    return Problem{ErrorKind::too_large, fmt::format("the reading has more than {} bytes", reading_size_max), std::nullopt};
  if (text.empty()) return malformed(simdjson::EMPTY);
  if (text[0] != '{') {
    if (text[0] != '[' && !valid_scalar(text)) return malformed(simdjson::TAPE_ERROR);
    return problem_at(text.data(), ErrorKind::unprocessable, "a reading must be a JSON object");
  }
  text_ = padded(text, body);
  if (parser_.capacity() < text.size()) {
    const std::size_t capacity = std::max(parser_size_min, std::bit_ceil(text.size()));
    if (const auto error = parser_.allocate(capacity)) return malformed(error);
  }
  if (const auto error = parser_.iterate(text_.data(), text_.size(), text_.size() + simdjson::SIMDJSON_PADDING).get(document))
    return malformed(error);
  document_ = &document;
  if (const auto error = document.get_object().get(object)) return unbalanced(error);
  return std::nullopt;
}

// The parser looks at the last bracket first: it does not know whether one is missing or something follows.
Problem JsonReader::unbalanced(error_code error) const {
  const std::size_t end = std::min(value_end(text_, 0), text_.size());
  if (end < text_.size()) return problem_at(text_.data() + end, ErrorKind::invalid, std::string(follows));
  return problem_at(text_.data() + end, ErrorKind::invalid, std::string(sentence(error)));
}

std::optional<Problem> JsonReader::close(Document& document) {
  const char* at = nullptr;
  if (document.current_location().get(at) == simdjson::OUT_OF_BOUNDS) return std::nullopt;
  return problem_at(at, ErrorKind::invalid, std::string(follows));
}

std::optional<Problem> JsonReader::read(std::string_view text, std::string_view body, Encoder& encoder) {
  if (speculation_.read(text, encoder)) return std::nullopt;
  Document document;
  Object object;
  std::optional<Problem> problem = open(text, body, document, object);
  if (!problem) problem = read_padded(encoder, document, object);
  document_ = nullptr;
  return problem;
}

std::optional<Problem> JsonReader::read_padded(Encoder& encoder, Document& document, Object& object) {
  encoder.begin();
  bool any = false;
  if (auto problem = members(object, encoder, encoder.members().top(), 1, any)) return problem;
  return close(document);
}

std::optional<Problem> JsonReader::members(Object& object, Encoder& encoder, Level& level, unsigned depth, bool& any) {
  Member* previous = nullptr;
  for (auto result : object) {
    Field field;
    if (const auto error = std::move(result).get(field)) return malformed(error);
    any = true;
    if (auto problem = member(field, encoder, level, previous, depth)) return problem;
  }
  return std::nullopt;
}

std::optional<Problem> JsonReader::member(Field& field, Encoder& encoder, Level& level, Member*& previous, unsigned depth) {
  const char* raw = field.key().raw();
  Member* member = level.expected(previous, raw, text_.data() + text_.size());
  if (!member) {
    std::string_view name;
    if (const auto error = field.unescaped_key().get(name)) return malformed(error);
    member = &encoder.members().find(level, previous, name);
    if (!member->problem.empty()) return problem_at(raw, ErrorKind::unprocessable, member->problem);
  }
  previous = member;
  JsonValue& value = field.value();
  json_type type{};
  if (const auto error = value.type().get(type)) return malformed(error);
  if (type == json_type::object) return object_member(value, encoder, *member, depth + 1);
  model::Value& out = encoder.place(*member);
  if (type == json_type::array) {
    const std::size_t begin = json_.size();
    json_.reserve(text_.size());
    if (auto problem = append_array(value, depth + 1)) return problem;
    out.kind = ValueKind::json;
    out.text = std::string_view(json_).substr(begin);
  } else if (auto problem = scalar(value, type, out)) {
    return problem;
  }
  return std::nullopt;
}

std::optional<Problem> JsonReader::object_member(JsonValue& value, Encoder& encoder, Member& member, unsigned depth) {
  if (depth > depth_max)
    return problem_at(value.raw_json_token().data(), ErrorKind::unprocessable,
                      fmt::format("nested deeper than {} levels", depth_max));
  Object object;
  if (const auto error = value.get_object().get(object)) return malformed(error);
  bool any = false;
  if (auto problem = members(object, encoder, encoder.members().below(member), depth, any)) return problem;
  if (any) return std::nullopt;
  model::Value& empty = encoder.place(member);
  empty.kind = ValueKind::json;
  empty.text = "{}";
  return std::nullopt;
}

std::optional<Problem> JsonReader::scalar(JsonValue& value, json_type type, model::Value& out) {
  if (type == json_type::number) {
    const std::string_view literal = trimmed(value.raw_json_token());
    if (model::read_number(literal, out)) return std::nullopt;
    return problem_at(literal.data(), ErrorKind::invalid, "not a number as JSON writes them");
  }
  if (type == json_type::string) {
    out.kind = ValueKind::text;
    return string(value, out.text);
  }
  bool truth = false;
  const bool null = type == json_type::null;
  const char* at = value.raw_json_token().data();
  const auto error = null ? value.is_null().get(truth) : value.get_bool().get(truth);
  if (error || (null && !truth)) return problem_at(at, ErrorKind::invalid, std::string(sentence(simdjson::N_ATOM_ERROR)));
  out.kind = null ? ValueKind::null : truth ? ValueKind::true_ : ValueKind::false_;
  return std::nullopt;
}

std::optional<Problem> JsonReader::string(JsonValue& value, std::string_view& out) {
  const char* raw = value.raw_json_token().data();
  if (const auto error = value.get_string().get(out)) return problem_at(raw, ErrorKind::invalid, std::string(sentence(error)));
  return std::nullopt;
}

std::optional<Problem> JsonReader::append(JsonValue& value, unsigned depth) {
  json_type type{};
  if (const auto error = value.type().get(type)) return malformed(error);
  if (type == json_type::array) return append_array(value, depth + 1);
  if (type == json_type::object) return append_object(value, depth + 1);
  const std::string_view token = trimmed(value.raw_json_token());
  model::Value checked;
  if (auto problem = scalar(value, type, checked)) return problem;
  json_ += token;
  return std::nullopt;
}

std::optional<Problem> JsonReader::append_array(JsonValue& value, unsigned depth) {
  if (depth > depth_max)
    return problem_at(value.raw_json_token().data(), ErrorKind::unprocessable,
                      fmt::format("nested deeper than {} levels", depth_max));
  simdjson::ondemand::array array;
  if (const auto error = value.get_array().get(array)) return malformed(error);
  json_ += '[';
  bool comma = false;
  for (auto result : array) {
    JsonValue element;
    if (const auto error = std::move(result).get(element)) return malformed(error);
    if (std::exchange(comma, true)) json_ += ',';
    if (auto problem = append(element, depth)) return problem;
  }
  json_ += ']';
  return std::nullopt;
}

std::optional<Problem> JsonReader::append_object(JsonValue& value, unsigned depth) {
  if (depth > depth_max)
    return problem_at(value.raw_json_token().data(), ErrorKind::unprocessable,
                      fmt::format("nested deeper than {} levels", depth_max));
  Object object;
  if (const auto error = value.get_object().get(object)) return malformed(error);
  json_ += '{';
  bool comma = false;
  for (auto result : object) {
    Field field;
    if (const auto error = std::move(result).get(field)) return malformed(error);
    if (std::exchange(comma, true)) json_ += ',';
    if (auto problem = append_field(field, depth)) return problem;
  }
  json_ += '}';
  return std::nullopt;
}

std::optional<Problem> JsonReader::append_field(Field& field, unsigned depth) {
  const auto begin = static_cast<std::size_t>(field.key().raw() - text_.data());
  const std::size_t end = string_end(text_, begin);
  std::string_view name;
  if (const auto error = field.unescaped_key().get(name)) return malformed(error);
  if (end == std::string_view::npos) return malformed(simdjson::UNCLOSED_STRING);
  json_ += text_.substr(begin - 1, end - begin + 1);
  json_ += ':';
  return append(field.value(), depth);
}

std::optional<Problem> JsonReader::read_envelope(std::string_view text, std::string_view body, const Pick& pick,
                                                 Encoder*& encoder) {
  Document document;
  Object object;
  encoder = nullptr;
  std::optional<Problem> problem = open(text, body, document, object);
  if (!problem) {
    for (auto result : object) {
      Field field;
      if (const auto error = std::move(result).get(field))
        problem = malformed(error);
      else
        problem = envelope_member(field, pick, encoder);
      if (problem) break;
    }
  }
  if (!problem) problem = close(document);
  if (!problem && late_data_) problem = late_data(body, pick, encoder);
  document_ = nullptr;
  if (problem || encoder) return problem;
  const char* missing = dataset_.empty() ? "DatasetType" : "data";
  return Problem{ErrorKind::unprocessable, fmt::format("the reading has no {}", missing), std::nullopt};
}

std::optional<Problem> JsonReader::envelope_member(Field& field, const Pick& pick, Encoder*& encoder) {
  const char* raw = field.key().raw();
  std::string_view name;
  if (const auto error = field.unescaped_key().get(name)) return malformed(error);
  JsonValue& value = field.value();
  json_type type{};
  if (const auto error = value.type().get(type)) return malformed(error);

  if (name == "DatasetType") {
    if (type == json_type::string) return string(value, dataset_);
    model::Value number;
    if (type == json_type::number)
      if (auto problem = scalar(value, type, number)) return problem;
    if (number.kind != ValueKind::integer) return problem_at(raw, ErrorKind::unprocessable, "DatasetType must be a text");
    dataset_ = number.text;
    return std::nullopt;
  }
  if (name != "data") {
    const std::size_t begin = json_.size();
    json_.reserve(text_.size());
    auto problem = append(value, 1);
    json_.resize(begin);
    return problem;
  }
  if (type != json_type::object) return problem_at(raw, ErrorKind::unprocessable, "data must be an object");
  if (dataset_.empty()) {
    const auto begin = static_cast<std::size_t>(value.raw_json_token().data() - text_.data());
    const std::size_t end = value_end(text_, begin);
    if (end == std::string_view::npos) return malformed(simdjson::INCOMPLETE_ARRAY_OR_OBJECT);
    late_data_ = text_.substr(begin, end - begin);
    return std::nullopt;
  }
  Result<Encoder*> picked = pick(dataset_);
  if (!picked) return Problem{picked.error().kind, picked.error().message, std::nullopt};
  encoder = *picked;
  encoder->begin();
  Object data;
  if (const auto error = value.get_object().get(data)) return malformed(error);
  bool any = false;
  return members(data, *encoder, encoder->members().top(), 1, any);
}

std::optional<Problem> JsonReader::late_data(std::string_view body, const Pick& pick, Encoder*& encoder) {
  if (dataset_.empty()) return Problem{ErrorKind::unprocessable, "the reading has no DatasetType", std::nullopt};
  Result<Encoder*> picked = pick(dataset_);
  if (!picked) return Problem{picked.error().kind, picked.error().message, std::nullopt};
  encoder = *picked;
  if (!second_) second_ = std::make_unique<JsonReader>();
  const bool copied = text_.data() == copy_.data();
  const std::size_t begin = static_cast<std::size_t>(late_data_->data() - text_.data());
  auto problem = second_->read(*late_data_, copied ? std::string_view(copy_) : body, *encoder);
  if (problem && problem->offset) *problem->offset += begin;
  return problem;
}

void JsonReader::shrink() {
  if (parser_.capacity() > parser_size_kept) parser_ = simdjson::ondemand::parser();
  if (copy_.capacity() > parser_size_kept) copy_ = {};
  if (json_.capacity() > parser_size_kept) json_ = {};
  if (second_) second_->shrink();
}

}  // namespace iotstream::ingest
