// The log beside its limits, measured in the same run: the claim ring against a bare one, durable appends against bare
// overwrites with fdatasync, reading against the checksum alone. Usage: bench_log_append [DIRECTORY] (default: ./bench-log.tmp;
// removed afterwards)
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <mutex>
#include <random>
#include <thread>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>
#include <iotstream/log/log.hpp>
#include <iotstream/os/process.hpp>

#include "log/ring.hpp"

using namespace iotstream;
using Steady = std::chrono::steady_clock;

namespace {

constexpr std::size_t record_size = 256;

double seconds_since(Steady::time_point begin) { return std::chrono::duration<double>(Steady::now() - begin).count(); }

void row(std::string_view what, double value, std::string_view unit, double limit, std::string_view limit_name,
         std::string_view target) {
  fmt::print("{:<58} {:>12.3f} {:<12} limit {:>12.3f} ({}), ratio {:.2f}, target {}\n", what, value, unit, limit, limit_name,
             value / limit, target);
  std::fflush(stdout);
}

struct Latencies {
  std::vector<double> us;
  double quantile(double q) {
    std::sort(us.begin(), us.end());
    return us[static_cast<std::size_t>(q * static_cast<double>(us.size() - 1))];
  }
};

// ---- claim rings ----

/// Claim, copy, commit, clean, and nothing else: no key, no offsets, no wrap inside a record, no bound but waiting.
class BareRing {
 public:
  void put(const std::byte* record) {
    const std::uint64_t at = tail_.fetch_add(slot, std::memory_order_acq_rel);
    while (at + slot - head_.load(std::memory_order_acquire) > size) std::this_thread::yield();
    std::byte* frame = memory_.data() + at % size;
    std::memcpy(frame + 8, record, record_size);
    length_of(frame).store(record_size, std::memory_order_release);
  }
  std::size_t take() {
    std::size_t taken = 0;
    std::uint64_t head = head_.load(std::memory_order_relaxed);
    for (; taken != 1024; ++taken, head += slot) {
      std::byte* frame = memory_.data() + head % size;
      if (length_of(frame).load(std::memory_order_acquire) == 0) break;
      std::memset(frame, 0, slot);
    }
    head_.store(head, std::memory_order_release);
    return taken;
  }

 private:
  static constexpr std::size_t slot = 288;          // as ours: a header and 256 B in units of 32
  static constexpr std::size_t size = slot * 3640;  // about 1 MiB
  static_assert(slot % 32 == 0);
  static std::atomic_ref<std::uint32_t> length_of(std::byte* at) {
    return std::atomic_ref<std::uint32_t>(*reinterpret_cast<std::uint32_t*>(at));
  }
  std::vector<std::byte> memory_ = std::vector<std::byte>(size);
  alignas(64) std::atomic<std::uint64_t> tail_{0};
  alignas(64) std::atomic<std::uint64_t> head_{0};
};

/// Records per second of `producers` threads through a ring with one reader.
double ring_rate(unsigned producers, std::uint64_t each, const std::function<void()>& put,
                 const std::function<std::size_t()>& take) {
  std::vector<std::thread> threads;
  const auto begin = Steady::now();
  for (unsigned p = 0; p != producers; ++p)
    threads.emplace_back([&put, each] {
      for (std::uint64_t i = 0; i != each; ++i) put();
    });
  for (std::uint64_t taken = 0; taken != producers * each;) {
    const std::size_t now = take();
    taken += now;
    if (now == 0) std::this_thread::yield();
  }
  const double rate = static_cast<double>(producers * each) / seconds_since(begin);
  for (auto& thread : threads) thread.join();
  return rate;
}

void claim_rings() {
  constexpr std::uint64_t each = 2'000'000;
  const std::vector<std::byte> record(record_size, std::byte{1});
  const std::string_view key("device-0001");
  const ByteView value = ByteView(record).first(record_size - key.size());
  std::vector<std::byte> out(2u << 20);
  for (const unsigned producers : {1u, 2u}) {
    double bare = 0;
    double ours = 0;
    for (int round = 0; round != 3; ++round) {
      BareRing limit;
      bare = std::max(bare, ring_rate(
                                producers, each, [&] { limit.put(record.data()); }, [&] { return limit.take(); }));
      log::StagingRing ring(1u << 20, 0);
      ours = std::max(ours, ring_rate(
                                producers, each,
                                [&] {
                                  while (ring.append(Timestamp{1}, key, value).outcome != log::StagingRing::Outcome::accepted)
                                    std::this_thread::yield();
                                },
                                [&]() -> std::size_t {
                                  const auto run = ring.peek(256u << 10);
                                  ring.take(run, out.data());
                                  return run.records;
                                }));
    }
    row(fmt::format("claim + commit of 256 B, {} producer(s), gathered by the reader", producers), ours / 1e6, "M records/s",
        bare / 1e6, "bare claim ring", "≥ 0.7");
  }
}

// ---- the whole log ----

struct Bench {
  explicit Bench(std::string directory) : directory_(std::move(directory)) {}

  std::unique_ptr<log::Log> open(std::uint64_t cache = 4u << 20, std::uint64_t staging = 4u << 20) {
    log::LogOptions options;
    options.directory = directory_ + "/log";
    options.cache_size = cache;
    options.staging_size = staging;
    auto opened = log::Log::open(options, os::real_disk(), os::system_clock(), metrics_);
    IOTSTREAM_ASSERT(opened.ok(), "{}", opened.error().message);
    return std::move(*opened);
  }

  std::string directory_;
  metrics::Table metrics_;
};

log::Topic& topic(log::Log& log, std::string_view name, log::Sync sync = log::Sync::batch) {
  log::TopicOptions options;
  options.partitions = 1;
  options.sync = sync;
  options.retention_size = 0;
  auto found = log.topic(name, options);
  IOTSTREAM_ASSERT(found.ok(), "{}", found.error().message);
  return **found;
}

void append(log::Partition& partition, ByteView value) {
  for (;;) {
    const auto appended = partition.append(Timestamp{1}, "device-0001", value);
    if (appended.status == log::AppendStatus::accepted) return;
    IOTSTREAM_ASSERT(appended.status == log::AppendStatus::back_pressured, "{}", log::describe(appended.status));
    std::this_thread::yield();
  }
}

void wait(log::Partition& partition, log::Watermark watermark, std::uint64_t next) {
  if (next == 0) return;
  std::mutex mutex;
  std::condition_variable done;
  bool reached = false;
  partition.when(watermark, Offset(next - 1), [&](Status status) {
    IOTSTREAM_ASSERT(status.ok(), "{}", status.error().message);
    std::lock_guard lock(mutex);
    reached = true;
    done.notify_one();
  });
  std::unique_lock lock(mutex);
  done.wait(lock, [&] { return reached; });
}

/// Overwrites of a file whose blocks hold data already, each followed by fdatasync.
Latencies bare_overwrites(const std::string& path, std::size_t size, int count, std::uint64_t span) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  const std::vector<std::byte> bytes(size, std::byte{7});
  for (std::uint64_t at = 0; at < span; at += size)
    IOTSTREAM_ASSERT(::pwrite(file, bytes.data(), size, static_cast<off_t>(at)) == static_cast<ssize_t>(size), "{}", path);
  ::fsync(file);
  Latencies latencies;
  for (int i = 0; i != count; ++i) {
    const auto begin = Steady::now();
    const auto at = static_cast<off_t>(static_cast<std::uint64_t>(i) * size % span);
    IOTSTREAM_ASSERT(::pwrite(file, bytes.data(), size, at) == static_cast<ssize_t>(size) && ::fdatasync(file) == 0, "{}",
                     path);
    latencies.us.push_back(seconds_since(begin) * 1e6);
  }
  ::close(file);
  return latencies;
}

void one_outstanding(Bench& bench) {
  auto log = bench.open();
  auto& partition = topic(*log, "one").partition(PartitionId(0));
  const std::vector<std::byte> value(record_size, std::byte{1});
  Latencies ours;
  Latencies bare;
  std::uint64_t next = 0;
  // In turns, so that both meet the same disk.
  for (int round = 0; round != 10; ++round) {
    for (const double us : bare_overwrites(bench.directory_ + "/bare", 4096, 200, 1u << 20).us) bare.us.push_back(us);
    for (int i = 0; i != 200; ++i) {
      const auto begin = Steady::now();
      append(partition, value);
      wait(partition, log::Watermark::durable, ++next);
      ours.us.push_back(seconds_since(begin) * 1e6);
    }
  }
  row("one append outstanding, durable, p50", ours.quantile(0.5), "us", bare.quantile(0.5), "4 KiB overwrite + fdatasync",
      "≤ 1.5");
  row("one append outstanding, durable, p99", ours.quantile(0.99), "us", bare.quantile(0.99), "the same", "-");
}

void sustained(Bench& bench) {
  const std::vector<std::byte> value(record_size - 11, std::byte{1});
  auto log = bench.open();
  {
    auto& partition = topic(*log, "written", log::Sync::none).partition(PartitionId(0));
    constexpr std::uint64_t each = 1'500'000;
    const auto begin = Steady::now();
    std::vector<std::thread> producers;
    for (int p = 0; p != 2; ++p)
      producers.emplace_back([&] {
        for (std::uint64_t i = 0; i != each; ++i) append(partition, value);
      });
    for (auto& producer : producers) producer.join();
    wait(partition, log::Watermark::written, 2 * each);
    const double ours = 2.0 * each * record_size / seconds_since(begin) / 1e6;
    const int file = ::open((bench.directory_ + "/write").c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    const std::vector<std::byte> chunk(1u << 20, std::byte{1});
    const auto begin_bare = Steady::now();
    const std::uint64_t chunks = 2 * each * record_size / chunk.size();
    for (std::uint64_t i = 0; i != chunks; ++i)
      IOTSTREAM_ASSERT(::write(file, chunk.data(), chunk.size()) == static_cast<ssize_t>(chunk.size()), "write");
    const double bare = static_cast<double>(chunks * chunk.size()) / seconds_since(begin_bare) / 1e6;
    ::close(file);
    row("sustained to written, 2 producers", ours, "MB/s", bare, "write() of the same bytes", "≥ 0.5");
  }
  {
    auto& partition = topic(*log, "durable").partition(PartitionId(0));
    auto disk = bare_overwrites(bench.directory_ + "/bare", 1u << 20, 200, 64u << 20);
    double total_us = 0;
    for (const double us : disk.us) total_us += us;
    const double bare = static_cast<double>(disk.us.size()) * (1u << 20) / total_us;
    constexpr std::uint64_t outstanding = 10'000;
    constexpr std::uint64_t count = 1'000'000;
    const auto begin = Steady::now();
    for (std::uint64_t i = 0; i != count; ++i) {
      append(partition, value);
      // Not one callback for each: the watermark says the same.
      while (i + 1 - partition.watermarks().durable.value > outstanding) std::this_thread::yield();
    }
    wait(partition, log::Watermark::durable, count);
    row("sustained durable, 10,000 outstanding", count * record_size / seconds_since(begin) / 1e6, "MB/s", bare,
        "1 MiB overwrites, each with fdatasync", "≥ 0.6");
  }
}

void to_consumer(Bench& bench) {
  auto log = bench.open();
  auto& partition = topic(*log, "live", log::Sync::none).partition(PartitionId(0));
  log::Signal signal;
  log->subscribe(signal, log::Watermark::written);
  constexpr int count = 300'000;
  Latencies latencies;
  latencies.us.reserve(count);
  std::thread consumer([&] {
    Offset next;
    while (next.value != count) {
      auto batch = partition.read(next, 1u << 20, log::Watermark::written);
      IOTSTREAM_ASSERT(batch.ok(), "{}", batch.error().message);
      if (batch->empty()) {
        signal.wait(Duration::seconds(1));
        continue;
      }
      const auto now = Steady::now().time_since_epoch().count();
      for (const log::Record& record : batch->records())
        latencies.us.push_back(static_cast<double>(now - record.time.us) / 1e3);
      next = batch->records().back().offset + 1;
    }
  });
  // 100,000 records a second: one each 10 us, by the clock, the producer sleeping in between as sockets do.
  const std::vector<std::byte> value(record_size - 11, std::byte{1});
  const auto begin = Steady::now();
  for (int i = 0; i != count;) {
    const auto due = static_cast<int>(std::chrono::duration<double>(Steady::now() - begin).count() * 100'000);
    for (; i != count && i < due; ++i)
      IOTSTREAM_ASSERT(partition.append(Timestamp{Steady::now().time_since_epoch().count()}, "device-0001", value).status ==
                           log::AppendStatus::accepted,
                       "append");
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  consumer.join();
  log->unsubscribe(signal);
  row("append to consumer in the process, 100,000/s, p50", latencies.quantile(0.5), "us", 50, "target", "≤ 50 us");
  row("append to consumer in the process, 100,000/s, p99", latencies.quantile(0.99), "us", 50, "target", "-");
}

void reading(Bench& bench) {
  // A cache of nothing: what is read comes from the files.
  auto log = bench.open(0);
  auto& partition = topic(*log, "written", log::Sync::none).partition(PartitionId(0));
  const auto end = partition.watermarks().durable;
  double best = 0;
  for (int round = 0; round != 3; ++round) {
    std::uint64_t bytes = 0;
    const auto begin = Steady::now();
    for (Offset at; at < end;) {
      auto batch = partition.read(at, 1u << 20, log::Watermark::durable);
      IOTSTREAM_ASSERT(batch.ok() && !batch->empty(), "read at {}", at);
      for (const log::Record& record : batch->records()) bytes += record.value.size() + record.key.size();
      at = batch->records().back().offset + 1;
    }
    best = std::max(best, static_cast<double>(bytes) / seconds_since(begin) / 1e6);
  }
  const std::vector<std::byte> chunk(1u << 20, std::byte{1});
  std::uint32_t crc = 0;
  const auto begin = Steady::now();
  // One stream: short of where crc32c() begins to sum in lanes.
  for (int i = 0; i != 2000; ++i)
    for (std::size_t at = 0; at != chunk.size(); at += 8192) crc = crc32c(ByteView(chunk).subspan(at, 8192), crc);
  const double bare = 2000.0 * static_cast<double>(chunk.size()) / seconds_since(begin) / 1e6;
  row(crc == 0 ? "" : "sequential read from the page cache, checksums verified", best, "MB/s", bare, "CRC32C alone, one stream",
      "≥ 0.4");
  Latencies seeks;
  for (int i = 0; i != 2000; ++i) {
    const auto before = Steady::now();
    IOTSTREAM_ASSERT(partition.seek(Timestamp{i % 2}).ok(), "seek");
    seeks.us.push_back(seconds_since(before) * 1e6);
  }
  row("seek by time, p50", seeks.quantile(0.5), "us", 1000, "target", "≤ 1 ms");
}

void start(Bench& bench) {
  {
    auto log = bench.open();
    for (const char* name : {"a", "b", "c"}) {
      log::TopicOptions options;
      const auto begin = Steady::now();
      IOTSTREAM_ASSERT(log->topic(name, options).ok(), "topic");
      fmt::print("creating a topic of 4 partitions: {:.2f} ms\n", seconds_since(begin) * 1e3);
    }
    const std::vector<std::byte> value(record_size, std::byte{1});
    for (log::Topic* t : log->topics())
      for (std::uint32_t p = 0; p != t->partition_count(); ++p) append(t->partition(PartitionId(p)), value);
  }
  const auto begin = Steady::now();
  auto log = bench.open();
  std::uint64_t bytes = 0;
  std::size_t partitions = 0;
  for (log::Topic* t : log->topics())
    for (std::uint32_t p = 0; p != t->partition_count(); ++p, ++partitions)
      bytes += t->partition(PartitionId(p)).status().bytes;
  fmt::print("opening {} partitions with {:.2f} GB after a clean end: {:.2f} ms\n", partitions,
             static_cast<double>(bytes) / 1e9, seconds_since(begin) * 1e3);
}

void idle(Bench& bench) {
  auto log = bench.open();
  const auto before = os::process_usage();
  std::this_thread::sleep_for(std::chrono::seconds(2));
  const auto after = os::process_usage();
  fmt::print("idle: {:.3f} % of a core, {:.1f} MB resident in this process\n",
             (after.cpu_seconds - before.cpu_seconds) / 2 * 100, static_cast<double>(after.rss_bytes) / 1e6);
}

}  // namespace

int main(int count, char** arguments) {
  diagnostics::set_level(diagnostics::Level::warning);
  Bench bench(count > 1 ? arguments[1] : "bench-log.tmp");
  std::filesystem::remove_all(bench.directory_);
  std::filesystem::create_directories(bench.directory_);
  const auto before = os::cpu_times();
  claim_rings();
  one_outstanding(bench);
  sustained(bench);
  to_consumer(bench);
  reading(bench);
  start(bench);
  idle(bench);
  fmt::print("processor time taken by the host meanwhile: {:.1f} %\n", os::steal_percent(before, os::cpu_times()));
  std::filesystem::remove_all(bench.directory_);
}
