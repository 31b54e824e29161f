// Bodies that were sent compressed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <iotstream/base/result.hpp>

namespace iotstream::ingest {

enum class Coding : unsigned char { identity, gzip, zstd };

/// What a Content-Encoding says, in any case; nothing for one that is not known here.
std::optional<Coding> coding_of(std::string_view content_encoding);

/// Decompresses in pieces of any size, in bounded memory: gzip (RFC 1952) and zstd (RFC 8878, windows up to 8 MiB as RFC 9659
/// has it), several members or frames after each other included. One thread.
class Decompressor {
 public:
  /// Errors: unavailable (no memory).
  static Result<std::unique_ptr<Decompressor>> create(Coding coding);
  virtual ~Decompressor() = default;

  /// Takes bytes from the front of `in` and appends at most `room` (> 0) to `out`. True: there is more to come from what was
  /// taken, or from the rest of `in`. Errors: invalid (damaged, foreign bytes, or bytes after the end that are neither).
  virtual Result<bool> next(std::string_view& in, std::string& out, std::size_t room) = 0;
  /// The compressed bytes are at their end. Errors: invalid when they are cut short.
  virtual Status finish() const = 0;
};

/// All at once. Errors: those of Decompressor; too_large when more than `size_max` bytes come out: the work and the memory are
/// bounded by that, whatever the input promises.
Result<std::string> decompress(Coding coding, std::string_view compressed, std::uint64_t size_max);

}  // namespace iotstream::ingest
