#include "net/websocket_frame.hpp"

#include <algorithm>
#include <cstring>

#include <iotstream/base/text.hpp>

#include "net/text.hpp"

namespace iotstream::net {
namespace {

constexpr std::size_t control_size_max = 125;
constexpr std::size_t capacity_kept_max = 16u << 10;  // an idle WebSocket does not keep a large message's memory

bool is_control(Opcode opcode) { return static_cast<unsigned>(opcode) >= 8; }

unsigned byte_at(const std::array<char, 14>& bytes, std::size_t i) { return static_cast<unsigned char>(bytes[i]); }

/// Codes that may stand in a close frame: the defined ones, and those left to libraries and applications (RFC 6455 §7.4).
bool valid_close_code(std::uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

void append_big_endian(std::string& out, std::uint64_t number, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>((number >> shift) & 0xFF);
}

}  // namespace

void append_frame_header(std::string& out, Opcode opcode, std::uint64_t size, const std::optional<Mask>& mask) {
  const unsigned mask_bit = mask ? 0x80 : 0;
  out += static_cast<char>(0x80u | static_cast<unsigned>(opcode));
  if (size < 126) {
    out += static_cast<char>(mask_bit | static_cast<unsigned>(size));
  } else if (size <= 0xFFFF) {
    out += static_cast<char>(mask_bit | 126);
    append_big_endian(out, size, 2);
  } else {
    out += static_cast<char>(mask_bit | 127);
    append_big_endian(out, size, 8);
  }
  if (mask) out.append(mask->data(), mask->size());
}

void apply_mask(char* bytes, std::size_t size, const Mask& mask, std::uint64_t position) {
  Mask turned{};
  for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = mask[(position + i) % 4];
  std::uint32_t word = 0;
  std::memcpy(&word, turned.data(), sizeof word);
  const std::uint64_t wide = (static_cast<std::uint64_t>(word) << 32) | word;
  std::size_t i = 0;
  for (; i + sizeof wide <= size; i += sizeof wide) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, bytes + i, sizeof eight);
    eight ^= wide;
    std::memcpy(bytes + i, &eight, sizeof eight);
  }
  for (; i < size; ++i) bytes[i] = static_cast<char>(bytes[i] ^ turned[i % 4]);
}

void append_control_frame(std::string& out, Opcode opcode, std::string_view payload, const std::optional<Mask>& mask) {
  payload = payload.substr(0, control_size_max);
  if (opcode == Opcode::close && payload.size() > 2) {
    while (!is_utf8(payload.substr(2))) payload.remove_suffix(1);
  }
  append_frame_header(out, opcode, payload.size(), mask);
  const std::size_t at = out.size();
  out += payload;
  if (mask) apply_mask(out.data() + at, payload.size(), *mask, 0);
}

std::string close_payload(std::uint16_t code, std::string_view reason) {
  std::string payload;
  if (code == close_code::no_status) return payload;
  append_big_endian(payload, code, 2);
  return payload.append(reason);
}

std::size_t FrameDecoder::header_size() const {
  if (header_have_ < 2) return 2;
  const unsigned length = byte_at(header_, 1) & 0x7F;
  const bool mask = (byte_at(header_, 1) & 0x80) != 0;
  return 2 + (length == 126 ? 2u : length == 127 ? 8u : 0u) + (mask ? 4u : 0u);
}

bool FrameDecoder::read_header(std::string_view& bytes, Item& error) {
  while (header_have_ < header_size()) {
    if (bytes.empty()) return false;
    const std::size_t step = std::min(header_size() - header_have_, bytes.size());
    std::copy_n(bytes.data(), step, header_.data() + header_have_);
    header_have_ += step;
    bytes.remove_prefix(step);
  }
  if (!check_header(error)) return false;
  in_payload_ = true;
  payload_have_ = 0;
  return true;
}

bool FrameDecoder::check_header(Item& error) {
  const unsigned first = byte_at(header_, 0);
  const bool mask = (byte_at(header_, 1) & 0x80) != 0;
  const unsigned short_length = byte_at(header_, 1) & 0x7F;
  const auto fail = [&](std::uint16_t code, std::string_view reason) {
    error = failed(code, reason);
    return false;
  };
  const unsigned number = first & 0x0F;
  if ((first & 0x70) != 0) return fail(close_code::protocol_error, "reserved bits are set");
  if ((number > 2 && number < 8) || number > 10) return fail(close_code::protocol_error, "unknown opcode");
  if (mask != masked_) return fail(close_code::protocol_error, masked_ ? "frame without mask" : "masked frame from a server");
  opcode_ = static_cast<Opcode>(number);
  final_ = (first & 0x80) != 0;

  std::size_t at = 2;
  payload_size_ = short_length;
  const std::size_t wide = short_length == 126 ? 2 : short_length == 127 ? 8 : 0;
  if (wide > 0) {
    payload_size_ = 0;
    for (std::size_t i = 0; i < wide; ++i) payload_size_ = (payload_size_ << 8) | byte_at(header_, at + i);
    if (payload_size_ < (wide == 2 ? 126u : 0x10000u) || payload_size_ >> 63 != 0) {
      return fail(close_code::protocol_error, "length not in its shortest form");
    }
  }
  at += wide;
  if (mask) std::copy_n(header_.data() + at, mask_.size(), mask_.data());

  if (is_control(opcode_)) {
    if (!final_ || payload_size_ > control_size_max)
      return fail(close_code::protocol_error, "fragmented or long control frame");
    control_.clear();
    return true;
  }
  if ((opcode_ == Opcode::continuation) != in_message_) return fail(close_code::protocol_error, "fragments out of order");
  if (payload_size_ > message_size_max_ || message_.size() + payload_size_ > message_size_max_) {
    return fail(close_code::too_big, "message too big");
  }
  if (!in_message_) binary_ = opcode_ == Opcode::binary;
  in_message_ = true;
  return true;
}

FrameDecoder::Item FrameDecoder::next(std::string_view& bytes) {
  if (delivered_) {
    delivered_ = false;
    if (message_.capacity() > capacity_kept_max) message_ = std::string();
    message_.clear();
  }
  Item item;
  while (true) {
    if (!in_payload_ && !read_header(bytes, item)) return item;
    std::string& target = is_control(opcode_) ? control_ : message_;
    const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(payload_size_ - payload_have_, bytes.size()));
    const std::size_t at = target.size();
    target.append(bytes.data(), step);
    if (masked_) apply_mask(target.data() + at, step, mask_, payload_have_);
    payload_have_ += step;
    bytes.remove_prefix(step);
    if (payload_have_ < payload_size_) return item;
    in_payload_ = false;
    header_have_ = 0;
    item = finish_frame();
    if (item.kind != Kind::more) return item;
  }
}

FrameDecoder::Item FrameDecoder::finish_frame() {
  switch (opcode_) {
    case Opcode::ping:
      return {Kind::ping, true, 0, control_};
    case Opcode::pong:
      return {Kind::pong, true, 0, control_};
    case Opcode::close:
      return finish_close();
    default:
      break;
  }
  if (!final_) return {};
  in_message_ = false;
  delivered_ = true;
  if (!binary_ && !is_utf8(message_)) return failed(close_code::bad_payload, "text that is not UTF-8");
  return {Kind::message, binary_, 0, message_};
}

FrameDecoder::Item FrameDecoder::finish_close() const {
  if (control_.empty()) return {Kind::close, false, close_code::no_status, {}};
  if (control_.size() == 1) return failed(close_code::protocol_error, "close frame with half a code");
  const auto code =
      static_cast<std::uint16_t>((static_cast<unsigned char>(control_[0]) << 8) | static_cast<unsigned char>(control_[1]));
  if (!valid_close_code(code)) return failed(close_code::protocol_error, "close code that may not be sent");
  const std::string_view reason = std::string_view(control_).substr(2);
  if (!is_utf8(reason)) return failed(close_code::bad_payload, "reason that is not UTF-8");
  return {Kind::close, false, code, reason};
}

}  // namespace iotstream::net
