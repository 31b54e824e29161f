#include "sim/engine.hpp"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>

namespace iotstream::sim {
namespace {

constexpr std::uint32_t devices_max = 100'000;
// Odd, so that the first devices of the simulations do not meet on one connection; a device keeps its lane.
constexpr std::uint64_t lanes_between_simulations = 131;
constexpr std::size_t batch_max = 256;  ///< readings built before the lock is given up
constexpr int batches_max = 16;         ///< before the caller gets a chance to stop

Status check(const config::Simulation& settings) {
  if (!std::isfinite(settings.speed) || settings.speed <= 0)
    return Error{ErrorKind::invalid, "a simulation's speed must be above 0"};
  if (settings.period && settings.period->us <= 0) return Error{ErrorKind::invalid, "a simulation's period must be above 0"};
  if (settings.devices == 0 || settings.devices > devices_max)
    return Error{ErrorKind::invalid, fmt::format("a simulation has 1 to {} devices", devices_max)};
  return {};
}

Error no_such(std::uint64_t id) { return {ErrorKind::not_found, fmt::format("there is no simulation {}", id)}; }

}  // namespace

Engine::Metrics::Metrics(metrics::Table& table)
    : sent(table.counter("iotstream_sim_sent_total", "Readings that simulated devices sent, repetitions included.")),
      acknowledged(table.counter("iotstream_sim_acknowledged_total", "Readings of simulated devices that were acknowledged.")),
      refused(
          table.counter("iotstream_sim_refused_total", "Readings of simulated devices that were refused and are tried again.")),
      dropped(table.counter("iotstream_sim_dropped_total", "Readings of simulated devices that were given up.")),
      skipped(table.counter("iotstream_sim_skipped_total",
                            "Readings of simulated devices that were overdue by more than a second.")),
      lateness(table.histogram("iotstream_sim_lateness_seconds", "How long after its deadline a simulated reading left.")) {}

Engine::Engine(catalog::Catalog& catalog, os::Clock& clock, metrics::Table& metrics, std::function<void()> wake)
    : catalog_(catalog), clock_(clock), metrics_(metrics), wake_(std::move(wake)), wall_time_(clock) {}

void Engine::set_transport(config::Transport kind, Transport* transport) {
  const std::scoped_lock lock(mutex_);
  (kind == config::Transport::http ? http_ : inproc_) = transport;
}

Simulation* Engine::find(std::uint64_t id) {
  const auto found = simulations_.find(id);
  return found == simulations_.end() ? nullptr : found->second.get();
}

Device* Engine::find(const Outgoing& outgoing, Simulation& simulation) const {
  if (outgoing.device >= simulation.devices().size()) return nullptr;
  Device& device = simulation.devices()[outgoing.device];
  const bool same = device.epoch == outgoing.epoch && device.in_flight && device.next == outgoing.row;
  return same ? &device : nullptr;
}

void Engine::schedule(Simulation& simulation, std::size_t index, std::int64_t deadline_ns) {
  simulation.devices()[index].scheduled_ns = deadline_ns;
  entries_.push({deadline_ns, simulation.id(), static_cast<std::uint32_t>(index)});
}

// The turn after the one that is on its way, so that an answer in time need not wake anybody.
void Engine::schedule_next(Simulation& simulation, std::size_t index) {
  Device device = simulation.devices()[index];
  if (device.in_flight) ++device.next;
  if (device.finished || (device.end != 0 && device.next >= device.end) || simulation.state() != State::running) return;
  Result<std::int64_t> deadline = simulation.deadline(device);
  if (!deadline) return simulation.fail(deadline.error().message);
  schedule(simulation, index, *deadline);
}

void Engine::schedule_all(Simulation& simulation) {
  for (std::size_t i = 0; i < simulation.devices().size(); ++i) schedule_next(simulation, i);
}

Result<std::uint64_t> Engine::add(const config::Simulation& settings) {
  if (Status checked = check(settings); !checked) return checked.error();
  const std::optional<catalog::Prototype> prototype = catalog_.find(settings.prototype);
  if (!prototype) return Error{ErrorKind::not_found, fmt::format("there is no prototype {}", settings.prototype)};
  std::unique_ptr<Simulation> simulation;
  Transport* transport = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    simulation = std::make_unique<Simulation>(++last_id_, settings, prototype->dataset);
    transport = settings.transport == config::Transport::http ? http_ : inproc_;
  }
  // Reading the first rows may take a while: the others go on meanwhile.
  if (transport)
    simulation->open(catalog_);
  else
    simulation->fail("there is no server to post to");
  const std::uint64_t id = simulation->id();
  {
    const std::scoped_lock lock(mutex_);
    simulation->begin(clock_.monotonic_ns());
    if (simulation->state() == State::failed)
      diagnostics::warning("sim", "simulation {} of {}: {}", id, settings.prototype, simulation->problem);
    schedule_all(*simulations_.emplace(id, std::move(simulation)).first->second);
  }
  wake_();
  return id;
}

Status Engine::change(std::uint64_t id, const SimulationChange& change) {
  {
    const std::scoped_lock lock(mutex_);
    Simulation* simulation = find(id);
    if (!simulation) return no_such(id);
    config::Simulation settings = simulation->settings();
    if (change.speed) settings.speed = *change.speed;
    if (change.period) settings.period = *change.period;
    if (change.devices) settings.devices = *change.devices;
    if (Status checked = check(settings); !checked) return checked;
    if (simulation->state() == State::failed || simulation->state() == State::finished)
      return Error{ErrorKind::conflict,
                   fmt::format("simulation {} is {}: remove it and add a new one", id, name_of(simulation->state()))};
    const std::int64_t now_ns = clock_.monotonic_ns();
    if (change.speed || change.period) simulation->set_cadence(settings.speed, settings.period, now_ns);
    if (change.devices) simulation->set_devices(settings.devices, now_ns);
    if (change.paused && *change.paused) simulation->pause();
    if (change.paused && !*change.paused) simulation->resume(now_ns);
    schedule_all(*simulation);
  }
  wake_();
  return {};
}

Status Engine::remove(std::uint64_t id) {
  const std::scoped_lock lock(mutex_);
  if (simulations_.erase(id) == 0) return no_such(id);
  return {};
}

std::vector<SimulationStatus> Engine::list() const {
  const std::scoped_lock lock(mutex_);
  const std::int64_t now_ns = clock_.monotonic_ns();
  std::vector<SimulationStatus> all;
  for (const auto& [id, simulation] : simulations_) all.push_back(simulation->status(now_ns));
  return all;
}

std::optional<std::int64_t> Engine::run_due() {
  std::optional<std::int64_t> next_ns;
  for (int i = 0; i < batches_max; ++i) {
    bool more = false;
    {
      const std::scoped_lock lock(mutex_);
      outgoing_.clear();
      more = collect(wall_time_.look());
      next_ns = entries_.empty() ? std::nullopt : std::optional(entries_.top().deadline_ns);
    }
    for (Outgoing& outgoing : outgoing_) send(outgoing);
    if (!more && outgoing_.empty()) break;
  }
  return next_ns;
}

// True when something that is due was left for the next batch.
bool Engine::collect(std::int64_t now_ns) {
  while (!entries_.empty() && entries_.top().deadline_ns <= now_ns) {
    if (outgoing_.size() >= batch_max) return true;
    const Entry entry = entries_.top();
    entries_.pop();
    Simulation* simulation = find(entry.simulation);
    if (!simulation || simulation->state() != State::running || entry.device >= simulation->devices().size()) continue;
    Device& device = simulation->devices()[entry.device];
    if (device.scheduled_ns != entry.deadline_ns) continue;
    device.scheduled_ns = -1;
    if (device.in_flight)
      device.overdue = true;
    else
      collect_one(*simulation, entry.device, now_ns);
  }
  return false;
}

void Engine::collect_one(Simulation& simulation, std::size_t index, std::int64_t now_ns) {
  Device& device = simulation.devices()[index];
  const std::uint64_t skipped_before = simulation.counts.skipped;
  Result<std::optional<Due>> due = simulation.due(device, now_ns);
  metrics_.skipped.add(simulation.counts.skipped - skipped_before);
  if (!due) return simulation.fail(due.error().message);
  if (!*due) return;
  if ((*due)->deadline_ns > now_ns) return schedule(simulation, index, (*due)->deadline_ns);

  if (device.attempts == 0) {
    const std::int64_t late_us = (now_ns - (*due)->deadline_ns) / 1000;
    simulation.lateness().note(now_ns, late_us);
    metrics_.lateness.record_us(late_us);
  }
  Outgoing& outgoing = outgoing_.emplace_back();
  outgoing.transport = simulation.settings().transport == config::Transport::http ? http_ : inproc_;
  outgoing.simulation = simulation.id();
  outgoing.device = static_cast<std::uint32_t>(index);
  outgoing.epoch = device.epoch;
  outgoing.row = device.next;
  simulation.render(device, *(*due)->row, wall_time_.at((*due)->deadline_ns), outgoing.body);
  device.in_flight = true;
  device.overdue = false;
  ++simulation.counts.sent;
  metrics_.sent.add();
  schedule_next(simulation, index);
}

void Engine::send(Outgoing& outgoing) {
  Outgoing about = outgoing;
  about.body.clear();
  const Sent sent = outgoing.transport->send(
      outgoing.simulation * lanes_between_simulations + outgoing.device, std::move(outgoing.body),
      [this, about](Verdict verdict, std::string problem) { answered(about, verdict, std::move(problem)); });
  if (sent == Sent::placed) placed(about);
}

void Engine::placed(const Outgoing& outgoing) {
  const std::scoped_lock lock(mutex_);
  Simulation* simulation = find(outgoing.simulation);
  Device* device = simulation ? find(outgoing, *simulation) : nullptr;
  if (!device) return;
  device->in_flight = false;
  device->attempts = 0;
  simulation->advance(*device);
}

void Engine::answered(const Outgoing& outgoing, Verdict verdict, std::string problem) {
  bool wake = false;
  {
    const std::scoped_lock lock(mutex_);
    Simulation* simulation = find(outgoing.simulation);
    if (!simulation) return;
    Simulation::Counts& counts = simulation->counts;
    ++(verdict == Verdict::acknowledged ? counts.acknowledged : verdict == Verdict::refused ? counts.refused : counts.dropped);
    (verdict == Verdict::acknowledged ? metrics_.acknowledged
     : verdict == Verdict::refused    ? metrics_.refused
                                      : metrics_.dropped)
        .add();
    if (!problem.empty()) simulation->problem = std::move(problem);
    Device* device = find(outgoing, *simulation);
    if (!device) return;
    device->in_flight = false;
    if (verdict == Verdict::refused) {
      try_again(*simulation, outgoing.device, *device);
      wake = true;
    } else {
      device->attempts = 0;
      simulation->advance(*device);
      wake = std::exchange(device->overdue, false);
      if (wake) schedule_next(*simulation, outgoing.device);
    }
  }
  if (wake) wake_();
}

void Engine::try_again(Simulation& simulation, std::size_t index, Device& device) {
  ++device.attempts;
  device.overdue = false;
  if (simulation.state() == State::running)
    schedule(simulation, index, clock_.monotonic_ns() + simulation.back_off_ns(index, device.attempts));
}

}  // namespace iotstream::sim
