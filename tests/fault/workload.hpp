// Random work on a log, with every promise that it makes noted in the disk's record, where it was made.
#pragma once

#include <memory>
#include <random>

#include "fault/mutations.hpp"
#include "fault/promises.hpp"

namespace iotstream::fault {

/// Of the topics `batch`, `interval`, `none` and `retained`.
const log::TopicOptions& options_of(std::string_view topic);

/// How a life passes.
struct Rhythm {
  std::uint64_t records_max = 260;
  unsigned pause = 2;    ///< steps of work after an append, about
  unsigned syncs = 4;    ///< of 16 steps
  unsigned finish = 12;  ///< one of so many appends is waited for
  unsigned commit = 30;  ///< before one of so many appends offsets are committed
  unsigned retain = 40;  ///< before one of so many retention is kept
};
/// Busy ones, lazy ones that sync seldom, hasty ones that hardly begin, and those that write record by record.
Rhythm rhythm_of(Tempo tempo, std::mt19937_64& random);

/// One life of a log: from its start to its close, or to where it is left standing.
class Workload {
 public:
  /// `disk` is being recorded; the notes change `*now`. `lives` learns which records are written.
  Workload(std::mt19937_64& random, std::shared_ptr<test::MemoryDisk> disk, std::shared_ptr<Promises> now, Lives& lives,
           unsigned life);

  void run(Engine::Kind kind, DiskSync without, const Focus& focus);

 private:
  struct Place {
    log::Partition* partition;
    std::string topic;
    std::uint32_t id;
    std::uint64_t next;
    bool syncs;
  };
  template <class Change>
  void note(Change change) {
    disk_->note([now = now_, change] { change(*now); });
  }

  void take_up(log::Topic& topic);
  void create(Engine& engine);
  void append(Engine& engine);
  void retain(Engine& engine);
  void commit(Engine& engine);

  std::mt19937_64& random_;
  std::shared_ptr<test::MemoryDisk> disk_;
  std::shared_ptr<Promises> now_;
  Lives& lives_;
  unsigned life_;
  Rhythm rhythm_;
  Focus focus_;
  std::vector<Place> places_;
};

}  // namespace iotstream::fault
