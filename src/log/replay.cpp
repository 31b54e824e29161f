// Several runs of one topic, merged by event time and held back until they are due.
#include <algorithm>
#include <deque>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <iotstream/log/replay.hpp>

#include "log/replay_pace.hpp"
#include "log/replay_run.hpp"

namespace iotstream::log {
namespace {

constexpr std::size_t runs_of_partition_max = 64;
constexpr std::size_t windows_of_partition = 8;  ///< its share of the memory, as windows
constexpr std::size_t window_max = 256u << 10;
constexpr std::size_t window_min = 4u << 10;
constexpr std::size_t bytes_per_call = 4u << 20;
constexpr std::int64_t forever_ns = INT64_MAX;

Status check_speed(double speed) {
  // Written so that NaN is refused.
  if (speed == 0 || (speed >= replay_speed_min && speed <= replay_speed_max)) return {};
  return Error{ErrorKind::invalid,
               fmt::format("a replay runs at {} to {} times the recorded pace, or at 0: as fast as possible", replay_speed_min,
                           replay_speed_max)};
}

class ReplayOverTopic final : public Replay {
 public:
  ReplayOverTopic(Topic& topic, ReplayOptions options, os::Clock& clock, metrics::Table& metrics)
      : topic_(topic),
        options_(std::move(options)),
        clock_(clock),
        records_(metrics.counter("iotstream_log_replay_records_total", "Records delivered by replays.")),
        late_(metrics.counter("iotstream_log_replay_late_total", "Records that a replay delivered out of order.")),
        open_(metrics.gauge("iotstream_log_replays", "Replays that are open.")),
        pace_(options_.speed),
        sources_(topic.partition_count()) {
    range_.from_us = options_.from.value_or(Timestamp{INT64_MIN}).us;
    range_.to_us = options_.to.value_or(Timestamp{INT64_MAX}).us;
    range_.key = options_.key;
    const std::size_t share = options_.memory_max / sources_.size();
    window_ = std::clamp(share / windows_of_partition, window_min, window_max);
    cost_max_ = std::max(share, 2 * window_);
    open_.add(1);
  }
  ~ReplayOverTopic() override { open_.add(-1); }

  Result<Step> next() override;

  void pause() override { pace_.pause(clock_.monotonic_ns()); }
  void resume() override { pace_.resume(clock_.monotonic_ns()); }
  Status set_speed(double speed) override {
    if (auto good = check_speed(speed); !good) return good;
    pace_.set_speed(speed, clock_.monotonic_ns());
    return {};
  }
  Status seek(Timestamp time) override;

  Timestamp position() const override { return {std::min(pace_.position_us(clock_.monotonic_ns()), range_.to_us)}; }
  double speed() const override { return pace_.speed(); }
  Progress progress() const override { return progress_; }

 private:
  /// What is still to be read of one partition.
  struct Source {
    std::deque<Stretch> waiting;  ///< by least time
    std::size_t running = 0;
    std::size_t cost = 0;  ///< of the running ones
    Offset end;            ///< of the picture that is being delivered
  };
  struct Running {
    Running(Partition& partition, PartitionId id, const Stretch& stretch, std::size_t window)
        : run(partition, id, stretch.first, stretch.next, window) {}
    ReplayRun run;
    std::size_t counted = 0;  ///< in its source's cost
  };
  /// A run's first record, in the order of all.
  struct Head {
    std::int64_t time_us;
    PartitionId partition;
    std::uint64_t offset;
    Running* running;
    bool operator<(const Head& other) const {  // for the heap: the least in front
      return std::tie(time_us, partition, offset) > std::tie(other.time_us, other.partition, other.offset);
    }
  };

  bool selected(std::uint32_t id) const;
  Status take_picture();
  bool extend_picture();
  void add_stretches(std::uint32_t id, Offset begin, Offset end);
  void start_runs();
  Result<bool> gather();
  bool may_start(const Source& source) const;
  void settle(Running* running);
  void close(Running* running);
  Step step_when_done(std::int64_t now_ns);
  void shorten_silence(std::int64_t next_us, std::int64_t now_ns);
  Step deliver();

  Topic& topic_;
  ReplayOptions options_;
  os::Clock& clock_;
  metrics::Counter& records_;
  metrics::Counter& late_;
  metrics::Gauge& open_;
  ReplayRange range_;
  std::size_t window_ = 0;    ///< bytes of one run's records in order
  std::size_t cost_max_ = 0;  ///< of one partition
  ReplayPace pace_;
  Progress progress_;

  bool pictured_ = false;
  std::vector<Source> sources_;  ///< by partition
  std::vector<std::unique_ptr<Running>> runs_;
  std::vector<Running*> filling_;  ///< their window is not full
  std::vector<Head> heads_;        ///< a heap; of every other run
  HeldRecord current_;             ///< what was delivered last, for its views
  std::int64_t delivered_us_ = INT64_MIN;
};

bool ReplayOverTopic::selected(std::uint32_t id) const {
  if (options_.partition && options_.partition->value != id) return false;
  return range_.key.empty() || topic_.partition_of(range_.key).value == id;
}

/// What is durable now is what will be delivered.
Status ReplayOverTopic::take_picture() {
  for (std::uint32_t id = 0; id != sources_.size(); ++id) {
    sources_[id] = {};  // what an earlier attempt that failed has left
    if (!selected(id)) continue;
    Partition& partition = topic_.partition(PartitionId(id));
    const Watermarks marks = partition.watermarks();
    Offset begin = marks.earliest;
    if (options_.from || range_.from_us != INT64_MIN) {
      auto sought = partition.seek({range_.from_us});
      if (!sought) return sought.error();
      begin = std::max(begin, *sought);
    }
    sources_[id].end = marks.durable;
    add_stretches(id, begin, marks.durable);
  }
  pictured_ = true;
  return {};
}

void ReplayOverTopic::add_stretches(std::uint32_t id, Offset begin, Offset end) {
  auto& waiting = sources_[id].waiting;
  for (Stretch stretch : topic_.partition(PartitionId(id)).stretches()) {
    stretch.first = std::max(stretch.first, begin);
    stretch.next = std::min(stretch.next, end);
    if (stretch.first >= stretch.next || stretch.greatest.us < range_.from_us || stretch.least.us >= range_.to_us) continue;
    stretch.least.us = std::max(stretch.least.us, range_.from_us);
    waiting.push_back(stretch);
  }
  std::stable_sort(waiting.begin(), waiting.end(), [](const Stretch& a, const Stretch& b) { return a.least < b.least; });
}

/// What has become durable since; false when nothing has.
bool ReplayOverTopic::extend_picture() {
  bool more = false;
  for (std::uint32_t id = 0; id != sources_.size(); ++id) {
    if (!selected(id)) continue;
    Source& source = sources_[id];
    const Offset durable = topic_.partition(PartitionId(id)).watermarks().durable;
    if (durable <= source.end) continue;
    add_stretches(id, source.end, durable);
    source.end = durable;
    more = more || !source.waiting.empty();
  }
  return more;
}

/// One always; more as long as the memory allows. What waits then comes late.
bool ReplayOverTopic::may_start(const Source& source) const {
  if (source.waiting.empty()) return false;
  return source.running == 0 || (source.running < runs_of_partition_max && source.cost + 2 * window_ <= cost_max_);
}

/// Every stretch that may hold a record at or before the next one must be looked into first.
void ReplayOverTopic::start_runs() {
  for (;;) {
    std::uint32_t chosen = 0;
    const Stretch* least = nullptr;
    for (std::uint32_t id = 0; id != sources_.size(); ++id) {
      if (!may_start(sources_[id])) continue;
      const Stretch& stretch = sources_[id].waiting.front();
      if (least != nullptr && least->least <= stretch.least) continue;
      least = &stretch;
      chosen = id;
    }
    if (least == nullptr) return;
    const bool needed = heads_.empty() ? filling_.empty() : least->least.us <= heads_.front().time_us;
    if (!needed) return;
    const PartitionId id(chosen);
    Running& running = *runs_.emplace_back(std::make_unique<Running>(topic_.partition(id), id, *least, window_));
    running.counted = running.run.cost();
    filling_.push_back(&running);
    sources_[chosen].waiting.pop_front();
    sources_[chosen].cost += running.counted;
    ++sources_[chosen].running;
  }
}

/// Fills windows and starts runs until the first head is the next record of all; false when there is more to read than one call
/// should.
Result<bool> ReplayOverTopic::gather() {
  std::size_t budget = bytes_per_call;
  for (;;) {
    while (!filling_.empty()) {
      Running* const running = filling_.back();
      auto filled = running->run.fill(range_, budget);
      progress_.missed += running->run.take_missed();
      if (!filled) return filled.error();
      if (!*filled) return false;
      filling_.pop_back();
      settle(running);
    }
    start_runs();
    if (filling_.empty()) return true;
  }
}

void ReplayOverTopic::settle(Running* running) {
  const ReplayRun& run = running->run;
  Source& source = sources_[run.partition().value];
  source.cost -= running->counted;
  running->counted = run.cost();
  source.cost += running->counted;
  if (run.empty()) return close(running);
  heads_.push_back({run.head().time_us, run.partition(), run.head().offset, running});
  std::push_heap(heads_.begin(), heads_.end());
}

void ReplayOverTopic::close(Running* running) {
  Source& source = sources_[running->run.partition().value];
  source.cost -= running->counted;
  --source.running;
  std::erase_if(runs_, [running](const auto& other) { return other.get() == running; });
}

Result<Replay::Step> ReplayOverTopic::next() {
  Step step;
  step.due_ns = forever_ns;
  if (pace_.paused()) {
    step.state = State::paused;
    return step;
  }
  if (!pace_.started() && range_.from_us != INT64_MIN) pace_.start_at(range_.from_us, clock_.monotonic_ns());
  if (!pictured_)
    if (auto taken = take_picture(); !taken) return taken.error();
  for (;;) {
    auto ready = gather();
    if (!ready) return ready.error();
    const std::int64_t now_ns = clock_.monotonic_ns();
    if (!*ready) {
      step.state = State::later;
      step.due_ns = now_ns;
      return step;
    }
    if (heads_.empty()) {
      if (options_.follow && extend_picture()) continue;
      return step_when_done(now_ns);
    }
    const std::int64_t next_us = heads_.front().time_us;
    if (!pace_.started()) pace_.start_at(next_us, now_ns);
    shorten_silence(next_us, now_ns);
    const std::int64_t due_ns = pace_.due_ns(next_us);
    if (due_ns <= now_ns) return deliver();
    step.state = State::later;
    step.due_ns = due_ns;
    return step;
  }
}

Replay::Step ReplayOverTopic::step_when_done(std::int64_t now_ns) {
  Step step;
  step.due_ns = forever_ns;
  const bool bounded = range_.to_us != INT64_MAX;
  const bool paced = pace_.started() && !pace_.unbounded();
  const bool over = bounded && (paced ? pace_.position_us(now_ns) : clock_.now().us) >= range_.to_us;
  if (!options_.follow || over) return step;
  step.state = State::waiting;
  if (bounded) step.due_ns = paced ? pace_.due_ns(range_.to_us) : now_ns + (range_.to_us - clock_.now().us) * 1000;
  return step;
}

void ReplayOverTopic::shorten_silence(std::int64_t next_us, std::int64_t now_ns) {
  if (options_.gap_max.us <= 0 || pace_.unbounded()) return;
  const std::int64_t position_us = pace_.position_us(now_ns);
  if (next_us > position_us && next_us - position_us > options_.gap_max.us)
    pace_.start_at(next_us - options_.gap_max.us, now_ns);
}

Replay::Step ReplayOverTopic::deliver() {
  std::pop_heap(heads_.begin(), heads_.end());
  Running* const running = heads_.back().running;
  heads_.pop_back();
  current_ = running->run.take();
  filling_.push_back(running);

  Step step;
  step.state = State::record;
  step.partition = running->run.partition();
  const std::string_view bytes = current_.bytes;
  step.record = {Offset(current_.offset),
                 {current_.time_us},
                 {current_.append_us},
                 bytes.substr(0, current_.key_size),
                 as_bytes(bytes.substr(current_.key_size))};
  step.late = current_.time_us < delivered_us_;
  delivered_us_ = std::max(delivered_us_, current_.time_us);
  pace_.delivered(current_.time_us);
  ++progress_.records;
  records_.add();
  if (step.late) {
    ++progress_.late;
    late_.add();
  }
  return step;
}

Status ReplayOverTopic::seek(Timestamp time) {
  if (time.us >= range_.to_us)
    return Error{ErrorKind::invalid,
                 fmt::format("a replay up to {} cannot go to {}", format_rfc3339({range_.to_us}), format_rfc3339(time))};
  range_.from_us = time.us;
  filling_.clear();
  heads_.clear();
  runs_.clear();
  std::fill(sources_.begin(), sources_.end(), Source());
  pictured_ = false;
  delivered_us_ = INT64_MIN;
  pace_.start_at(time.us, clock_.monotonic_ns());
  return {};
}

}  // namespace

Result<std::unique_ptr<Replay>> Replay::open(Topic& topic, ReplayOptions options, os::Clock& clock, metrics::Table& metrics) {
  if (auto good = check_speed(options.speed); !good) return good.error();
  if (options.from && options.to && *options.from >= *options.to)
    return Error{ErrorKind::invalid, fmt::format("a replay from {} to {} holds nothing", format_rfc3339(*options.from),
                                                 format_rfc3339(*options.to))};
  if (options.partition && options.partition->value >= topic.partition_count())
    return Error{ErrorKind::invalid, fmt::format("topic '{}' has no partition {}", topic.name(), *options.partition)};
  return std::unique_ptr<Replay>(std::make_unique<ReplayOverTopic>(topic, std::move(options), clock, metrics));
}

}  // namespace iotstream::log
