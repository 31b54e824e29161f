// A CSV file on disk: its form told from its first rows, then read as often as needed, in chunks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <iotstream/base/result.hpp>
#include <iotstream/os/disk.hpp>

#include "catalog/csv_encoding.hpp"
#include "catalog/csv_form.hpp"
#include "catalog/csv_reader.hpp"

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
  /// Reads the first rows. Errors: not_found, io, invalid (a file without a header or rows; UTF-32).
  static Result<CsvFile> open(const std::string& path, std::optional<char> separator = std::nullopt);

  const FileStamp& stamp() const { return stamp_; }
  const CsvForm& form() const { return form_; }
  const std::string& sha256() const { return sha256_; }  ///< hexadecimal; empty until a reading took it
  Encoding encoding() const { return encoding_; }        ///< known after scan()

  /// Called after every chunk with the bytes read so far; false: stop.
  using Advance = std::function<bool(std::uint64_t)>;
  /// Hands every row to `sink`; the encoding is found on the way, and the digest if it is asked for. Errors: io; conflict when
  /// the file was changed since open(); unavailable when `advance` said stop.
  Status scan(const CsvReader::Sink& sink, const Advance& advance, bool digest);
  /// The same without the encoding.
  Status read(const CsvReader::Sink& sink, const Advance& advance, bool digest = false);

 private:
  CsvFile() = default;
  using Take = std::function<void(std::string_view)>;
  Status each_chunk(const Take& take, const Advance& advance) const;
  Status read_head(std::optional<char> separator);
  Status check_unchanged(std::uint64_t bytes) const;
  Status cut(const CsvReader::Sink& sink, const Take& raw, const Advance& advance) const;

  FileStamp stamp_;
  std::unique_ptr<os::File> file_;
  std::string sha256_;
  Encoding encoding_ = Encoding::utf8;
  bool utf16_ = false;
  std::size_t mark_bytes_ = 0;  ///< of the byte order mark
  CsvForm form_;
};

}  // namespace iotstream::catalog
