// A CSV file on disk: looked at once for its digest, encoding and separator, then read as often as needed, in chunks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <iotstream/base/result.hpp>
#include <iotstream/os/disk.hpp>

#include "catalog/csv_reader.hpp"
#include "catalog/csv_text.hpp"

namespace iotstream::catalog {

/// Path, size and time of change: the cheap test for "the same file".
struct FileStamp {
  std::string path;  ///< absolute, links resolved
  std::uint64_t size = 0;
  std::int64_t changed_ns = 0;
};
/// Errors: not_found, io (a folder, for example).
Result<FileStamp> stamp_of(const std::string& path);

class CsvFile {
 public:
  /// Reads the whole file once. Errors: not_found, io, invalid (UTF-16).
  static Result<CsvFile> open(const std::string& path);

  const FileStamp& stamp() const { return stamp_; }
  const std::string& sha256() const { return sha256_; }  ///< hexadecimal
  Encoding encoding() const { return encoding_; }
  char separator() const { return separator_; }

  /// Hands every row to `sink`, and after every chunk the bytes read so far to `advance`. Errors: io; conflict when the file
  /// was changed since open().
  Status read(const CsvReader::Sink& sink, const std::function<void(std::uint64_t)>& advance) const;

 private:
  CsvFile() = default;
  Status each_chunk(const std::function<void(std::string_view)>& take) const;
  Status look();

  FileStamp stamp_;
  std::unique_ptr<os::File> file_;
  std::string sha256_;
  Encoding encoding_ = Encoding::utf8;
  char separator_ = ',';
  std::size_t mark_bytes_ = 0;  ///< of the byte order mark
};

}  // namespace iotstream::catalog
