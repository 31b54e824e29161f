#include "ingest/point_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <simdjson.h>

#include <fmt/format.h>

namespace iotstream::ingest {
namespace {

using model::ValueKind;

bool digit(char c) { return c >= '0' && c <= '9'; }

/// `-12`, `.5`, `5.`, `1e3`: what InfluxDB takes for a number. `integer`: digits and a sign only.
bool looks_like_number(std::string_view text, bool integer) {
  std::size_t i = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  std::size_t digits = 0;
  for (; i < text.size() && digit(text[i]); ++i) ++digits;
  if (integer) return digits > 0 && i == text.size();
  if (i < text.size() && text[i] == '.')
    for (++i; i < text.size() && digit(text[i]); ++i) ++digits;
  if (digits == 0) return false;
  if (i == text.size()) return true;
  if (text[i] != 'e' && text[i] != 'E') return false;
  ++i;
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
  return i < text.size() && std::all_of(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), digit);
}

std::string_view without_plus(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  return text;
}

bool read_integer(std::string_view text, model::Value& value) {
  if (!looks_like_number(text, true)) return false;
  text = without_plus(text);
  value.kind = ValueKind::integer;
  return std::from_chars(text.data(), text.data() + text.size(), value.integer).ec == std::errc();
}

// Beyond int64 its digits are kept: it is read back as what it was.
bool read_unsigned(std::string_view text, model::Value& value) {
  if (text.empty() || !std::all_of(text.begin(), text.end(), digit)) return false;
  std::uint64_t number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc()) return false;
  if (number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return read_integer(text, value);
  value.kind = ValueKind::decimal;
  value.text = text.substr(std::min(text.find_first_not_of('0'), text.size()));
  return true;
}

bool read_real(std::string_view text, model::Value& value) {
  if (!looks_like_number(text, false)) return false;
  text = without_plus(text);
  value.kind = ValueKind::real;
  return std::from_chars(text.data(), text.data() + text.size(), value.real).ec == std::errc() && std::isfinite(value.real);
}

bool read_boolean(std::string_view text, model::Value& value) {
  const bool yes = text == "t" || text == "T" || text == "true" || text == "True" || text == "TRUE";
  const bool no = text == "f" || text == "F" || text == "false" || text == "False" || text == "FALSE";
  value.kind = yes ? ValueKind::true_ : ValueKind::false_;
  return yes || no;
}

bool is_boolean_letter(char c) { return c == 't' || c == 'T' || c == 'f' || c == 'F'; }

}  // namespace

std::size_t point_end(std::string_view text, std::size_t at) {
  const std::size_t end = std::min(text.find('\n', at), text.size());
  if (text.substr(at, end - at).find('"') == std::string_view::npos) return end;
  // A quote opens a text only as a field's value; elsewhere it is a character.
  bool fields = false;
  bool quoted = false;
  char before = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\\' && at + 1 < text.size() && text[at + 1] != '\n') {
      ++at;
      before = 0;
      continue;
    }
    if (quoted) {
      quoted = c != '"';
    } else {
      if (c == '\n') return at;
      if (c == ' ') fields = true;
      quoted = fields && c == '"' && before == '=';
    }
    before = c;
  }
  return quoted ? std::string_view::npos : at;
}

Problem PointReader::problem(std::string_view reason, ErrorKind kind) const {
  constexpr std::size_t shown_max = 200;
  const std::string_view shown = line_.substr(0, shown_max);
  return {kind, fmt::format("unable to parse '{}{}': {}", shown, line_.size() > shown_max ? "…" : "", reason), std::nullopt};
}

/// Up to one of `ends` that is not escaped, as it is meant; what follows stands at at_.
std::string_view PointReader::word(std::string_view ends, bool equals) {
  const std::size_t begin = at_;
  bool escaped = false;
  while (at_ < line_.size() && ends.find(line_[at_]) == std::string_view::npos) {
    const char next = line_[at_] == '\\' && at_ + 1 < line_.size() ? line_[at_ + 1] : '\0';
    const bool escape = next == ',' || next == ' ' || (equals && next == '=');
    escaped = escaped || escape;
    at_ += escape ? 2 : 1;
  }
  const std::string_view raw = line_.substr(begin, at_ - begin);
  return escaped ? keep(raw, equals) : raw;
}

/// Without the backslashes that stand before a comma, a blank or (where that has a meaning) an equals sign.
std::string_view PointReader::keep(std::string_view raw, bool equals) {
  const std::size_t begin = unescaped_.size();
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const char next = raw[i] == '\\' && i + 1 < raw.size() ? raw[i + 1] : '\0';
    if (next == ',' || next == ' ' || (equals && next == '=')) ++i;
    unescaped_ += raw[i];
  }
  return std::string_view(unescaped_).substr(begin);
}

std::optional<Problem> PointReader::read(std::string_view line, const PointRules& rules, const JsonReader::Pick& pick,
                                         Encoder*& encoder) {
  line_ = line;
  at_ = 0;
  encoder = nullptr;
  if (line.size() > reading_size_max)
    return Problem{ErrorKind::too_large, fmt::format("the point has more than {} bytes", reading_size_max), std::nullopt};
  if (!simdjson::validate_utf8(line.data(), line.size())) return problem("a byte that is not UTF-8");
  unescaped_.clear();
  unescaped_.reserve(line.size());
  if (auto wrong = read_key(rules, pick, encoder)) return wrong;
  if (auto wrong = read_fields(*encoder)) return wrong;
  if (auto wrong = read_time(rules, *encoder)) return wrong;
  choose_device(rules, *encoder);
  return std::nullopt;
}

/// Measurement and tags.
std::optional<Problem> PointReader::read_key(const PointRules& rules, const JsonReader::Pick& pick, Encoder*& encoder) {
  const std::string_view measurement = word(", ", false);
  if (measurement.empty()) return problem("missing measurement");
  dataset_.assign(rules.prefix).append(measurement).append(rules.suffix);
  Result<Encoder*> picked = pick(dataset_);
  if (!picked) return Problem{picked.error().kind, picked.error().message, std::nullopt};
  encoder = *picked;
  encoder->begin();
  tags_.clear();
  previous_ = nullptr;
  while (at_ < line_.size() && line_[at_] == ',') {
    ++at_;
    if (auto wrong = read_tag(*encoder)) return wrong;
  }
  return std::nullopt;
}

std::optional<Problem> PointReader::read_tag(Encoder& encoder) {
  Tag tag;
  tag.name = word(",= ", true);
  if (tag.name.empty()) return problem("missing tag key");
  if (at_ == line_.size() || line_[at_] != '=') return problem("missing tag value");
  ++at_;
  tag.value = word(", =", true);
  if (tag.value.empty()) return problem("missing tag value");
  if (at_ < line_.size() && line_[at_] == '=') return problem("invalid tag format");
  const auto same = [&](const Tag& other) { return other.name == tag.name; };
  if (std::any_of(tags_.begin(), tags_.end(), same)) return problem("duplicate tags");
  model::Value value;
  value.kind = ValueKind::text;
  value.text = tag.value;
  if (auto wrong = set(encoder, tag.name, value)) return wrong;
  tags_.push_back(tag);
  return std::nullopt;
}

std::optional<Problem> PointReader::set(Encoder& encoder, std::string_view name, const model::Value& value) {
  Level& top = encoder.members().top();
  Member* expected = previous_ ? previous_->successor : top.first;
  Member* member = expected && expected->name == name ? expected : &encoder.members().find(top, previous_, name);
  if (!member->problem.empty()) return problem(member->problem, ErrorKind::unprocessable);
  previous_ = member;
  encoder.place(*member) = value;
  return std::nullopt;
}

std::optional<Problem> PointReader::read_fields(Encoder& encoder) {
  while (at_ < line_.size() && line_[at_] == ' ') ++at_;
  if (at_ == line_.size()) return problem("missing fields");
  for (;;) {
    if (auto wrong = read_field(encoder)) return wrong;
    if (at_ == line_.size() || line_[at_] != ',') break;
    ++at_;
  }
  return std::nullopt;
}

std::optional<Problem> PointReader::read_field(Encoder& encoder) {
  std::string_view name = word(",= ", true);
  if (at_ == line_.size() || line_[at_] != '=') return problem(name.empty() ? "missing field key" : "invalid field format");
  if (name.empty()) return problem("missing field key");
  ++at_;
  model::Value value;
  if (auto wrong = read_value(value)) return wrong;
  // InfluxDB allows a tag and a field of one name; here a reading has one member of a name, so the field's gets a tail.
  if (std::any_of(tags_.begin(), tags_.end(), [&](const Tag& tag) { return tag.name == name; })) {
    second_name_.assign(name).append("_field");
    name = second_name_;
  }
  return set(encoder, name, value);
}

std::optional<Problem> PointReader::read_value(model::Value& value) {
  if (at_ == line_.size() || line_[at_] == ',' || line_[at_] == ' ') return problem("missing field value");
  if (line_[at_] == '"') return read_text(value);
  const std::size_t end = std::min(line_.find_first_of(", ", at_), line_.size());
  const std::string_view text = line_.substr(at_, end - at_);
  at_ = end;
  if (is_boolean_letter(text[0])) {
    if (read_boolean(text, value)) return std::nullopt;
    return problem("invalid boolean");
  }
  const std::string_view digits = text.substr(0, text.size() - 1);
  const bool read = text.back() == 'i'   ? read_integer(digits, value)
                    : text.back() == 'u' ? read_unsigned(digits, value)
                                         : read_real(text, value);
  if (read) return std::nullopt;
  return problem("invalid number");
}

std::optional<Problem> PointReader::read_text(model::Value& value) {
  const std::size_t begin = ++at_;
  bool escaped = false;
  while (at_ < line_.size() && line_[at_] != '"') {
    const bool escape = line_[at_] == '\\' && at_ + 1 < line_.size() && (line_[at_ + 1] == '"' || line_[at_ + 1] == '\\');
    escaped = escaped || escape;
    at_ += escape ? 2 : 1;
  }
  if (at_ >= line_.size()) return problem("unbalanced quotes");
  value.kind = ValueKind::text;
  value.text = line_.substr(begin, at_ - begin);
  ++at_;
  if (at_ < line_.size() && line_[at_] != ',' && line_[at_] != ' ') return problem("invalid field format");
  if (!escaped) return std::nullopt;
  const std::size_t kept = unescaped_.size();
  for (std::size_t i = 0; i < value.text.size(); ++i) {
    if (value.text[i] == '\\' && i + 1 < value.text.size() && (value.text[i + 1] == '"' || value.text[i + 1] == '\\')) ++i;
    unescaped_ += value.text[i];
  }
  value.text = std::string_view(unescaped_).substr(kept);
  return std::nullopt;
}

std::optional<Problem> PointReader::read_time(const PointRules& rules, Encoder& encoder) {
  while (at_ < line_.size() && line_[at_] == ' ') ++at_;
  const std::string_view text = line_.substr(at_);
  if (text.empty()) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end != text.data() + text.size() || (error != std::errc() && error != std::errc::result_out_of_range))
    return problem("bad timestamp");
  std::int64_t ns = 0;
  if (error != std::errc() || __builtin_mul_overflow(number, rules.unit_ns, &ns)) return problem("time outside range");
  // To the microsecond below, also before 1970.
  encoder.set_time(Timestamp{ns / 1000 - (ns % 1000 < 0 ? 1 : 0)});
  return std::nullopt;
}

void PointReader::choose_device(const PointRules& rules, Encoder& encoder) {
  if (tags_.empty()) return;
  for (const std::string& name : rules.device_tags) {
    const auto found = std::find_if(tags_.begin(), tags_.end(), [&](const Tag& tag) { return tag.name == name; });
    if (found != tags_.end()) return encoder.set_device(found->value);
  }
  device_.clear();
  for (const Tag& tag : tags_) device_.append(device_.empty() ? "" : ",").append(tag.name).append("=").append(tag.value);
  encoder.set_device(device_);
}

}  // namespace iotstream::ingest
