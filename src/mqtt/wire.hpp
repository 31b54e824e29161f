// The primitive types of MQTT's wire format.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace iotstream::mqtt {

/// Reads primitives from the front of some bytes. After the first failure everything reads as zero or empty and ok() is false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  bool ok() const { return ok_; }
  bool empty() const { return rest_.empty(); }
  std::size_t size() const { return rest_.size(); }
  std::string_view rest() { return take(rest_.size()); }

  std::uint8_t byte();
  std::uint16_t two();
  std::uint32_t four();
  std::uint32_t variable();  ///< at most four bytes, in the shortest form
  std::string_view take(std::size_t size);
  std::string_view binary() { return take(two()); }
  std::string_view text();  ///< UTF-8 without NUL, else not ok
  void fail() {
    ok_ = false;
    rest_ = {};
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

void append_two(std::string& out, std::uint16_t number);
void append_four(std::string& out, std::uint32_t number);
void append_variable(std::string& out, std::uint32_t number);  ///< below 2^28
void append_text(std::string& out, std::string_view text);     ///< at most 65,535 bytes

/// UTF-8 without surrogates and U+0000 (MQTT 5, 1.5.4).
bool valid_text(std::string_view text);

inline constexpr std::uint32_t remaining_length_max = 268'435'455;

/// A packet's first byte and body, cut out of a stream.
struct Frame {
  enum class Status : unsigned char { more, whole, malformed, too_large };
  Status status = Status::more;
  std::uint8_t head = 0;  ///< type and flags
  std::string_view body;
  std::size_t size = 0;  ///< of the whole packet, head and length included; of `more` when known, else 0
};

/// The packet at the front of `bytes`. `size_max`: of the body.
Frame next_frame(std::string_view bytes, std::size_t size_max);

/// Appends the head of a packet whose body has `size` bytes.
void append_head(std::string& out, std::uint8_t head, std::size_t size);

}  // namespace iotstream::mqtt
