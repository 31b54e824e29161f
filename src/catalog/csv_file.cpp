#include "catalog/csv_file.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <openssl/evp.h>

namespace iotstream::catalog {
namespace {

constexpr std::size_t chunk_bytes = 256 * 1024;
constexpr std::size_t head_bytes = 64 * 1024;
constexpr std::size_t head_bytes_max = 4 * 1024 * 1024;

/// SHA-256 over chunks.
class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    IOTSTREAM_ASSERT(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1, "OpenSSL has no SHA-256");
  }
  void add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  std::string hexadecimal() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), digest, &size);
    std::string text;
    for (unsigned i = 0; i < size; ++i) fmt::format_to(std::back_inserter(text), "{:02x}", digest[i]);
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

}  // namespace

Result<FileStamp> stamp_of(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  FileStamp stamp;
  stamp.path = fs::canonical(path, error).string();
  if (error == std::errc::no_such_file_or_directory)
    return Error{ErrorKind::not_found, fmt::format("{}: there is no such file", path)};
  if (!error && !fs::is_regular_file(stamp.path, error) && !error)
    return Error{ErrorKind::io, fmt::format("{}: not a file", path)};
  if (!error) stamp.size = fs::file_size(stamp.path, error);
  if (!error)
    stamp.changed_ns =
        std::chrono::duration_cast<std::chrono::nanoseconds>(fs::last_write_time(stamp.path, error).time_since_epoch()).count();
  if (error) return Error{ErrorKind::io, fmt::format("{}: {}", path, error.message())};
  return stamp;
}

Result<CsvFile> CsvFile::open(const std::string& path, std::optional<char> separator) {
  CsvFile csv;
  auto stamp = stamp_of(path);
  if (!stamp) return std::move(stamp).error();
  csv.stamp_ = std::move(*stamp);
  auto file = os::real_disk().open(csv.stamp_.path, os::OpenMode::read);
  if (!file) return std::move(file).error();
  csv.file_ = std::move(*file);
  if (Status looked = csv.read_head(separator); !looked)
    return Error{looked.error().kind, fmt::format("{}: {}", path, looked.error().message)};
  return csv;
}

/// The first 64 KiB; more when the rows are so wide that fewer than a handful lie in there.
Status CsvFile::read_head(std::optional<char> separator) {
  constexpr std::ptrdiff_t rows_wanted = 4;
  std::string head;
  for (std::size_t wanted = head_bytes;; wanted *= 4) {
    head.resize(wanted);
    const auto count = file_->read_at(0, std::as_writable_bytes(std::span(head)));
    if (!count) return count.error();
    head.resize(*count);
    const bool enough = std::count(head.begin(), head.end(), '\n') >= rows_wanted;
    if (head.size() < wanted || enough || wanted >= head_bytes_max) break;
  }
  using namespace std::string_view_literals;
  if (head.starts_with("\xff\xfe\0\0"sv) || head.starts_with("\0\0\xfe\xff"sv))
    return Error{ErrorKind::invalid, "the file is UTF-32; save it as UTF-8"};
  const auto utf16 = utf16_of(head);
  utf16_ = utf16.has_value();
  if (utf16) encoding_ = *utf16;
  mark_bytes_ = mark_bytes(head);
  const bool whole = head.size() == stamp_.size;
  head.erase(0, mark_bytes_);
  if (utf16_) {
    std::string decoded;
    Utf16Decoder(encoding_).feed(head, decoded);
    head = std::move(decoded);
  }
  form_ = find_form({head, whole, separator, false});
  if (!form_.problem.empty()) return Error{ErrorKind::invalid, form_.problem};
  return {};
}

Status CsvFile::each_chunk(const Take& take, const Advance& advance) const {
  std::string buffer(chunk_bytes, '\0');
  for (std::uint64_t position = 0;;) {
    const auto count = file_->read_at(position, std::as_writable_bytes(std::span(buffer)));
    if (!count) return count.error();
    if (*count == 0) return check_unchanged(position);
    take(std::string_view(buffer).substr(0, *count));
    position += *count;
    if (!advance(position)) return Error{ErrorKind::unavailable, fmt::format("{}: stopped before its end", stamp_.path)};
  }
}

Status CsvFile::check_unchanged(std::uint64_t bytes) const {
  const auto now = stamp_of(stamp_.path);
  if (now && now->size == stamp_.size && now->changed_ns == stamp_.changed_ns && bytes == stamp_.size) return {};
  return Error{ErrorKind::conflict,
               fmt::format("{}: the file was changed while it was read; try again when it is complete", stamp_.path)};
}

/// `raw` sees the bytes as they are, the mark included.
Status CsvFile::cut(const CsvReader::Sink& sink, const Take& raw, const Advance& advance) const {
  CsvReader reader(form_.separator);
  Utf16Decoder decoder(encoding_);
  std::string decoded;
  std::size_t mark = mark_bytes_;
  Status read = each_chunk(
      [&](std::string_view chunk) {
        raw(chunk);
        chunk.remove_prefix(std::exchange(mark, 0));
        if (!utf16_) return reader.feed(chunk, sink);
        decoded.clear();
        decoder.feed(chunk, decoded);
        reader.feed(decoded, sink);
      },
      advance);
  if (!read) return read;
  decoded.clear();
  decoder.finish(decoded);
  if (utf16_) reader.feed(decoded, sink);
  reader.finish(sink);
  return {};
}

Status CsvFile::scan(const CsvReader::Sink& sink, const Advance& advance, bool digest) {
  Digest sum;
  EncodingCensus census;
  Status read = cut(
      sink,
      [&](std::string_view chunk) {
        if (digest) sum.add(chunk);
        if (!utf16_) census.feed(chunk);
      },
      advance);
  if (!read) return read;
  if (digest) sha256_ = sum.hexadecimal();
  if (!utf16_) encoding_ = census.encoding();
  return {};
}

Status CsvFile::read(const CsvReader::Sink& sink, const Advance& advance, bool digest) {
  Digest sum;
  const Take skip = [](std::string_view) {};
  const Take add = [&](std::string_view chunk) { sum.add(chunk); };
  Status read = cut(sink, digest ? add : skip, advance);
  if (read && digest) sha256_ = sum.hexadecimal();
  return read;
}

}  // namespace iotstream::catalog
