// A log whose every byte is known, and one thing at a time that can go wrong with its files while nobody looks.
#pragma once

#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "fault/promises.hpp"

namespace iotstream::fault {

struct Frame {
  std::uint64_t position;
  std::uint64_t length;
  std::uint64_t base;
  std::uint64_t next;
  std::uint64_t durable;  ///< what it testifies
};

struct SegmentTruth {
  std::string partition;  ///< `topic/0`
  std::uint64_t base = 0;
  std::uint64_t next = 0;
  bool sealed = false;  ///< it has an index, so it needs no header
  std::vector<Frame> frames;
};

struct PartitionTruth {
  std::uint64_t earliest = 0;
  std::uint64_t marked = 0;  ///< the durable mark on disk
  std::vector<Seen> records;
  std::uint64_t end() const { return earliest + records.size(); }
};

struct Golden {
  std::shared_ptr<test::MemoryDisk> disk;
  std::map<std::string, PartitionTruth> partitions;  ///< by `topic/0`
  std::map<std::string, SegmentTruth> segments;      ///< by path
  std::uint64_t committed = 0;
  bool clean = false;
};
/// A new one: several topics of several segments; closed, or left standing as by a kill.
Golden make_golden(std::mt19937_64& random);

/// One fault and what it may cost.
struct Damage {
  std::string what;  ///< for people
  /// Offsets that may be lost, by partition: those of the batches that were hit.
  std::map<std::string, std::set<std::uint64_t>> lost;
  bool groups = false;  ///< the last commit may be lost
};
/// Does something random to the files of `disk`, a copy of the golden one: to those of one kind (`segment`, `index`, `mark`,
/// `topic`, `groups`), when it is named.
Damage do_damage(std::mt19937_64& random, const Golden& golden, test::MemoryDisk& disk, const std::string& kind = {});

}  // namespace iotstream::fault
