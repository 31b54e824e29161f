#include <array>
#include <charconv>
#include <cmath>

#include <iotstream/base/json.hpp>

namespace iotstream::json {

namespace {

/// Length of the UTF-8 sequence that begins at text[at], or 0 when it is none (RFC 3629: no overlong forms, no surrogates).
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return 0;
  }
  const unsigned char second = byte(at + 1);
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
  if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
  return length;
}

void append_escaped(std::string& out, unsigned char byte) {
  constexpr char hex[] = "0123456789abcdef";
  switch (byte) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
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
      out += hex[byte >> 4];
      out += hex[byte & 15];
  }
}

template <class Number>
void append_digits(std::string& out, Number number) {
  std::array<char, 32> digits;
  const auto [end, code] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end);
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;  // where the run of bytes begins that can be copied as they are
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const std::size_t length = sequence_length(text, at);
    if (length > 0 && byte >= 0x20 && byte != '"' && byte != '\\') {
      at += length;
      continue;
    }
    out.append(text, plain, at - plain);
    length == 0 ? static_cast<void>(out += "\xef\xbf\xbd") : append_escaped(out, byte);
    plain = ++at;
  }
  out.append(text, plain);
  out += '"';
}

void append_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  append_digits(out, number);
}
void append_number(std::string& out, std::int64_t number) { append_digits(out, number); }
void append_number(std::string& out, std::uint64_t number) { append_digits(out, number); }

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
Writer& Writer::value(bool truth) {
  separate();
  out_ += truth ? "true" : "false";
  return *this;
}
Writer& Writer::null() {
  separate();
  out_ += "null";
  return *this;
}
Writer& Writer::raw(std::string_view json_text) {
  separate();
  out_ += json_text;
  return *this;
}

}  // namespace iotstream::json
