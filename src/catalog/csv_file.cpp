#include "catalog/csv_file.hpp"

#include <algorithm>
#include <filesystem>

#include <openssl/evp.h>

namespace iotstream::catalog {
namespace {

constexpr std::size_t chunk_bytes = 256 * 1024;

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

Result<CsvFile> CsvFile::open(const std::string& path) {
  CsvFile csv;
  auto stamp = stamp_of(path);
  if (!stamp) return std::move(stamp).error();
  csv.stamp_ = std::move(*stamp);
  auto file = os::real_disk().open(csv.stamp_.path, os::OpenMode::read);
  if (!file) return std::move(file).error();
  csv.file_ = std::move(*file);
  if (Status looked = csv.look(); !looked) return std::move(looked).error();
  return csv;
}

Status CsvFile::each_chunk(const std::function<void(std::string_view)>& take) const {
  std::string buffer(chunk_bytes, '\0');
  for (std::uint64_t position = 0;;) {
    const auto count = file_->read_at(position, std::as_writable_bytes(std::span(buffer)));
    if (!count) return count.error();
    if (*count == 0) return {};
    take(std::string_view(buffer).substr(0, *count));
    position += *count;
  }
}

Status CsvFile::look() {
  constexpr std::string_view utf8_mark = "\xef\xbb\xbf";
  constexpr std::size_t head_bytes = 64 * 1024;
  Digest digest;
  EncodingCensus census;
  std::string head;
  Status read = each_chunk([&](std::string_view chunk) {
    digest.add(chunk);
    census.feed(chunk);
    head.append(chunk.substr(0, head_bytes - std::min(head_bytes, head.size())));
  });
  if (!read) return read;
  if (head.starts_with("\xff\xfe") || head.starts_with("\xfe\xff"))
    return Error{ErrorKind::invalid, fmt::format("{}: the file is UTF-16; save it as UTF-8", stamp_.path)};
  if (head.starts_with(utf8_mark)) mark_bytes_ = utf8_mark.size();
  sha256_ = digest.hexadecimal();
  encoding_ = census.encoding();
  separator_ = find_separator(std::string_view(head).substr(mark_bytes_), head.size() < head_bytes);
  return {};
}

Status CsvFile::read(const CsvReader::Sink& sink, const std::function<void(std::uint64_t)>& advance) const {
  CsvReader reader(separator_);
  std::uint64_t done = 0;
  Status read = each_chunk([&](std::string_view chunk) {
    reader.feed(done == 0 ? chunk.substr(std::min(mark_bytes_, chunk.size())) : chunk, sink);
    done += chunk.size();
    advance(done);
  });
  if (!read) return read;
  reader.finish(sink);
  const auto now = stamp_of(stamp_.path);
  if (!now || now->size != stamp_.size || now->changed_ns != stamp_.changed_ns || done != stamp_.size)
    return Error{ErrorKind::conflict,
                 fmt::format("{}: the file was changed while it was read; try again when it is complete", stamp_.path)};
  return {};
}

}  // namespace iotstream::catalog
