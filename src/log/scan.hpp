// Walking over the frames of a segment with every check applied: used by recovery, by readers of cold data, by rebuilding an
// index.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <iotstream/os/disk.hpp>

#include "log/format.hpp"

namespace iotstream::log {

/// A file position and what must stand there.
struct ScanStart {
  std::uint64_t position = format::frames_begin;
  std::uint64_t next_offset = 0;       ///< base offset of the frame there
  std::optional<std::uint32_t> chain;  ///< crc of the frame before; unknown when the scan begins in the middle
};

/// One thread at a time. The file outlives it.
class FrameScanner {
 public:
  enum class Step : unsigned char {
    frame,    ///< frame() passed all checks
    end,      ///< the end was reached, or nothing but zeros follow up to it
    damaged,  ///< what stands at position() is no frame, or not the one that belongs there: reason()
  };

  /// Reads [start.position, end) of `file`, `chunk` bytes at a time.
  FrameScanner(const os::File& file, std::uint64_t salt, ScanStart start, std::uint64_t end, std::size_t chunk = 256u << 10);

  /// Errors: io, unsupported (a frame of a newer format).
  Result<Step> next();
  const format::FrameHeader& frame() const { return frame_; }
  /// Valid as long as the buffer() of the same step is kept.
  ByteView frame_bytes() const { return bytes_; }
  std::uint64_t frame_position() const { return frame_position_; }
  const std::shared_ptr<std::byte[]>& buffer() const { return buffer_; }

  /// After `damaged`: goes to the next position behind the present one where a frame passes its checksum and continues or
  /// leaves behind the offsets expected here, and returns its header; nothing when there is none before the end. The frame
  /// itself comes with next().
  Result<std::optional<format::FrameHeader>> resync();

  std::uint64_t position() const { return position_; }        ///< where the next step looks
  std::uint64_t next_offset() const { return next_offset_; }  ///< the offset that it expects there
  std::optional<std::uint32_t> chain() const { return chain_; }
  const std::string& reason() const { return reason_; }

 private:
  Result<ByteView> view(std::uint64_t position, std::size_t size);
  Status fill(std::uint64_t position, std::size_t wanted);
  Result<bool> only_zeros_follow();
  Step damaged(std::string reason);
  Result<bool> frame_stands_at(std::uint64_t position, const format::FrameHeader& header);

  const os::File& file_;
  std::uint64_t salt_;
  std::uint64_t position_;
  std::uint64_t next_offset_;
  std::optional<std::uint32_t> chain_;
  std::uint64_t end_;
  std::size_t chunk_;
  std::shared_ptr<std::byte[]> buffer_;
  std::uint64_t buffer_position_ = 0;
  std::size_t buffer_size_ = 0;
  format::FrameHeader frame_;
  ByteView bytes_;
  std::uint64_t frame_position_ = 0;
  std::string reason_;
  bool skipping_ = false;  ///< the next frame was found by resync(): its predecessor is lost
};

/// One past the last byte of [from, end) that is not zero; `from` when all are.
Result<std::uint64_t> end_of_content(const os::File& file, std::uint64_t from, std::uint64_t end);

}  // namespace iotstream::log
