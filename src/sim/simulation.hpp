// One simulation: its devices, where each is on the tape, and when its next reading is due.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <iotstream/sim/simulator.hpp>

#include "sim/minute_max.hpp"
#include "sim/tape.hpp"
#include "sim/transport.hpp"

namespace iotstream::sim {

/// A device. Its deadlines are base_ns + (place on the tape − place of base_row), whatever happened to the readings before.
struct Device {
  std::uint64_t epoch = 0;  ///< of its making: an answer to a device that is no more is told by it
  std::uint64_t next = 0;   ///< row that is sent next, or is on its way
  std::uint64_t end = 0;    ///< one past its last row; 0: none
  std::uint64_t base_row = 0;
  std::int64_t base_at_us = 0;     ///< of base_row on the tape
  std::int64_t base_ns = 0;        ///< deadline of base_row, monotonic
  std::int64_t scheduled_ns = -1;  ///< its entry in the schedule; others of it are stale; -1: none
  std::uint32_t attempts = 0;      ///< refusals since the last reading that was taken
  bool in_flight = false;
  bool overdue = false;  ///< its turn came while in flight
  bool finished = false;
};

/// Reading that is due.
struct Due {
  std::int64_t deadline_ns = 0;
  const TapeRow* row = nullptr;
};

/// Not thread-safe: the engine's lock guards it.
class Simulation {
 public:
  static constexpr std::int64_t backlog_ns = 1'000'000'000;

  Simulation(std::uint64_t id, const config::Simulation& settings, std::string dataset);

  /// Opens the tape. Fails the simulation, with its reason, instead of giving an error.
  void open(catalog::Catalog& catalog);
  /// Places the devices, the first deadline of device k of n being k/n of a period after `now_ns`.
  void begin(std::int64_t now_ns);
  void fail(std::string problem);

  /// The next reading of a device, after skipping what is overdue by more than the backlog. Nothing when the device has played
  /// its last row. Errors: the tape's.
  Result<std::optional<Due>> due(Device& device, std::int64_t now_ns);
  /// When device.next is due. Errors: the tape's.
  Result<std::int64_t> deadline(const Device& device);
  /// The reading as the wire has it, with the time it was due at.
  void render(const Device& device, const TapeRow& row, Timestamp time, std::string& out) const;
  /// Past `next`; notes a finished device, and the end of the simulation with its last.
  void advance(Device& device);

  /// The cadence from now on; the deadlines that are near stay.
  void set_cadence(double speed, std::optional<Duration> period, std::int64_t now_ns);
  void set_devices(std::uint32_t count, std::int64_t now_ns);
  void pause();
  void resume(std::int64_t now_ns);
  /// Forgets rows that all devices have behind them.
  void trim();

  std::string device_name(std::size_t index) const;
  double expected_rate() const;
  /// Time to wait before `attempt`, from 1: 50 ms, doubling, to 2 s, by half at random from the seed.
  std::int64_t back_off_ns(std::size_t device, std::uint32_t attempt) const;
  SimulationStatus status(std::int64_t now_ns) const;

  std::uint64_t id() const { return id_; }
  const config::Simulation& settings() const { return settings_; }
  State state() const { return state_; }
  bool has_tape() const { return tape_ != nullptr; }
  std::vector<Device>& devices() { return devices_; }
  MinuteMax& lateness() { return lateness_; }

  struct Counts {
    std::uint64_t sent = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t refused = 0;
    std::uint64_t dropped = 0;
    std::uint64_t skipped = 0;
  };
  Counts counts;
  std::string problem;

 private:
  double ns_per_row() const;
  std::int64_t offset_ns(std::int64_t rows, std::int64_t tape_us) const;
  Status place(std::size_t index, std::uint64_t first, std::uint64_t window, std::int64_t now_ns);
  Status rebase(Device& device, std::int64_t base_ns);

  std::uint64_t id_;
  config::Simulation settings_;
  std::string dataset_;
  std::string head_;  ///< `{"DatasetType":"1","data":{"code":"X46789"`
  State state_ = State::running;
  std::unique_ptr<Tape> tape_;
  std::vector<Device> devices_;
  std::uint64_t loops_ = 0;
  std::uint64_t since_trim_ = 0;
  std::uint64_t epochs_ = 0;
  MinuteMax lateness_;
};

}  // namespace iotstream::sim
