// The limits of everything that goes to the disk: plain writes and overwrites of one file.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <iotstream/base/result.hpp>

namespace iotstream::bench {

/// A file of its own, removed when it dies.
class BareFile {
 public:
  explicit BareFile(std::string path);
  ~BareFile();
  BareFile(const BareFile&) = delete;
  BareFile& operator=(const BareFile&) = delete;

  /// Bytes a second of write() in pieces of 1 MiB to the end of the file, until `bytes` more are in the page cache. What
  /// earlier calls wrote stays: a file that is made anew each time gets the pages that the last one gave back, most of them
  /// never written to the disk, which nothing that keeps its data does.
  Result<double> write_rate(std::uint64_t bytes);
  /// Microseconds of each of `count` overwrites of `size` bytes followed by fdatasync, round and round in `span` bytes that
  /// hold data already, the first time after writing them.
  Result<std::vector<double>> overwrite_us(std::size_t size, std::uint64_t count, std::uint64_t span);
  /// The same of writes one behind the other into space that was reserved and holds no data yet, in a file made anew.
  Result<std::vector<double>> first_write_us(std::size_t size, std::uint64_t count);

 private:
  Result<int> open(int flags);
  Result<std::vector<double>> synced_writes_us(int descriptor, std::size_t size, std::uint64_t count,
                                               const std::function<std::uint64_t(std::uint64_t)>& position) const;
  std::string path_;
  int descriptor_ = -1;  ///< of the overwrites
  std::uint64_t overwritten_ = 0;
};

}  // namespace iotstream::bench
