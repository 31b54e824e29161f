// Whether a data directory holds what it promises: every byte of the log, and each record of it exactly once in history.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <iotstream/base/time.hpp>
#include <iotstream/log/verify.hpp>

namespace iotstream::store {

struct VerifyOptions {
  std::string data_dir;
  Duration retention_rows;  ///< as configured: what is older may be missing in history; 0: nothing may
  Timestamp now;
  /// The log, when this process has it open (with its history); else nobody may have the directory open.
  log::Log* log = nullptr;
};

struct VerifyTotals {
  log::VerifyTotals log;
  std::uint64_t datasets = 0;  ///< compared with history
  std::uint64_t rows = 0;      ///< of history, each at its record's partition and offset
  std::uint64_t damage = 0;    ///< findings so far
  std::uint64_t notes = 0;
};

/// log::Verifier, and for each dataset whether the rows of history are the records of the log: over the offsets that both hold
/// each one once, and the counts that history keeps are right. Takes two bits of memory for each record of one topic. Writes
/// nothing. One thread at a time.
class Verification {
 public:
  static std::unique_ptr<Verification> create(os::Disk& disk, VerifyOptions options);
  virtual ~Verification() = default;

  /// Reads about `bytes` of the log, or some thousand rows, more; false when all is done.
  virtual bool step(std::size_t bytes) = 0;
  /// What was found since the last call.
  virtual std::vector<log::Finding> take_findings() = 0;
  virtual const VerifyTotals& totals() const = 0;
};

}  // namespace iotstream::store
