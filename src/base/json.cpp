#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

#include <iotstream/base/assert.hpp>
#include <iotstream/base/json.hpp>
#include <iotstream/base/text.hpp>

namespace iotstream::json {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

/// Bytes that stand in a JSON string as they are, without a look at their neighbours.
constexpr std::array<bool, 256> make_plain() {
  std::array<bool, 256> plain{};
  for (std::size_t byte = 0x20; byte < 0x80; ++byte) plain[byte] = byte != '"' && byte != '\\';
  return plain;
}
constexpr auto plain = make_plain();

void append_escape(std::string& out, char c) {
  constexpr std::string_view hex = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += hex[static_cast<unsigned char>(c) >> 4];
      out += hex[static_cast<unsigned char>(c) & 0xf];
  }
}

template <class Number>
void append_integer(std::string& out, Number number) {
  std::array<char, 24> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  IOTSTREAM_ASSERT(error == std::errc(), "{} does not fit {} characters", number, digits.size());
  out.append(digits.data(), end);
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t run = at;
    while (at < text.size() && plain[static_cast<unsigned char>(text[at])]) ++at;
    out.append(text, run, at - run);
    if (at == text.size()) break;
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      append_escape(out, text[at++]);
    } else if (const std::size_t length = utf8_length(text.substr(at)); length != 0) {
      out.append(text, at, length);
      at += length;
    } else {
      out += replacement;
      ++at;
    }
  }
  out += '"';
}

void append_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  // Left to itself to_chars writes 100000 as 1e+05, and 4.6e20 with all 21 digits of its exact value, which are not the
  // shortest: people and most programs write the first out, and the exponent is kept for those that would be mostly zeros.
  const double size = std::fabs(number);
  const bool fixed = number == 0 || (size >= 1e-5 && size < 1e16);
  std::array<char, 32> digits;
  char* const last = digits.data() + digits.size();
  const auto [end, error] =
      std::to_chars(digits.data(), last, number, fixed ? std::chars_format::fixed : std::chars_format::scientific);
  IOTSTREAM_ASSERT(error == std::errc(), "{} does not fit {} characters", number, digits.size());
  out.append(digits.data(), end);
}

void append_number(std::string& out, std::int64_t number) { append_integer(out, number); }
void append_number(std::string& out, std::uint64_t number) { append_integer(out, number); }

void Writer::separate() {
  if (comma_) out_ += ',';
  comma_ = true;
}

Writer& Writer::open(char bracket) {
  separate();
  out_ += bracket;
  comma_ = false;
  return *this;
}

Writer& Writer::close(char bracket) {
  out_ += bracket;
  comma_ = true;
  return *this;
}

Writer& Writer::key(std::string_view name) {
  separate();
  append_string(out_, name);
  out_ += ':';
  comma_ = false;
  return *this;
}

Writer& Writer::value(std::string_view text) {
  separate();
  append_string(out_, text);
  return *this;
}

Writer& Writer::value(double number) {
  separate();
  append_number(out_, number);
  return *this;
}

Writer& Writer::value(std::int64_t number) {
  separate();
  append_number(out_, number);
  return *this;
}

Writer& Writer::value(std::uint64_t number) {
  separate();
  append_number(out_, number);
  return *this;
}

Writer& Writer::value(bool truth) { return raw(truth ? "true" : "false"); }
Writer& Writer::null() { return raw("null"); }

Writer& Writer::raw(std::string_view json_text) {
  separate();
  out_ += json_text;
  return *this;
}

}  // namespace iotstream::json
