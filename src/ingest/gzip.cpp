#include "ingest/gzip.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <zlib.h>

#include <fmt/format.h>

namespace iotstream::ingest {
namespace {

constexpr int window_bits_gzip = 15 + 16;
constexpr std::size_t step = 64u << 10;

Error damaged(std::string_view reason) { return {ErrorKind::invalid, fmt::format("the body is not valid gzip: {}", reason)}; }

struct End {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};

// Inflates one member into `out`; true when it ended, false when it needs more room than `out` has.
Result<bool> inflate_some(z_stream& stream, std::string& out, std::size_t room) {
  const std::size_t before = out.size();
  out.resize(before + room);
  stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
  stream.avail_out = static_cast<uInt>(room);
  const int code = inflate(&stream, Z_NO_FLUSH);
  out.resize(before + room - stream.avail_out);
  if (code == Z_STREAM_END) return true;
  if (code == Z_OK && stream.avail_out == 0) return false;
  if (code == Z_OK || code == Z_BUF_ERROR) return damaged("it is cut short");
  if (code == Z_MEM_ERROR) return Error{ErrorKind::unavailable, "no memory to decompress the body"};
  return damaged(stream.msg ? stream.msg : "wrong header");
}

}  // namespace

Result<std::string> gunzip(std::string_view compressed, std::uint64_t size_max) {
  if (compressed.size() > std::numeric_limits<uInt>::max())
    return Error{ErrorKind::too_large, "the compressed body has 4 GiB or more"};
  z_stream stream{};
  if (inflateInit2(&stream, window_bits_gzip) != Z_OK) return Error{ErrorKind::unavailable, "no memory to decompress the body"};
  const std::unique_ptr<z_stream, End> end(&stream);
  stream.next_in = reinterpret_cast<Bytef*>(
      const_cast<char*>(compressed.data()));  // zlib's interface predates const; it does not write there
  stream.avail_in = static_cast<uInt>(compressed.size());

  std::string out;
  for (;;) {
    // One byte more than allowed tells "exactly full" from "too much".
    const auto room = static_cast<std::size_t>(std::min<std::uint64_t>(step, size_max + 1 - out.size()));
    Result<bool> ended = inflate_some(stream, out, room);
    if (!ended) return std::move(ended).error();
    if (out.size() > size_max)
      return Error{ErrorKind::too_large, fmt::format("the decompressed body has more than {} bytes", size_max)};
    if (!*ended) continue;
    if (stream.avail_in == 0) return out;
    if (inflateReset(&stream) != Z_OK) return damaged("it cannot be continued");
  }
}

}  // namespace iotstream::ingest
