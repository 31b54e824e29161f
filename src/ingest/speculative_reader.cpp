#include "ingest/speculative_reader.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <simdjson.h>

#include <iotstream/ingest/gate.hpp>
#include <iotstream/model/number.hpp>

namespace iotstream::ingest {
namespace {

using model::ValueKind;

constexpr unsigned misses_max = 6;

constexpr std::uint64_t in_each_byte(std::uint64_t byte) { return byte * 0x0101010101010101u; }

/// The highest bit of each byte that is zero; of bytes behind the first such one it may lie. S. E. Anderson, "Bit Twiddling
/// Hacks".
constexpr std::uint64_t zero_bytes(std::uint64_t word) { return (word - in_each_byte(1)) & ~word & in_each_byte(0x80); }

/// Whether one of eight bytes is a quote, a backslash, a control character or none of ASCII.
bool is_special(std::uint64_t word) {
  const std::uint64_t control = (word - in_each_byte(0x20)) & ~word & in_each_byte(0x80);
  return ((word & in_each_byte(0x80)) | control | zero_bytes(word ^ in_each_byte('"')) |
          zero_bytes(word ^ in_each_byte('\\'))) != 0;
}

/// The closing quote of the string that begins at `at`, when its bytes stand for themselves; else nullptr.
const char* plain_string_end(const char* at, const char* end) {
  const char* const begin = at;
  bool ascii = true;
  for (;;) {
    for (std::uint64_t word = 0; end - at >= 8; at += 8) {
      std::memcpy(&word, at, 8);
      if (is_special(word)) break;
    }
    const char* const here = at + std::min<std::ptrdiff_t>(8, end - at);
    for (; at != here; ++at) {
      const auto byte = static_cast<unsigned char>(*at);
      if (byte == '"') {
        const bool valid = ascii || simdjson::validate_utf8(begin, static_cast<std::size_t>(at - begin));
        return valid ? at : nullptr;
      }
      if (byte < 0x20 || byte == '\\') return nullptr;
      ascii = ascii && byte < 0x80;
    }
    if (at == end) return nullptr;
  }
}

bool take(const char*& at, const char* end, std::string_view what) {
  if (static_cast<std::size_t>(end - at) < what.size() || std::memcmp(at, what.data(), what.size()) != 0) return false;
  at += what.size();
  return true;
}

/// As many writers put one behind a colon and a comma.
void pass_blank(const char*& at, const char* end) {
  if (at != end && *at == ' ') ++at;
}

bool take_word(const char*& at, const char* end, std::string_view word, ValueKind kind, model::Value& out) {
  out.kind = kind;
  return take(at, end, word);
}

bool scalar(const char*& at, const char* end, model::Value& out) {
  switch (*at) {
    case '"': {
      const char* const begin = ++at;
      const char* const quote = plain_string_end(begin, end);
      if (quote == nullptr) return false;
      out.kind = ValueKind::text;
      out.text = {begin, static_cast<std::size_t>(quote - begin)};
      at = quote + 1;
      return true;
    }
    case 't':
      return take_word(at, end, "true", ValueKind::true_, out);
    case 'f':
      return take_word(at, end, "false", ValueKind::false_, out);
    case 'n':
      return take_word(at, end, "null", ValueKind::null, out);
    default: {
      const std::size_t length = model::take_number({at, static_cast<std::size_t>(end - at)}, out);
      at += length;
      return length > 0;
    }
  }
}

}  // namespace

bool SpeculativeReader::value(const char*& at, const char* end, Encoder& encoder, Member& member, unsigned depth) {
  if (at == end) return false;
  if (*at == '{') return depth < depth_max && object(at, end, encoder, encoder.members().below(member), depth + 1);
  return scalar(at, end, encoder.place(member));
}

/// Of an object with members; an empty one is a value, which JsonReader knows.
bool SpeculativeReader::object(const char*& at, const char* end, Encoder& encoder, Level& level, unsigned depth) {
  Member* previous = nullptr;
  char before = '{';
  for (;;) {
    if (!take(at, end, {&before, 1})) return false;
    if (before == ',') pass_blank(at, end);
    if (!take(at, end, "\"")) return false;
    Member* const member = level.expected(previous, at, end);
    if (member == nullptr) return false;
    at += member->name.size() + 1;
    if (!take(at, end, ":")) return false;
    pass_blank(at, end);
    if (!value(at, end, encoder, *member, depth)) return false;
    previous = member;
    before = ',';
    if (take(at, end, "}")) return true;
  }
}

bool SpeculativeReader::read(std::string_view text, Encoder& encoder) {
  if (pause_ > 0) {
    --pause_;
    return false;
  }
  encoder.begin();
  const char* at = text.data();
  const char* const end = at + text.size();
  if (text.size() <= reading_size_max && object(at, end, encoder, encoder.members().top(), 1) && at == end) {
    misses_ = 0;
    return true;
  }
  misses_ = std::min(misses_ + 1, misses_max);
  pause_ = (1u << misses_) - 2;
  return false;
}

}  // namespace iotstream::ingest
