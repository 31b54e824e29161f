#include "sim/simulation.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include <iotstream/base/json.hpp>

namespace iotstream::sim {
namespace {

constexpr std::int64_t back_off_first_ns = 50'000'000;
constexpr std::int64_t back_off_max_ns = 2'000'000'000;
constexpr std::uint64_t rows_between_trims = 64;

// SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014): a number from
// numbers, no state to keep.
std::uint64_t mixed(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15u;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
  return value ^ (value >> 31);
}

// In the open JSON object of a reading; what the row says about these is not about now.
std::vector<std::string> members_of_the_sender(bool named) {
  std::vector<std::string> names = {"code", "dateHour", "@timestamp"};
  if (named) names.emplace_back("device");
  return names;
}

}  // namespace

std::string_view name_of(State state) {
  switch (state) {
    case State::running:
      return "running";
    case State::paused:
      return "paused";
    case State::finished:
      return "finished";
    case State::failed:
      return "failed";
  }
  return "failed";
}

Simulation::Simulation(std::uint64_t id, const config::Simulation& settings, std::string dataset)
    : id_(id), settings_(settings), dataset_(std::move(dataset)) {
  head_ = "{\"DatasetType\":";
  json::append_string(head_, dataset_);
  head_ += ",\"data\":{\"code\":";
  json::append_string(head_, settings_.prototype);
}

void Simulation::fail(std::string reason) {
  state_ = State::failed;
  problem = std::move(reason);
  tape_.reset();
  devices_.clear();
}

void Simulation::open(catalog::Catalog& catalog) {
  Result<std::unique_ptr<Tape>> tape = Tape::open(catalog, settings_.prototype, members_of_the_sender(settings_.devices > 1));
  if (!tape) return fail(tape.error().message);
  tape_ = std::move(*tape);
  if (settings_.devices == 1) return;
  if (Result<std::uint64_t> filled = tape_->fill_window(0); !filled) fail(filled.error().message);
}

void Simulation::begin(std::int64_t now_ns) {
  if (tape_) set_devices(settings_.devices, now_ns);
}

double Simulation::ns_per_row() const {
  const std::int64_t us = settings_.period ? settings_.period->us : tape_->median_gap_us();
  return static_cast<double>(us) * 1000.0 / settings_.speed;
}

// From the base, in one step from whole numbers: nothing adds up.
std::int64_t Simulation::offset_ns(std::int64_t rows, std::int64_t tape_us) const {
  const long double us = settings_.period ? static_cast<long double>(rows) * static_cast<long double>(settings_.period->us)
                                          : static_cast<long double>(tape_us);
  return static_cast<std::int64_t>(std::llround(us * 1000.0L / static_cast<long double>(settings_.speed)));
}

Status Simulation::rebase(Device& device, std::int64_t base_ns) {
  Result<const TapeRow*> row = tape_->row(device.next);
  if (!row) return std::move(row).error();
  device.base_row = device.next;
  device.base_at_us = (*row)->at_us;
  device.base_ns = base_ns;
  return {};
}

Status Simulation::place(std::size_t index, std::uint64_t first, std::uint64_t window, std::int64_t now_ns) {
  Device& device = devices_[index];
  device = Device();
  device.epoch = ++epochs_;
  const std::uint64_t random = mixed(mixed(settings_.seed) + index);
  device.next = first + (index == 0 ? 0 : random % window);
  device.end = settings_.loop ? 0 : device.next + tape_->row_count();
  const double share = static_cast<double>(index) / static_cast<double>(devices_.size());
  return rebase(device, now_ns + std::llround(share * ns_per_row()));
}

void Simulation::set_devices(std::uint32_t count, std::int64_t now_ns) {
  const std::size_t before = devices_.size();
  std::uint64_t first = before == 0 ? 0 : devices_[0].next;
  for (const Device& device : devices_) first = std::min(first, device.next);
  settings_.devices = count;
  devices_.resize(count);
  if (count <= before || !tape_) return;
  std::uint64_t window = 1;
  if (count > 1) {
    Result<std::uint64_t> filled = tape_->fill_window(first);
    if (!filled) return fail(filled.error().message);
    window = *filled;
  }
  for (std::size_t index = before; index < count; ++index)
    if (Status placed = place(index, first, window, now_ns); !placed) return fail(placed.error().message);
}

Result<std::int64_t> Simulation::deadline(const Device& device) {
  if (settings_.period) return device.base_ns + offset_ns(static_cast<std::int64_t>(device.next - device.base_row), 0);
  Result<const TapeRow*> row = tape_->row(device.next);
  if (!row) return std::move(row).error();
  return device.base_ns + offset_ns(0, (*row)->at_us - device.base_at_us);
}

Result<std::optional<Due>> Simulation::due(Device& device, std::int64_t now_ns) {
  for (;;) {
    if (device.finished) return std::optional<Due>();
    Result<std::int64_t> when = deadline(device);
    if (!when) return std::move(when).error();
    if (now_ns - *when > backlog_ns) {
      ++counts.skipped;
      advance(device);
      continue;
    }
    Result<const TapeRow*> row = tape_->row(device.next);
    if (!row) return std::move(row).error();
    if (&device == &devices_.front()) loops_ = (*row)->loop;
    return std::optional<Due>({*when, *row});
  }
}

void Simulation::render(const Device& device, const TapeRow& row, Timestamp time, std::string& out) const {
  out += head_;
  out += ",\"dateHour\":\"";
  out += format_date_hour(time);
  out += "\",\"@timestamp\":\"";
  out += format_rfc3339(time);
  out += '"';
  out += row.members;
  if (devices_.size() > 1) {
    // Behind the row's own members: should one of them be called device, the last of two stays.
    out += ",\"device\":";
    json::append_string(out, device_name(static_cast<std::size_t>(&device - devices_.data())));
  }
  out += "}}";
}

void Simulation::advance(Device& device) {
  ++device.next;
  if (++since_trim_ >= rows_between_trims) trim();
  if (device.end == 0 || device.next < device.end) return;
  device.finished = true;
  if (std::all_of(devices_.begin(), devices_.end(), [](const Device& one) { return one.finished; })) state_ = State::finished;
}

void Simulation::trim() {
  since_trim_ = 0;
  std::uint64_t first = devices_.front().next;
  for (const Device& device : devices_) first = std::min(first, device.next);
  tape_->forget_before(first);
}

void Simulation::set_cadence(double speed, std::optional<Duration> period, std::int64_t now_ns) {
  std::vector<std::int64_t> deadlines;
  for (const Device& device : devices_) deadlines.push_back(deadline(device).ok() ? *deadline(device) : now_ns);
  settings_.speed = speed;
  settings_.period = period;
  if (!tape_) return;
  // The reading that would have come soon still does; one that is far off comes after one new period.
  const std::int64_t latest = now_ns + std::llround(ns_per_row());
  for (std::size_t i = 0; i < devices_.size(); ++i)
    if (Status based = rebase(devices_[i], std::clamp(deadlines[i], now_ns, latest)); !based)
      return fail(based.error().message);
}

void Simulation::pause() {
  if (state_ == State::running) state_ = State::paused;
}

void Simulation::resume(std::int64_t now_ns) {
  if (state_ != State::paused) return;
  state_ = State::running;
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(devices_.size());
    if (Status based = rebase(devices_[i], now_ns + std::llround(share * ns_per_row())); !based)
      return fail(based.error().message);
  }
}

std::string Simulation::device_name(std::size_t index) const {
  return settings_.devices == 1 ? settings_.prototype : fmt::format("{}-{}", settings_.prototype, index + 1);
}

double Simulation::expected_rate() const {
  return state_ == State::running && tape_ ? static_cast<double>(devices_.size()) * 1e9 / ns_per_row() : 0;
}

std::int64_t Simulation::back_off_ns(std::size_t device, std::uint32_t attempt) const {
  const std::uint32_t doublings = std::min(attempt > 0 ? attempt - 1 : 0, 6u);
  const std::int64_t whole = std::min(back_off_first_ns << doublings, back_off_max_ns);
  const std::uint64_t random = mixed(mixed(mixed(settings_.seed) + device) + attempt);
  return whole / 2 + static_cast<std::int64_t>(random % static_cast<std::uint64_t>(whole / 2 + 1));
}

SimulationStatus Simulation::status(std::int64_t now_ns) const {
  SimulationStatus out;
  out.id = id_;
  out.settings = settings_;
  out.dataset = dataset_;
  out.state = state_;
  out.problem = problem;
  out.sent = counts.sent;
  out.acknowledged = counts.acknowledged;
  out.refused = counts.refused;
  out.dropped = counts.dropped;
  out.skipped = counts.skipped;
  out.loops = loops_;
  out.lateness_us_max = lateness_.at(now_ns);
  out.expected_rate = expected_rate();
  for (std::size_t i = 0; i < devices_.size(); ++i) out.devices.push_back(device_name(i));
  return out;
}

}  // namespace iotstream::sim
