// What a partition knows of its idempotent producers: for each the last sequence and where its latest records stand. A function
// of the log: the table after a record follows from the table before it and the record, so that it can be built again from what
// is stored, and two that saw the same records are the same.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include <iotstream/log/log.hpp>

#include "log/format.hpp"

namespace iotstream::log {

/// Bounded: producers_max of each kind, the one that has been silent for the most records is forgotten first. Not thread-safe.
class ProducerTable {
 public:
  static constexpr std::size_t runs_max = 8;

  struct Verdict {
    AppendStatus status = AppendStatus::accepted;  ///< accepted: its turn; duplicate, duplicate_unplaced, out_of_order
    std::uint64_t offset = 0;                      ///< of a duplicate: where the first one stands; unplaced: at most here
    std::uint64_t expected = 0;                    ///< when out of order
  };
  Verdict check(const Producer& producer) const;
  /// The record at `offset` is the producer's `sequence`. In the order of the log.
  void add(std::uint64_t id, std::uint64_t sequence, std::uint64_t offset);
  /// Adds the records of a frame that has producers.
  void add(const format::FrameHeader& header, ByteView frame);
  std::optional<std::uint64_t> last_sequence(std::uint64_t id) const;

  std::size_t size() const { return pools_[0].by_id.size() + pools_[1].by_id.size(); }

  /// A place between two frames of the log.
  struct Place {
    std::uint64_t offset = 0;        ///< of the record behind it
    std::uint64_t segment_base = 0;  ///< the segment that the next frame stands in, or that the one before ends in
    std::uint64_t position = format::frames_begin;
  };
  /// The table as its file holds it (FORMAT.md), as it stands at `place`.
  std::vector<std::byte> encode(const Place& place) const;
  struct Stored;
  /// Errors: corrupt, unsupported.
  static Result<Stored> decode(ByteView file);

 private:
  /// Records that follow one another in sequence and in the log.
  struct Run {
    std::uint64_t sequence = 0;
    std::uint64_t offset = 0;
    std::uint32_t count = 0;
  };
  struct Entry {
    std::uint64_t id = 0;
    std::uint64_t last_sequence = 0;
    std::vector<Run> runs;  ///< the last runs_max, oldest first
  };
  /// Producers that name themselves and those that stand for idempotency keys do not push each other out.
  struct Pool {
    Pool() = default;
    Pool(const Pool& other) : entries(other.entries) { index(); }
    Pool& operator=(const Pool& other) {
      entries = other.entries;
      index();
      return *this;
    }
    Pool(Pool&&) = default;  // a list that is moved keeps its nodes
    Pool& operator=(Pool&&) = default;
    ~Pool() = default;
    void index() {
      by_id.clear();
      for (auto entry = entries.begin(); entry != entries.end(); ++entry) by_id.emplace(entry->id, entry);
    }

    std::list<Entry> entries;  ///< the longest silent first
    std::unordered_map<std::uint64_t, std::list<Entry>::iterator> by_id;
  };
  Pool& pool_of(std::uint64_t id) { return pools_[id < producer_key_begin ? 0 : 1]; }
  const Entry* find(std::uint64_t id) const;
  Entry& touch(std::uint64_t id);

  std::array<Pool, 2> pools_;
};

struct ProducerTable::Stored {
  ProducerTable table;
  Place place;
};

}  // namespace iotstream::log
