// Appending, beside what the ring and the disk allow: sustained until written, sustained until durable, one at a time.
#include <algorithm>
#include <atomic>
#include <numeric>
#include <thread>

#include <fmt/format.h>

#include "bench/support/bare_file.hpp"
#include "bench/support/server_process.hpp"
#include "bench/support/timing.hpp"
#include "bench/system/log.hpp"
#include "bench/system/log_ring.hpp"
#include "bench/system/log_workload.hpp"

namespace iotstream::bench {

namespace {

const std::vector<std::byte>& value() {
  static const std::vector<std::byte> bytes(record_size - record_key.size(), std::byte{1});
  return bytes;
}

/// MB a second from `producers` threads until the last record is written.
Result<double> to_written(log::Partition& partition, unsigned producers, std::uint64_t each) {
  std::atomic<bool> refused{false};
  std::vector<std::thread> threads;
  threads.reserve(producers);
  const Offset end = partition.watermarks().written + producers * each;
  const std::int64_t begin_ns = now_ns();
  for (unsigned producer = 0; producer != producers; ++producer) {
    threads.emplace_back([&] {
      for (std::uint64_t i = 0; i != each && !refused; ++i)
        if (!append(partition, Timestamp{1}, value())) refused = true;
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (refused) return Error{ErrorKind::unavailable, "the log refused an append"};
  if (auto status = wait_for(partition, log::Watermark::written, end); !status) return status.error();
  return static_cast<double>(producers * each * record_size) / seconds_since(begin_ns) / 1e6;
}

Result<std::vector<Figure>> sustained_to_written(const std::string& folder, bool quick) {
  constexpr unsigned producers = 2;
  const std::uint64_t each = quick ? 20'000 : 500'000;
  auto log = OwnLog::open(folder + "/written");
  if (!log) return log.error();
  auto partition = (*log)->partition("written", log::Sync::none);
  if (!partition) return partition.error();
  BareFile file(folder + "/write");
  double ring = 0;
  auto turns = InTurns::run(
      quick ? 2 : 5, [&] { return to_written(**partition, producers, each); },
      [&]() -> Result<double> {
        auto written = file.write_rate(producers * each * record_size);
        if (!written) return written.error();
        ring = bare_ring_rate(producers, each) * record_size;
        return std::min(*written / 1e6, ring);
      });
  if (!turns) return turns.error();
  return std::vector<Figure>{turns->figure("sustained to written, 2 producers", "MB/s",
                                           median(turns->limit) < ring ? "write() of the same bytes" : "a bare claim ring", 0.5,
                                           Good::at_least)};
}

/// MB a second with at most 10,000 records not acknowledged as durable.
Result<double> durable_rate(log::Partition& partition, std::uint64_t count) {
  const std::int64_t begin_ns = now_ns();
  if (auto status = append_acknowledged(partition, value(), count, 10'000, log::Watermark::durable); !status)
    return status.error();
  return static_cast<double>(count * record_size) / seconds_since(begin_ns) / 1e6;
}

Result<std::vector<Figure>> sustained_durable(const std::string& folder, bool quick) {
  constexpr std::size_t piece = 1u << 20;
  const std::uint64_t pieces = quick ? 8 : 128;
  auto log = OwnLog::open(folder + "/durable");
  if (!log) return log.error();
  auto partition = (*log)->partition("durable", log::Sync::batch);
  if (!partition) return partition.error();
  BareFile file(folder + "/overwritten");
  BareFile fresh(folder + "/first-written");
  const auto rate = [](const Result<std::vector<double>>& us) -> Result<double> {
    if (!us) return us.error();
    return static_cast<double>(us->size() * piece) / std::accumulate(us->begin(), us->end(), 0.0);
  };
  std::vector<double> first_writes;
  auto turns = InTurns::run(
      quick ? 2 : 5, [&] { return durable_rate(**partition, pieces * piece / record_size); },
      [&]() -> Result<double> {
        const auto first = rate(fresh.first_write_us(piece, pieces));
        if (!first) return first;
        first_writes.push_back(*first);
        return rate(file.overwrite_us(piece, pieces, 64u << 20));
      });
  if (!turns) return turns.error();
  // A log that grows writes where nothing was: what the disk gives there is told as well.
  const double ours = median(turns->ours);
  return std::vector<Figure>{turns->figure("sustained durable acknowledgements, 10,000 outstanding", "MB/s",
                                           "1 MiB overwrites, each with fdatasync", 0.6, Good::at_least),
                             {"the same, beside first writes", ours, "MB/s", turns->ours.size(),
                              "1 MiB into reserved space, each with fdatasync", median(first_writes)}};
}

Result<std::vector<double>> one_by_one_us(log::Partition& partition, std::uint64_t count) {
  std::vector<double> us;
  us.reserve(count);
  for (std::uint64_t i = 0; i != count; ++i) {
    const std::int64_t begin_ns = now_ns();
    auto offset = append(partition, Timestamp{1}, value());
    if (!offset) return offset.error();
    if (auto status = wait_for(partition, log::Watermark::durable, *offset + 1); !status) return status.error();
    us.push_back(static_cast<double>(now_ns() - begin_ns) / 1e3);
  }
  return us;
}

Result<std::vector<Figure>> one_outstanding(const std::string& folder, bool quick) {
  auto log = OwnLog::open(folder + "/one");
  if (!log) return log.error();
  auto partition = (*log)->partition("one", log::Sync::batch);
  if (!partition) return partition.error();
  BareFile file(folder + "/overwritten");
  std::vector<double> ours;
  std::vector<double> bare;
  TimerLateness timer;
  const std::uint64_t turn = quick ? 20 : 100;
  for (int round = 0; round != (quick ? 2 : 10); ++round) {
    auto limit = file.overwrite_us(4096, turn, 1u << 20);
    if (!limit) return limit.error();
    auto appended = one_by_one_us(**partition, turn);
    if (!appended) return appended.error();
    bare.insert(bare.end(), limit->begin(), limit->end());
    ours.insert(ours.end(), appended->begin(), appended->end());
  }
  const double lateness_us = 1000 * quantile(timer.stop_ms(), 0.99);
  return std::vector<Figure>{{"one append outstanding, durable, p50", quantile(ours, 0.5), "µs", ours.size(),
                              "a 4 KiB overwrite + fdatasync", quantile(bare, 0.5), 1.5, Good::at_most},
                             {"one append outstanding, durable, p99", quantile(ours, 0.99), "µs", ours.size(),
                              "a 4 KiB overwrite + fdatasync", quantile(bare, 0.99)},
                             {"a bare 1 ms timer's lateness meanwhile, p99", lateness_us, "µs", ours.size(), "", 0}};
}

}  // namespace

Result<std::vector<Figure>> log_append_figures(const Options& options) {
  std::vector<Figure> figures;
  for (const auto measure : {sustained_to_written, sustained_durable}) {
    // The bytes of one figure go before those of the next come.
    const TemporaryFolder folder;
    auto measured = measure(folder.path(), options.quick);
    if (!measured) return measured.error();
    figures.insert(figures.end(), measured->begin(), measured->end());
  }
  const TemporaryFolder folder;
  auto single = one_outstanding(folder.path(), options.quick);
  if (!single) return single.error();
  figures.insert(figures.end(), single->begin(), single->end());
  return figures;
}

}  // namespace iotstream::bench
