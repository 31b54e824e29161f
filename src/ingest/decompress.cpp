#include "ingest/decompress.hpp"

#include <algorithm>
#include <limits>
#include <zlib.h>
#include <zstd.h>

#include <fmt/format.h>

#include "ingest/media_type.hpp"

namespace iotstream::ingest {
namespace {

constexpr int window_bits_gzip = 15 + 16;
constexpr int window_log_zstd_max = 23;
constexpr std::size_t step = 64u << 10;

Error damaged(std::string_view coding, std::string_view reason) {
  return {ErrorKind::invalid, fmt::format("the body is not valid {}: {}", coding, reason)};
}

constexpr std::string_view cut_short = "it is cut short";

class Gzip final : public Decompressor {
 public:
  ~Gzip() override {
    if (ready_) inflateEnd(&stream_);
  }
  bool open() { return ready_ = inflateInit2(&stream_, window_bits_gzip) == Z_OK; }

  Result<bool> next(std::string_view& in, std::string& out, std::size_t room) override {
    const std::size_t before = out.size();
    const std::size_t end = before + std::min<std::size_t>(room, std::numeric_limits<uInt>::max());
    out.resize(end);
    stream_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream_.avail_out = static_cast<uInt>(end - before);
    Status status;
    do status = step_on(in);
    while (status && !in.empty() && stream_.avail_out > 0);
    out.resize(end - stream_.avail_out);
    if (!status) return status.error();
    return !in.empty() || stream_.avail_out == 0;
  }

  Status finish() const override { return whole_ ? Status() : damaged("gzip", cut_short); }

 private:
  Status step_on(std::string_view& in) {
    if (whole_ && in.empty()) return {};
    if (whole_ && inflateReset(&stream_) != Z_OK) return damaged("gzip", "it cannot be continued");
    whole_ = false;
    const std::size_t given = std::min<std::size_t>(in.size(), std::numeric_limits<uInt>::max());
    // zlib's interface predates const; it does not write there.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = static_cast<uInt>(given);
    const int code = inflate(&stream_, Z_NO_FLUSH);
    in.remove_prefix(given - stream_.avail_in);
    whole_ = code == Z_STREAM_END;
    if (whole_ || code == Z_OK || code == Z_BUF_ERROR) return {};
    if (code == Z_MEM_ERROR) return Error{ErrorKind::unavailable, "no memory to decompress the body"};
    return damaged("gzip", stream_.msg ? stream_.msg : "wrong header");
  }

  z_stream stream_{};
  bool ready_ = false;
  bool whole_ = false;  ///< a member has ended, and nothing of another has been seen
};

class Zstd final : public Decompressor {
 public:
  ~Zstd() override { ZSTD_freeDStream(stream_); }
  bool open() {
    stream_ = ZSTD_createDStream();
    return stream_ != nullptr && ZSTD_isError(ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, window_log_zstd_max)) == 0;
  }

  Result<bool> next(std::string_view& in, std::string& out, std::size_t room) override {
    const std::size_t before = out.size();
    out.resize(before + room);
    ZSTD_outBuffer to{out.data() + before, room, 0};
    std::size_t code = 0;
    do {
      ZSTD_inBuffer from{in.data(), in.size(), 0};
      code = ZSTD_decompressStream(stream_, &to, &from);
      in.remove_prefix(from.pos);
      if (ZSTD_isError(code) != 0) break;
      // At a frame's end more calls without input would begin a frame that is not there.
      if (from.size > 0 || to.pos > 0) whole_ = code == 0;
    } while (!in.empty() && to.pos < to.size);
    out.resize(before + to.pos);
    if (ZSTD_isError(code) != 0) return damaged("zstd", ZSTD_getErrorName(code));
    return !in.empty() || (to.pos == to.size && !whole_);
  }

  Status finish() const override { return whole_ ? Status() : damaged("zstd", cut_short); }

 private:
  ZSTD_DStream* stream_ = nullptr;
  bool whole_ = false;
};

template <class Kind>
Result<std::unique_ptr<Decompressor>> opened() {
  auto one = std::make_unique<Kind>();
  if (!one->open()) return Error{ErrorKind::unavailable, "no memory to decompress the body"};
  return std::unique_ptr<Decompressor>(std::move(one));
}

}  // namespace

std::optional<Coding> coding_of(std::string_view content_encoding) {
  const std::string name = lower(content_encoding);
  if (name == "identity") return Coding::identity;
  if (name == "gzip" || name == "x-gzip") return Coding::gzip;
  if (name == "zstd") return Coding::zstd;
  return std::nullopt;
}

Result<std::unique_ptr<Decompressor>> Decompressor::create(Coding coding) {
  return coding == Coding::zstd ? opened<Zstd>() : opened<Gzip>();
}

Result<std::string> decompress(Coding coding, std::string_view compressed, std::uint64_t size_max) {
  if (coding == Coding::identity) return std::string(compressed);
  auto decompressor = Decompressor::create(coding);
  if (!decompressor) return std::move(decompressor).error();
  std::string out;
  for (bool more = true; more;) {
    // One byte more than allowed tells "exactly full" from "too much".
    const auto room = static_cast<std::size_t>(std::min<std::uint64_t>(step, size_max + 1 - out.size()));
    const Result<bool> went_on = (*decompressor)->next(compressed, out, room);
    if (!went_on) return went_on.error();
    if (out.size() > size_max)
      return Error{ErrorKind::too_large, fmt::format("the decompressed body has more than {} bytes", size_max)};
    more = *went_on;
  }
  if (Status whole = (*decompressor)->finish(); !whole) return std::move(whole).error();
  return out;
}

}  // namespace iotstream::ingest
