// The staging ring beside a bare one: the same records, the same threads, in turns.
#include "bench/system/log_ring.hpp"

#include <functional>
#include <thread>

#include <fmt/format.h>

#include "bench/support/bare_ring.hpp"
#include "bench/support/timing.hpp"
#include "bench/system/log.hpp"
#include "bench/system/log_workload.hpp"
#include "log/ring.hpp"

namespace iotstream::bench {

namespace {

static_assert(BareRing::record_size == record_size);

/// Millions of records a second of `producers` threads that call `put` `each` times, this thread calling `take`.
double rate(unsigned producers, std::uint64_t each, const auto& put, const auto& take) {
  std::vector<std::thread> threads;
  threads.reserve(producers);
  const std::int64_t begin_ns = now_ns();
  for (unsigned producer = 0; producer != producers; ++producer) {
    threads.emplace_back([&put, each] {
      for (std::uint64_t i = 0; i != each; ++i) put();
    });
  }
  for (std::uint64_t taken = 0; taken != producers * each;) {
    const std::size_t now = take();
    taken += now;
    if (now == 0) std::this_thread::yield();
  }
  const double seconds = seconds_since(begin_ns);
  for (std::thread& thread : threads) thread.join();
  return static_cast<double>(producers * each) / seconds / 1e6;
}

/// The log's own ring, gathered as its writer does.
double staging_ring_rate(unsigned producers, std::uint64_t each) {
  constexpr std::size_t batch_size = 192u << 10;
  log::StagingRing ring(log::LogOptions().staging_size, 0);
  const std::vector<std::byte> value(record_size - record_key.size(), std::byte{1});
  std::vector<std::byte> batch(batch_size);
  return rate(
      producers, each,
      [&] {
        while (ring.append(Timestamp{1}, record_key, value).outcome != log::StagingRing::Outcome::accepted)
          std::this_thread::yield();
      },
      [&]() -> std::size_t { return ring.take(batch).records; });
}

}  // namespace

double bare_ring_rate(unsigned producers, std::uint64_t each) {
  BareRing ring;
  const std::vector<std::byte> record(record_size, std::byte{1});
  std::vector<std::byte> batch(BareRing::take_max * record_size);
  return rate(
      producers, each, [&] { ring.put(record.data()); }, [&] { return ring.take(batch.data()); });
}

Result<std::vector<Figure>> log_ring_figures(const Options& options) {
  std::vector<Figure> figures;
  for (const unsigned producers : {1u, 2u}) {
    const std::uint64_t each = (options.quick ? 100'000 : 3'000'000) / producers;
    auto turns = InTurns::run(
        options.quick ? 3 : 11, [&]() -> Result<double> { return staging_ring_rate(producers, each); },
        [&]() -> Result<double> { return bare_ring_rate(producers, each); });
    if (!turns) return turns.error();
    figures.push_back(
        turns->figure(fmt::format("claim + commit of 256 B, {} producer{}, 1 reader", producers, producers == 1 ? "" : "s"),
                      "M/s", "a bare claim ring", 0.7, Good::at_least));
  }
  return figures;
}

}  // namespace iotstream::bench
