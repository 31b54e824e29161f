// WebSocket frames (RFC 6455 §5) as bytes: pure, for both sides, without extensions.
//
// Own framing in place of Beast's stream: Beast writes one message per system call, and the call is what a message costs; many
// frames in one write carry about ten times as many messages to a viewer. The protocol's checks stand here in one place.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace iotstream::net {

enum class Opcode : unsigned char { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// Close codes used here (RFC 6455 §7.4.1).
namespace close_code {
constexpr std::uint16_t normal = 1000;
constexpr std::uint16_t going_away = 1001;
constexpr std::uint16_t protocol_error = 1002;
constexpr std::uint16_t no_status = 1005;  ///< never on the wire: a close frame without a code
constexpr std::uint16_t bad_payload = 1007;
constexpr std::uint16_t too_big = 1009;
}  // namespace close_code

using Mask = std::array<char, 4>;

/// Appends the header of an unfragmented frame of `size` bytes; with `mask` the payload must be masked with it.
void append_frame_header(std::string& out, Opcode opcode, std::uint64_t size, const std::optional<Mask>& mask = std::nullopt);
/// XORs `size` bytes with the mask, the first of them being number `position` of its frame (RFC 6455 §5.3).
void apply_mask(char* bytes, std::size_t size, const Mask& mask, std::uint64_t position);
/// Appends a whole control frame; payloads of up to 125 bytes, longer ones are cut at a character's edge.
void append_control_frame(std::string& out, Opcode opcode, std::string_view payload,
                          const std::optional<Mask>& mask = std::nullopt);
/// A close frame's payload: the code, then the reason; empty for no_status.
std::string close_payload(std::uint16_t code, std::string_view reason);

/// Bytes of any cut → whole messages and control frames.
class FrameDecoder {
 public:
  /// `masked`: frames must be masked (those of a client) or must not (those of a server).
  FrameDecoder(bool masked, std::size_t message_size_max) : masked_(masked), message_size_max_(message_size_max) {}

  enum class Kind : unsigned char {
    more,     ///< all bytes were taken, nothing is complete
    message,  ///< a whole message
    ping,
    pong,
    close,  ///< `code` and reason of the peer
    error,  ///< the peer broke the protocol: close with `code`; nothing more is to be decoded
  };
  struct Item {
    Kind kind = Kind::more;
    bool binary = false;
    std::uint16_t code = 0;
    std::string_view bytes;  ///< payload or reason; valid until the next call
  };
  /// Takes bytes from the front of `bytes` up to the end of the next item.
  Item next(std::string_view& bytes);

 private:
  bool read_header(std::string_view& bytes, Item& error);
  bool check_header(Item& error);
  std::size_t header_size() const;
  Item finish_frame();
  Item finish_close() const;
  static Item failed(std::uint16_t code, std::string_view reason) { return {Kind::error, false, code, reason}; }

  bool masked_;
  std::size_t message_size_max_;

  std::array<char, 14> header_{};
  std::size_t header_have_ = 0;
  bool in_payload_ = false;
  std::uint64_t payload_size_ = 0;
  std::uint64_t payload_have_ = 0;
  Mask mask_{};
  Opcode opcode_ = Opcode::text;
  bool final_ = false;

  bool in_message_ = false;  ///< between the first and the last frame of a fragmented message
  bool binary_ = false;
  bool delivered_ = false;  ///< message_ was handed out, and goes with the next call
  std::string message_;
  std::string control_;
};

}  // namespace iotstream::net
