#include "net/websocket_frame.hpp"

#include <catch2/catch.hpp>

using namespace iotstream::net;

namespace {

using Kind = FrameDecoder::Kind;

struct Seen {
  Kind kind;
  bool binary;
  std::uint16_t code;
  std::string bytes;
  bool operator==(const Seen&) const = default;
};

constexpr Mask mask{'\x37', '\xfa', '\x21', '\x3d'};

std::string frame(unsigned first_byte, std::string_view payload) {
  std::string out;
  append_frame_header(out, Opcode::text, payload.size(), mask);
  out[0] = static_cast<char>(first_byte);
  const std::size_t at = out.size();
  out += payload;
  apply_mask(out.data() + at, payload.size(), mask, 0);
  return out;
}

std::vector<Seen> decode(const std::string& text, const std::vector<std::size_t>& cuts = {}, std::size_t limit = 1 << 20) {
  FrameDecoder decoder(true, limit);
  std::vector<Seen> seen;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const std::size_t end = i < cuts.size() ? cuts[i] : text.size();
    std::string_view bytes = std::string_view(text).substr(begin, end - begin);
    begin = end;
    while (true) {
      const auto item = decoder.next(bytes);
      if (item.kind == Kind::more) break;
      seen.push_back({item.kind, item.binary, item.code, std::string(item.bytes)});
      if (item.kind == Kind::error) return seen;
    }
  }
  return seen;
}

std::uint16_t error_of(const std::string& text, std::size_t limit = 1 << 20) {
  const auto seen = decode(text, {}, limit);
  return !seen.empty() && seen.back().kind == Kind::error ? seen.back().code : 0;
}

}  // namespace

TEST_CASE("RFC 6455's own examples are read and written") {
  CHECK(decode(std::string("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11)) ==
        std::vector<Seen>{{Kind::message, false, 0, "Hello"}});
  std::string out;
  append_frame_header(out, Opcode::text, 5);
  CHECK(out == std::string("\x81\x05", 2));
  out.clear();
  append_frame_header(out, Opcode::binary, 256);
  CHECK(out == std::string("\x82\x7E\x01\x00", 4));
  out.clear();
  append_frame_header(out, Opcode::binary, 65536);
  CHECK(out == std::string("\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00", 10));
}

TEST_CASE("messages come out the same wherever the bytes are cut, control frames between fragments") {
  const std::string text = frame(0x01, "Hel") + frame(0x89, "ping") + frame(0x00, "") + frame(0x80, "lo €") +
                           frame(0x82, std::string(300, '\xff')) + frame(0x8A, "") +
                           frame(0x88, std::string("\x03\xe8", 2) + "bye");
  const std::vector<Seen> expected{{Kind::ping, true, 0, "ping"},
                                   {Kind::message, false, 0, "Hello €"},
                                   {Kind::message, true, 0, std::string(300, '\xff')},
                                   {Kind::pong, true, 0, ""},
                                   {Kind::close, false, 1000, "bye"}};
  REQUIRE(decode(text) == expected);
  for (std::size_t cut = 1; cut < text.size(); ++cut) REQUIRE(decode(text, {cut}) == expected);
  std::vector<std::size_t> everywhere;
  for (std::size_t cut = 1; cut < text.size(); ++cut) everywhere.push_back(cut);
  CHECK(decode(text, everywhere) == expected);
}

TEST_CASE("lengths at the edges of their three forms come through") {
  for (const std::size_t size : {0u, 1u, 125u, 126u, 127u, 65535u, 65536u, 70000u}) {
    std::string payload(size, 'x');
    for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>(i * 7);
    const auto seen = decode(frame(0x82, payload));
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].bytes == payload);
  }
}

TEST_CASE("frames that break the protocol end it with 1002") {
  CHECK(error_of(frame(0xC1, "x")) == 1002);  // reserved bit
  CHECK(error_of(frame(0x83, "x")) == 1002);  // unknown opcodes
  CHECK(error_of(frame(0x8B, "x")) == 1002);
  CHECK(error_of(frame(0x09, "x")) == 1002);                                          // fragmented control frame
  CHECK(error_of(frame(0x89, std::string(126, 'x'))) == 1002);                        // long control frame
  CHECK(error_of(frame(0x80, "x")) == 1002);                                          // continuation of nothing
  CHECK(error_of(frame(0x01, "x") + frame(0x81, "y")) == 1002);                       // a message within a message
  CHECK(error_of(std::string("\x81\x05Hello")) == 1002);                              // no mask
  CHECK(error_of(std::string("\x82\xFE\x00\x7D", 4) + std::string(4, 'm')) == 1002);  // 125 in the long form
  CHECK(error_of(std::string("\x82\xFF\x00\x00\x00\x00\x00\x00\xFF\xFF", 10) + std::string(4, 'm')) ==
        1002);  // 65535 in the longest
  CHECK(error_of(std::string("\x82\xFF\x80\x00\x00\x00\x00\x00\x00\x00", 10) + std::string(4, 'm')) == 1002);  // 2^63
}

TEST_CASE("close codes that may not be sent are protocol errors") {
  for (const int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535}) {
    const std::string payload{static_cast<char>(code >> 8), static_cast<char>(code)};
    INFO(code);
    CHECK(error_of(frame(0x88, payload)) == 1002);
  }
  CHECK(error_of(frame(0x88, "\x03")) == 1002);
  CHECK(decode(frame(0x88, "")) == std::vector<Seen>{{Kind::close, false, 1005, ""}});
  CHECK(decode(frame(0x88, "\x0f\x9f")) == std::vector<Seen>{{Kind::close, false, 3999, ""}});
}

TEST_CASE("text and reasons must be UTF-8, over the fragments' edges") {
  CHECK(error_of(frame(0x81, "\xC3(")) == 1007);
  CHECK(error_of(frame(0x01, "\xE2\x82") + frame(0x80, "x")) == 1007);
  CHECK(decode(frame(0x01, "\xE2\x82") + frame(0x80, "\xAC")) == std::vector<Seen>{{Kind::message, false, 0, "€"}});
  CHECK(error_of(frame(0x88, std::string("\x03\xe8\xff", 3))) == 1007);
  CHECK(error_of(frame(0x82, "\xff")) == 0);
}

TEST_CASE("messages have a size, in one frame or in many") {
  CHECK(error_of(frame(0x82, std::string(100, 'x')), 100) == 0);
  CHECK(error_of(frame(0x82, std::string(101, 'x')), 100) == 1009);
  CHECK(error_of(frame(0x02, std::string(60, 'x')) + frame(0x80, std::string(41, 'x')), 100) == 1009);
  CHECK(error_of(std::string("\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10) + std::string(4, 'm')) == 1009);
}

TEST_CASE("a reason that is too long is cut at a character") {
  std::string out;
  std::string reason;
  for (int i = 0; i < 60; ++i) reason += "€";
  append_control_frame(out, Opcode::close, close_payload(1001, reason), mask);
  const auto seen = decode(out);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].kind == Kind::close);
  CHECK(seen[0].bytes.size() == 123);
  CHECK(reason.starts_with(seen[0].bytes));
}
