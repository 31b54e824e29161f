// From append to a consumer in the same process that parks while there is nothing.
#include <algorithm>
#include <thread>

#include "bench/support/server_process.hpp"
#include "bench/support/timing.hpp"
#include "bench/system/log.hpp"
#include "bench/system/log_workload.hpp"

namespace iotstream::bench {

namespace {

constexpr double records_per_second = 100'000;

struct Round {
  double p50_us = 0;
  double p99_us = 0;
};

/// Reads until `end`, noting how long ago each record was appended: its time is the monotonic clock's, in nanoseconds.
Status consume(log::Log& log, log::Partition& partition, Offset from, Offset end, std::vector<double>& us) {
  log::Signal signal;
  log.subscribe(signal, log::Watermark::written);
  Status status;
  while (from < end && status) {
    auto batch = partition.read(from, 1u << 20, log::Watermark::written);
    if (!batch) {
      status = batch.error();
    } else if (batch->empty()) {
      // A producer that failed leaves no more records: the wait has an end.
      if (!signal.wait(Duration::seconds(10))) status = Error{ErrorKind::unavailable, "no record came within 10 s"};
    } else {
      const std::int64_t now = now_ns();
      for (const log::Record& record : batch->records()) us.push_back(static_cast<double>(now - record.time.us) / 1e3);
      from = batch->records().back().offset + 1;
    }
  }
  log.unsubscribe(signal);
  return status;
}

/// `count` appends at their rate, by the clock; the producer sleeps in between, as sockets do.
Status produce(log::Partition& partition, std::uint64_t count) {
  const std::vector<std::byte> value(record_size - record_key.size(), std::byte{1});
  const std::int64_t begin_ns = now_ns();
  for (std::uint64_t i = 0; i != count;) {
    const auto due = static_cast<std::uint64_t>(seconds_since(begin_ns) * records_per_second);
    for (; i != count && i < due; ++i)
      if (auto offset = append(partition, Timestamp{now_ns()}, value); !offset) return offset.error();
    sleep_until_ns(now_ns() + 20'000);
  }
  return {};
}

Result<Round> one_round(log::Log& log, log::Partition& partition, std::uint64_t count) {
  std::vector<double> us;
  us.reserve(count);
  const Offset from = partition.watermarks().written;
  Status consumed;
  std::thread consumer([&] { consumed = consume(log, partition, from, from + count, us); });
  const Status produced = produce(partition, count);
  consumer.join();
  if (!produced) return produced.error();
  if (!consumed) return consumed.error();
  return Round{quantile(us, 0.5), quantile(us, 0.99)};
}

}  // namespace

Result<std::vector<Figure>> log_consumer_figures(const Options& options) {
  const TemporaryFolder folder;
  auto log = OwnLog::open(folder.path() + "/log");
  if (!log) return log.error();
  auto partition = (*log)->partition("live", log::Sync::none);
  if (!partition) return partition.error();
  std::vector<double> p50_us;
  std::vector<double> p99_us;
  TimerLateness timer;
  for (int round = 0; round != (options.quick ? 2 : 7); ++round) {
    auto latency = one_round((*log)->log(), **partition, options.quick ? 20'000 : 200'000);
    if (!latency) return latency.error();
    p50_us.push_back(latency->p50_us);
    p99_us.push_back(latency->p99_us);
  }
  const double lateness_us = 1000 * quantile(timer.stop_ms(), 0.99);
  return std::vector<Figure>{
      beside_target("append to consumer in the process, 100,000/s, p50", p50_us, "µs", 50, Good::at_most),
      {"append to consumer in the process, 100,000/s, p99", median(p99_us), "µs", p99_us.size(),
       "a bare 1 ms timer's lateness, p99", lateness_us}};
}

}  // namespace iotstream::bench
