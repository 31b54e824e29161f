#include "store/writer.hpp"

#include <algorithm>
#include <sqlite3.h>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>
#include <iotstream/os/process.hpp>

namespace iotstream::store {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds batch_time{100};   ///< between the beginnings of two transactions while records trickle in
constexpr std::size_t batch_rows = 4096;  ///< of one transaction; more do not make it faster (README.md)
constexpr std::size_t read_bytes = 256u << 10;
constexpr milliseconds back_off_min{50};
constexpr milliseconds back_off_max{5000};
constexpr milliseconds finish_time{3000};  ///< of stop(), within the 5 s that a process has
constexpr Duration idle_checkpoint = Duration::seconds(1);
constexpr Duration idle_time = Duration::seconds(10);  ///< until retention is looked at without any record coming
constexpr int lock_wait_ms = 250;  ///< another program's transaction; longer ones are waited for with pauses
constexpr std::string_view pin_name = "history";

}  // namespace

Writer::Figures::Figures(metrics::Table& metrics)
    : rows(metrics.counter("iotstream_store_rows_total", "Rows written to history.")),
      transactions(metrics.counter("iotstream_store_transactions_total", "Transactions of rows and offsets.")),
      failures(metrics.counter("iotstream_store_failures_total", "Reads and transactions that failed and are tried again.")),
      rejected(metrics.counter("iotstream_store_records_rejected_total", "Records that could not be decoded.")),
      skipped(metrics.counter("iotstream_store_records_skipped_total", "Offsets that the log could not give any more.")),
      commit_seconds(metrics.histogram("iotstream_store_commit_seconds", "Time of a transaction from its first row on.")),
      lag_records(metrics.gauge("iotstream_store_lag_records", "Durable records that are not in history yet.")) {}

Writer::Writer(std::unique_ptr<Recorder> recorder, std::unique_ptr<Retention> retention,
               std::unique_ptr<RollupRetention> rollup_retention, log::Log& log, os::Clock& clock, metrics::Table& metrics,
               Inventory& inventory)
    : recorder_(std::move(recorder)),
      retention_(std::move(retention)),
      rollup_retention_(std::move(rollup_retention)),
      log_(log),
      clock_(clock),
      inventory_(inventory),
      checkpointer_(recorder_->database(), log, metrics),
      figures_(metrics) {}

Result<std::unique_ptr<Writer>> Writer::start(const std::string& path, const config::Store& options, log::Log& log,
                                              const catalog::Schemas& schemas, os::Clock& clock, metrics::Table& metrics,
                                              Inventory& inventory) {
  auto recorder = Recorder::open(path, schemas, Retention::arrival_step(options.retention_rows));
  if (!recorder) return recorder.error();
  sqlite3_busy_timeout((*recorder)->database().handle(), lock_wait_ms);
  auto retention = Retention::open(path, options.retention_rows, metrics);
  if (!retention) return retention.error();
  auto rollups = RollupRetention::open(path, options, metrics);
  if (!rollups) return rollups.error();
  std::unique_ptr<Writer> writer(
      new Writer(std::move(*recorder), std::move(*retention), std::move(*rollups), log, clock, metrics, inventory));
  for (const auto& [name, dataset] : writer->recorder_->state()) inventory.publish(*dataset);
  // What a killed process left in the write-ahead log may never have been synced.
  writer->checkpointer_.checkpoint(writer->recorder_->state(), steady_clock::now());
  for (const Source& source : writer->sources()) writer->next_of(source, source.partition().watermarks());
  log.subscribe(writer->signal_, log::Watermark::durable);
  writer->thread_ = std::thread([self = writer.get()] { self->run(); });
  return writer;
}

void Writer::hurry() {
  {
    const std::lock_guard lock(mutex_);
    hurry_ = true;
  }
  wake_.notify_all();
  signal_.notify();
}

void Writer::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  hurry();
  thread_.join();
  log_.unsubscribe(signal_);
}

bool Writer::stopping() {
  const std::lock_guard lock(mutex_);
  return stop_;
}

void Writer::pause(milliseconds pause) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, pause, [this] { return stop_ || hurry_; });
}

void Writer::park() {
  const bool soon = checkpointer_.dirty() || retry_;
  if (signal_.wait(soon ? idle_checkpoint : idle_time)) return;
  if (checkpointer_.dirty()) checkpointer_.checkpoint(recorder_->state(), steady_clock::now());
}

void Writer::run() {
  os::name_thread("store");
  while (!stopping()) {
    const Time started = steady_clock::now();
    switch (pass()) {
      case Outcome::failed:
        back_off_ = std::clamp(back_off_ * 2, back_off_min, back_off_max);
        pause(back_off_);
        break;
      case Outcome::more:
        break;
      case Outcome::wrote:
        if (roll_up_step() || retention_step()) break;
        // Not parked on the signal yet: every record that becomes durable would wake the thread.
        pause(std::chrono::ceil<milliseconds>(started + batch_time - steady_clock::now()));
        park();
        break;
      case Outcome::idle:
        if (!roll_up_step() && !retention_step()) park();
        break;
    }
  }
  finish();
}

void Writer::finish() {
  const Time deadline = steady_clock::now() + finish_time;
  for (;;) {
    const Outcome outcome = pass();
    if (outcome == Outcome::idle || outcome == Outcome::failed || steady_clock::now() >= deadline) break;
  }
  checkpointer_.checkpoint(recorder_->state(), steady_clock::now());
}

Writer::Outcome Writer::pass() {
  {
    const std::lock_guard lock(mutex_);
    hurry_ = false;
  }
  if (auto ready = recorder_->ready(); !ready) {
    failed(ready.error());
    return Outcome::failed;
  }
  bool more = false;
  retry_ = false;
  std::vector<Run> runs = gather(more);
  if (runs.empty()) {
    update_lag();
    return Outcome::idle;
  }
  const Time started = steady_clock::now();
  auto recorded = recorder_->record(runs);
  if (!recorded) {
    failed(recorded.error());
    return Outcome::failed;
  }
  const Time now = steady_clock::now();
  figures_.commit_seconds.record_us(std::chrono::duration_cast<std::chrono::microseconds>(now - started).count());
  figures_.transactions.add();
  figures_.rows.add(recorded->rows);
  figures_.rejected.add(recorded->rejected);
  for (DatasetState* dataset : recorded->touched) inventory_.publish(*dataset);
  if (!last_failure_.empty()) diagnostics::info("store", "history is written again");
  last_failure_.clear();
  back_off_ = milliseconds(0);
  update_lag();
  checkpointer_.after_commit(recorder_->state(), now);
  return more ? Outcome::more : Outcome::wrote;
}

void Writer::failed(const Error& error) {
  figures_.failures.add();
  if (error.message == last_failure_) return;
  last_failure_ = error.message;
  diagnostics::error("store", "history is not written: {}; tried again until it works, the log keeps the records",
                     error.message);
}

std::vector<Writer::Source> Writer::sources() {
  std::vector<Source> result;
  for (log::Topic* topic : log_.topics()) {
    if (topic->name().starts_with('_')) continue;
    for (std::uint32_t i = 0; i < topic->partition_count(); ++i) result.push_back({topic, PartitionId(i)});
  }
  return result;
}

std::vector<Run> Writer::gather(bool& more) {
  const std::vector<Source> all = sources();
  std::vector<Run> runs;
  std::size_t rows = 0;
  ++turn_;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (rows >= batch_rows) {
      more = true;
      break;
    }
    auto run = gather_partition(all[(turn_ + i) % all.size()], batch_rows - rows, more);
    if (!run) continue;
    for (const log::Batch& batch : run->batches) rows += batch.records().size();
    runs.push_back(std::move(*run));
  }
  return runs;
}

Offset Writer::next_of(const Source& source, const log::Watermarks& marks) {
  const Offset next = recorder_->next(source.topic->name(), source.id).value_or(Offset(0));
  if (next <= marks.durable) return next;
  // The log lost what history kept: restored from a copy, or not synced (sync = "none") before the power went.
  diagnostics::warning("store", "dataset '{}', partition {}: history is at offset {}, the log ends at {}: it goes on there",
                       source.topic->name(), source.id, next, marks.durable);
  recorder_->rewind(source.topic->name(), source.id, marks.durable);
  inventory_.publish(*recorder_->state().find(source.topic->name())->second);
  return marks.durable;
}

Offset Writer::beyond_damage(const Source& source, Offset next) {
  const log::PartitionStatus status = source.partition().status();
  Offset beyond = std::max(next, status.watermarks.earliest);
  for (const log::Damage& damage : status.damage) {
    if (damage.first <= beyond && beyond < damage.next) beyond = damage.next;
  }
  return std::min(beyond, status.watermarks.durable);
}

std::optional<Run> Writer::gather_partition(const Source& source, std::size_t rows_max, bool& more) {
  log::Partition& partition = source.partition();
  const log::Watermarks marks = partition.watermarks();
  const Offset from = next_of(source, marks);
  if (pinned_.insert(&partition).second) partition.pin(pin_name, from);
  if (from >= marks.durable) return std::nullopt;
  Run run{source.topic->name(), source.id, from, {}};
  std::size_t records = 0;
  while (run.next < marks.durable && records < rows_max) {
    auto batch = partition.read(run.next, read_bytes, log::Watermark::durable);
    if (!batch) {
      failed(batch.error());
      retry_ = true;
      break;
    }
    if (batch->empty()) {
      const Offset beyond = beyond_damage(source, run.next);
      retry_ = retry_ || beyond == run.next;
      if (beyond == run.next) break;
      run.next = beyond;
      continue;
    }
    records += batch->records().size();
    run.next = batch->records().back().offset + 1;
    run.batches.push_back(std::move(*batch));
  }
  if (run.next == from) return std::nullopt;
  more = more || (run.next < marks.durable && !retry_);
  note_skipped(run, from, records);
  return run;
}

void Writer::note_skipped(const Run& run, Offset from, std::size_t records) {
  const std::uint64_t skipped = (run.next - from) - records;
  if (skipped == 0) return;
  figures_.skipped.add(skipped);
  diagnostics::warning("store",
                       "dataset '{}', partition {}: {} of the offsets {} to {} are not in the log any more (retention or "
                       "damage): history goes on without them",
                       run.dataset, run.partition, skipped, from, run.next - Offset(1));
}

/// Before retention: rows that go first would be missing in the rollups.
bool Writer::roll_up_step() {
  auto rolled = recorder_->roll_up(clock_.now());
  if (!rolled) {
    failed(rolled.error());
    return false;
  }
  if (*rolled) checkpointer_.after_commit(recorder_->state(), steady_clock::now());
  return *rolled;
}

bool Writer::retention_step() {
  auto step = retention_->step(*recorder_, clock_.now());
  if (!step) {
    failed(step.error());
    return false;
  }
  if (step->touched != nullptr) {
    inventory_.publish(*step->touched);
    checkpointer_.after_commit(recorder_->state(), steady_clock::now());
  }
  if (step->more) return true;
  auto more = rollup_retention_->step(*recorder_, clock_.now());
  if (!more) {
    failed(more.error());
    return false;
  }
  if (*more) checkpointer_.after_commit(recorder_->state(), steady_clock::now());
  return *more;
}

void Writer::update_lag() {
  std::int64_t lag = 0;
  for (const Source& source : sources()) {
    const log::Watermarks marks = source.partition().watermarks();
    const Offset next = std::max(recorder_->next(source.topic->name(), source.id).value_or(Offset(0)), marks.earliest);
    if (marks.durable > next) lag += static_cast<std::int64_t>(marks.durable - next);
  }
  figures_.lag_records.set(lag);
}

}  // namespace iotstream::store
