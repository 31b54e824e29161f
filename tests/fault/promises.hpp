// What a log has promised at some moment of its lives, and whether a disk keeps it. I7–I12: offsets dense and increasing; what
// was acknowledged is there; the same content at an offset for ever, over any number of lives; what is left is what was
// written, in order; every index is a function of its segment; committed offsets whole and never older than promised.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "fault/engine.hpp"
#include "support/memory_disk.hpp"

namespace iotstream::fault {

/// A mistake that a log could make, made on its behalf while its answers are read: whoever checks them must notice.
enum class Canary : unsigned char {
  none,
  lost,       ///< the last acknowledged record is not there
  doubled,    ///< a record comes twice
  moved,      ///< records have come off by one
  changed,    ///< a byte of a value is another
  swapped,    ///< two records have changed places
  invented,   ///< a record that was never appended follows the last
  committed,  ///< a committed offset is one less
  forgotten,  ///< a topic is not there
  index,      ///< an index says something else than its segment
  tail,       ///< a torn tail was thrown away
  damage,     ///< damage is not reported, or reported where there is none
};
/// `none` when the name is not known.
Canary canary_of(std::string_view name);

struct PartitionPromise {
  std::uint64_t written = 0;   ///< acknowledged at `written`: a kill must not take it
  std::uint64_t durable = 0;   ///< acknowledged on stable storage, or served as durable after a start: nor must a power cut
  std::uint64_t earliest = 0;  ///< what retention may have removed so far
  unsigned opened = 0;         ///< the life that opened it last: what nobody was promised can only be that life's
};

struct Promises {
  struct TopicPromise {
    log::TopicOptions options;
    std::vector<PartitionPromise> partitions;
  };
  std::map<std::string, TopicPromise> topics;  ///< whose creation has returned
  std::uint64_t committed = 0;                 ///< of group g, for all its partitions
  std::set<std::string> indexes;               ///< that are stored
  bool clean = false;                          ///< the log was closed and not opened since

  /// A power cut has voided what was only promised against a kill.
  void forget_written() {
    for (auto& [name, topic] : topics)
      for (PartitionPromise& promise : topic.partitions) {
        promise.written = promise.durable;
        // It may also have taken what stands first, where nothing was promised; the next start says.
        if (promise.durable <= promise.earliest) promise.earliest = ~std::uint64_t{0};
      }
  }
};

/// Which life wrote the record that stands at each offset.
using Lives = std::map<std::string, std::vector<std::vector<unsigned>>>;

std::string value_of(const std::string& topic, std::uint32_t partition, std::uint64_t offset, unsigned life);
/// Event times run backwards now and then.
std::int64_t time_of(std::uint64_t offset);
inline constexpr std::uint32_t group_partitions = 40;  ///< enough for several sectors

/// How a disk came to be.
enum class Ending : unsigned char { kill, power_cut };

struct Checked {
  const Promises& promises;
  const Lives& lives;
  Ending ending;
  bool stale = false;  ///< the disk may show what a file's place held before
  Canary canary = Canary::none;
};

/// Opens the log on `image`, compares all that it holds, and has it go on; true when something had to be put aside. Throws a
/// Violation.
bool check(std::mt19937_64& random, Engine::Kind kind, test::MemoryDisk& image, const Checked& checked);

/// Reads a partition from its earliest record to the durable end, in steps of various sizes.
struct Seen {
  std::uint64_t offset;
  std::int64_t time_us;
  std::string value;
};
std::vector<Seen> read_all(log::Partition& partition, std::mt19937_64& random, Canary canary = Canary::none);

/// A torn tail that recovery must not throw away.
struct Tail {
  std::string segment;
  std::uint64_t position = 0;
  std::vector<std::byte> bytes;
};
/// What recovery has taken off the ends of segments, judged by the disk before and after it.
std::vector<Tail> cut_tails(const test::MemoryDisk& before, const test::MemoryDisk& after);
/// Every tail is still in its segment, or beside it.
void check_tails(const test::MemoryDisk& disk, const std::vector<Tail>& tails, Canary canary = Canary::none);

}  // namespace iotstream::fault
