// A long run, only when asked for (tools/soak --rows N): history keeps up with any number of rows in the same memory.
#include <cstdlib>
#include <thread>

#include <iotstream/os/disk.hpp>
#include <iotstream/os/process.hpp>

#include "unit/store/history_fixture.hpp"

namespace iotstream::store::test {

using V = OwnedValue;

TEST_CASE("ten million rows go through history within its memory", "[.soak]") {
  const char* const asked = std::getenv("IOTSTREAM_SOAK_ROWS");  // NOLINT: nobody sets variables here
  const std::uint64_t rows = asked == nullptr ? 10'000'000 : std::strtoull(asked, nullptr, 10);
  constexpr std::uint64_t memory_max = 128u << 20;  ///< above what the program has at its beginning
  HistoryFixture f;
  log::LogOptions options;
  options.directory = f.directory + "/log";
  options.topic_defaults.sync = log::Sync::none;
  options.topic_defaults.retention_size = 256u << 20;
  auto log = log::Log::open(options, os::real_disk(), os::system_clock(), f.metrics);
  REQUIRE(log.ok());
  auto topic = (*log)->topic("1");
  REQUIRE(topic.ok());
  auto history = History::open(f.directory, f.options, **log, f.schemas, f.clock, f.metrics);
  REQUIRE(history.ok());
  const std::uint64_t before = os::process_usage().rss_bytes;
  std::uint64_t most = before;
  for (std::uint64_t i = 0; i < rows; ++i) {
    const auto n = static_cast<std::int64_t>(i);
    const std::string device = "d" + std::to_string(i % 20);
    const ByteView row =
        f.encode("1", {{"a", V::of(n)}, {"b", V::of(n % 100)}, {"c", V::of(static_cast<double>(n % 977) / 10)}}, device);
    log::Partition& partition = (*topic)->partition((*topic)->partition_of(device));
    while (partition.append(Timestamp{HistoryFixture::start_us + n * 5000}, device, row).status ==
           log::AppendStatus::back_pressured) {
      std::this_thread::yield();
    }
    if (i % 100'000 == 0) {
      REQUIRE((*history)->drain(Duration::seconds(120)).ok());
      most = std::max(most, os::process_usage().rss_bytes);
    }
  }
  REQUIRE((*history)->drain(Duration::seconds(600)).ok());
  most = std::max(most, os::process_usage().rss_bytes);
  WARN(rows << " rows, at most " << (most - before) / (1u << 20) << " MiB above the beginning");
  CHECK(most - before < memory_max);
  SeriesQuery query;
  query.dataset = "1";
  query.fields = {FieldId(1)};
  query.aggregates = {Aggregate::count};
  query.from = Timestamp{HistoryFixture::start_us};
  query.to = Timestamp{HistoryFixture::start_us + static_cast<std::int64_t>(rows) * 5000};
  query.interval = Duration::seconds(3600);
  const auto series = (*history)->series(query);
  REQUIRE(series.ok());
  double count = 0;
  for (const double one : series->columns[0].values) count += one;
  CHECK(count == static_cast<double>(rows));
  history->reset();
}

}  // namespace iotstream::store::test
