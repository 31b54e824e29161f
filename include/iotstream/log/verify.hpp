// Whether everything that the log holds is as it was written: every byte read, nothing changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <iotstream/base/ids.hpp>
#include <iotstream/log/log.hpp>
#include <iotstream/os/disk.hpp>

namespace iotstream::log {

/// Something that is not as it should be, and where.
struct Finding {
  enum class Kind : unsigned char {
    damage,  ///< a promise is broken: what was written or counted is not there, or is something else
    note,    ///< nothing is lost, but a person may want to know
  };
  Kind kind = Kind::damage;
  std::string topic;                     ///< empty: not of one topic
  std::optional<PartitionId> partition;  ///< nothing: of the whole topic
  Offset first;                          ///< the records concerned; none when first == next
  Offset next;
  std::string file;            ///< empty: not of one file
  std::uint64_t position = 0;  ///< byte offset in the file
  std::string what;            ///< one sentence
};

/// What has been looked at so far.
struct VerifyTotals {
  std::uint64_t topics = 0;
  std::uint64_t partitions = 0;
  std::uint64_t segments = 0;
  std::uint64_t batches = 0;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;           ///< of segments
  std::uint64_t bytes_expected = 0;  ///< of all segments, as the files were at the start: what `bytes` goes towards
  std::uint64_t indexes = 0;         ///< equal to what a rebuild of them gives
  std::uint64_t indexes_absent = 0;  ///< of closed segments: not needed, they are rebuilt
  std::uint64_t groups = 0;
};

/// Gets what passed its checks, in order: by topic, partition, offset. For those who keep something of each record.
class VerifyVisitor {
 public:
  virtual ~VerifyVisitor() = default;
  virtual void begin_topic(const std::string& topic, std::uint32_t partitions) = 0;
  /// `record` is valid during the call.
  virtual void record(PartitionId partition, const Record& record) = 0;
  /// All of the partition in [earliest, next) has been looked at; what was not given is damaged.
  virtual void end_partition(PartitionId partition, Offset earliest, Offset next) = 0;
  virtual void end_topic() = 0;
};

struct VerifyOptions {
  std::string directory;  ///< `<data_dir>/log`
  /// The log, when this process has it open: then what is durable when a partition's turn comes is checked, and what retention
  /// removes meanwhile is passed over. Without it nobody may write to the directory.
  Log* log = nullptr;
};

/// Checks every segment (headers, checksum and chain of every batch, dense offsets, times), every index against what a rebuild
/// gives, the durable marks, the topics' files, and the offsets of consumer groups. Opens files for reading only. Damage ends
/// nothing: it is found, said, and passed. One thread at a time; all references outlive it.
class Verifier {
 public:
  /// `visitor` may be null.
  static std::unique_ptr<Verifier> create(os::Disk& disk, VerifyOptions options, VerifyVisitor* visitor = nullptr);
  virtual ~Verifier() = default;

  /// Reads about `bytes` more (damage may make it more); false when all is done. With a visitor a step ends with its topic.
  virtual bool step(std::size_t bytes) = 0;
  /// What was found since the last call.
  virtual std::vector<Finding> take_findings() = 0;
  virtual const VerifyTotals& totals() const = 0;
};

}  // namespace iotstream::log
