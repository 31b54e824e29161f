#include "mqtt/wire.hpp"

#include <cstring>
#include <simdjson.h>

namespace iotstream::mqtt {

std::string_view Reader::take(std::size_t size) {
  if (size > rest_.size()) {
    fail();
    return {};
  }
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

std::uint8_t Reader::byte() {
  const std::string_view one = take(1);
  return one.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(one[0]);
}

std::uint16_t Reader::two() {
  const unsigned high = byte();
  return static_cast<std::uint16_t>(high << 8 | byte());
}

std::uint32_t Reader::four() {
  const std::uint32_t high = two();
  return high << 16 | two();
}

std::uint32_t Reader::variable() {
  std::uint32_t number = 0;
  for (unsigned shift = 0; shift < 28; shift += 7) {
    const std::uint8_t next = byte();
    number |= static_cast<std::uint32_t>(next & 0x7F) << shift;
    if ((next & 0x80) != 0) continue;
    if (next == 0 && shift > 0) fail();  // a longer form than needed
    return number;
  }
  fail();
  return 0;
}

std::string_view Reader::text() {
  const std::string_view bytes = binary();
  if (valid_text(bytes)) return bytes;
  fail();
  return {};
}

bool valid_text(std::string_view text) {
  return (text.empty() || std::memchr(text.data(), 0, text.size()) == nullptr) &&
         simdjson::validate_utf8(text.data(), text.size());
}

void append_two(std::string& out, std::uint16_t number) {
  out += static_cast<char>(number >> 8);
  out += static_cast<char>(number & 0xFF);
}

void append_four(std::string& out, std::uint32_t number) {
  append_two(out, static_cast<std::uint16_t>(number >> 16));
  append_two(out, static_cast<std::uint16_t>(number & 0xFFFF));
}

void append_variable(std::string& out, std::uint32_t number) {
  do {
    const std::uint32_t low = number & 0x7F;
    number >>= 7;
    out += static_cast<char>(number > 0 ? low | 0x80 : low);
  } while (number > 0);
}

void append_text(std::string& out, std::string_view text) {
  append_two(out, static_cast<std::uint16_t>(text.size()));
  out += text;
}

Frame next_frame(std::string_view bytes, std::size_t size_max) {
  Frame frame;
  if (bytes.size() < 2) return frame;
  frame.head = static_cast<std::uint8_t>(bytes[0]);
  std::size_t length = 0;
  std::size_t at = 1;
  for (unsigned shift = 0;; shift += 7) {
    if (at == bytes.size()) return frame;
    const auto next = static_cast<std::uint8_t>(bytes[at++]);
    length |= static_cast<std::size_t>(next & 0x7F) << shift;
    if ((next & 0x80) == 0) {
      if (next == 0 && shift > 0) frame.status = Frame::Status::malformed;
      break;
    }
    if (shift == 21) frame.status = Frame::Status::malformed;
    if (frame.status == Frame::Status::malformed) return frame;
  }
  if (frame.status == Frame::Status::malformed) return frame;
  frame.size = at + length;
  if (length > size_max) {
    frame.status = Frame::Status::too_large;
  } else if (bytes.size() >= frame.size) {
    frame.status = Frame::Status::whole;
    frame.body = bytes.substr(at, length);
  }
  return frame;
}

void append_head(std::string& out, std::uint8_t head, std::size_t size) {
  out += static_cast<char>(head);
  append_variable(out, static_cast<std::uint32_t>(size));
}

}  // namespace iotstream::mqtt
