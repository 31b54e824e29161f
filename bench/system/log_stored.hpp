// A log that is filled with known records, for the figures of much stored data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/system/log_workload.hpp"

namespace iotstream::bench {

/// Internal by its name, so that the whole program keeps no history of it.
inline constexpr const char* stored_topic = "_stored";

/// Event times grow by this from record to record: the record at an offset is known by its time, and the other way round.
inline constexpr std::int64_t stored_step_us = 10;
inline Timestamp stored_time(std::uint64_t offset) { return {static_cast<std::int64_t>(offset) * stored_step_us}; }

/// Appends until `bytes` are stored, and closes the log. Errors: of the log.
Status fill_stored(const std::string& directory, std::uint64_t bytes);

struct Starts {
  std::vector<double> log_ms;      ///< opening the log, until a record is durable in it
  std::vector<double> program_ms;  ///< the whole program, from its execution to the ready line
};
/// Kills a process that appends, then times the next one's start; `rounds` times the log alone, then the whole program.
/// `data_dir` is the program's, the log in its folder `log`. This process must have no other thread.
Result<Starts> starts_after_kill(const std::string& data_dir, std::uint64_t rounds, std::int64_t life_ms);

}  // namespace iotstream::bench
