// Senders that number their readings: one body of each at a time, and no number left out, over all partitions of a dataset.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <utility>

#include <iotstream/log/log.hpp>

namespace iotstream::ingest {

/// Where a sender stands is in the log, with its readings: it is looked up there when it is not known here. Known here are the
/// last producers_max that sent. Thread-safe.
class Producers {
 public:
  static constexpr std::size_t known_max = 10'000;

  enum class Verdict : unsigned char {
    proceed,  ///< read the body, then call leave()
    gap,      ///< it begins behind `expected`
    busy,     ///< another body of the same sender is being read
  };
  struct Admission {
    Verdict verdict = Verdict::proceed;
    std::uint64_t expected = 0;
  };
  /// `sequence` is that of the body's first reading. A sender that nobody knows begins where it likes.
  Admission enter(log::Topic& topic, std::uint64_t producer, std::uint64_t sequence);
  /// All below `next` has been handled, now or before.
  void leave(const log::Topic& topic, std::uint64_t producer, std::uint64_t next);

 private:
  using Key = std::pair<const log::Topic*, std::uint64_t>;
  struct Entry {
    Key key;
    std::uint64_t next = 0;
    bool busy = false;
  };
  using Entries = std::list<Entry>;
  static std::uint64_t next_in_log(log::Topic& topic, std::uint64_t producer, std::uint64_t sequence);
  void forget_old();

  std::mutex mutex_;  ///< guards all below; held for no I/O
  Entries entries_;   ///< who sent longest ago comes first
  std::map<Key, Entries::iterator> by_key_;
};

}  // namespace iotstream::ingest
