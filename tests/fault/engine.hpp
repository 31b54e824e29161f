// A log under test, in two ways: driven by hand on one thread, so that a seed tells everything that happens; and as the product
// runs it, with its own threads.
#pragma once

#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <iotstream/log/log.hpp>

namespace iotstream::fault {

/// A promise that was broken.
struct Violation {
  std::string what;
};

/// One thread at a time. Whatever goes wrong in it is a Violation, thrown.
class Engine {
 public:
  enum class Kind : unsigned char { by_hand, threads };
  /// Opens the log in the folder `log` of `disk`, which outlives it; its clock stands still at `now`.
  static std::unique_ptr<Engine> open(Kind kind, os::Disk& disk, Timestamp now);
  virtual ~Engine() = default;

  virtual log::Topic& topic(const std::string& name, const log::TopicOptions& options) = 0;
  virtual log::Topic* find(const std::string& name) = 0;
  /// Lets something happen that could happen now: a batch is written, a partition synced, a mark written, or nothing.
  /// `syncs` of 16 times it is a sync.
  virtual void work(std::mt19937_64& random, unsigned syncs) = 0;
  /// Returns when the record is durable.
  virtual void finish(log::Partition& partition, Offset offset) = 0;
  /// Removes what the topic's retention allows.
  virtual void retain(log::Topic& topic) = 0;
  virtual void commit(std::span<const log::GroupOffset> offsets) = 0;
  virtual std::vector<log::GroupOffset> group_offsets() const = 0;
  virtual void close() = 0;
};

}  // namespace iotstream::fault
