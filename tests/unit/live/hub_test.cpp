// The hub with its thread, the log and real workers: under load, with viewers that come and go.
#include <condition_variable>
#include <set>
#include <thread>

#include <iotstream/os/worker_pool.hpp>

#include "bench.hpp"
#include "support/memory_disk.hpp"

namespace iotstream::live::test {
namespace {

using model::FieldType;

/// A viewer as a page would be one: collects numbers of field a and acknowledges every frame.
class LiveViewer {
 public:
  LiveViewer(Hub& hub, bool acknowledges) : hub_(hub), acknowledges_(acknowledges) {}

  void open() {
    ViewerSink sink;
    sink.send = [this](std::shared_ptr<const std::string> bytes, bool binary) { return take(*bytes, binary); };
    const ViewerId id = hub_.open(std::move(sink), false, "test");
    {
      const std::lock_guard lock(mutex_);
      id_ = id;
    }
    hub_.message(id, R"({"op":"subscribe","id":1,"dataset":"1","window":"-1h","pixels":16000,"rate":60})");
  }
  void close() { hub_.close(id_); }
  /// Waits until `count` numbers are there; the numbers.
  std::vector<std::int64_t> wait(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(60), [&] { return numbers_.size() >= count; });
    return numbers_;
  }

 private:
  bool take(const std::string& bytes, bool binary) {
    if (!binary) return true;
    const DecodedFrame frame = decode_binary(bytes);
    {
      const std::lock_guard lock(mutex_);
      for (const DecodedRow& row : frame.rows)
        numbers_.push_back(static_cast<std::int64_t>(std::get<double>(row.values.at(0))));
      changed_.notify_all();
    }
    if (acknowledges_) hub_.message(id_of(), fmt::format(R"({{"op":"ack","id":1,"seq":{}}})", frame.seq));
    return true;
  }
  ViewerId id_of() {
    const std::lock_guard lock(mutex_);
    return id_;
  }

  Hub& hub_;
  const bool acknowledges_;
  std::mutex mutex_;
  std::condition_variable changed_;
  ViewerId id_ = 0;
  std::vector<std::int64_t> numbers_;
};

class House {
 public:
  House() : workers("worker", 2, 64) {
    log::LogOptions options;
    options.directory = "/log";
    options.topic_defaults.sync = log::Sync::none;
    log = *log::Log::open(options, disk, os::system_clock(), metrics);
    std::vector<model::FieldDraft> drafts(1);
    drafts[0].name = "a";
    version = (*schemas.evolve("1", drafts, "", os::system_clock().now()))->version();
    topic = *log->topic("1");
    hub = Hub::create(
        *log, schemas, [this](const auto& request, const auto& visit) { return history(request, visit); }, workers,
        os::system_clock(), metrics);
  }
  ~House() {
    hub->stop();
    workers.stop();
  }

  /// A history that is as far as a random look at the log.
  Result<std::vector<Offset>> history(const BackfillRequest&, const std::function<bool(const BackfillRow&)>& visit) {
    std::vector<Offset> next;
    for (std::uint32_t i = 0; i != topic->partition_count(); ++i) {
      log::Partition& partition = topic->partition(PartitionId(i));
      const Offset end(partition.watermarks().written.value / 2);
      for (Offset at; at < end;) {
        auto batch = partition.read(at, 64u << 10, log::Watermark::written);
        if (!batch) return batch.error();
        Values values;
        for (const log::Record& record : batch->records()) {
          if (record.offset >= end) break;
          decode(record, values);
          if (!visit({record.time, record.key, &values})) return next;
        }
        at = batch->records().back().offset + 1;
      }
      next.push_back(end);
    }
    return next;
  }

  void append(std::int64_t number) {
    const std::string device = fmt::format("device {}", number % 7);
    const std::string row = encode_row(version, {{FieldId(0), integer(number)}});
    log::Partition& partition = topic->partition(topic->partition_of(device));
    while (partition.append(os::system_clock().now(), device, as_bytes(row)).status != log::AppendStatus::accepted)
      std::this_thread::yield();
  }

  ::iotstream::test::MemoryDisk disk;
  metrics::Table metrics;
  catalog::Schemas schemas;
  std::unique_ptr<log::Log> log;
  SchemaVersion version;
  log::Topic* topic = nullptr;
  os::WorkerPool workers;
  std::unique_ptr<Hub> hub;
};

TEST_CASE("viewers that come while records pour in have each of them exactly once") {
  House house;
  constexpr std::int64_t count = 12'000;
  std::thread producer([&house] {
    for (std::int64_t i = 0; i != count; ++i) {
      house.append(i);
      if (i % 64 == 0) std::this_thread::yield();
    }
  });
  std::vector<std::unique_ptr<LiveViewer>> viewers;
  LiveViewer stalled(*house.hub, false);
  stalled.open();
  for (int i = 0; i != 6; ++i) {
    viewers.push_back(std::make_unique<LiveViewer>(*house.hub, true));
    viewers.back()->open();
    house.hub->devices();
    house.hub->datasets();
    house.hub->viewers();
    house.hub->latency_us(0.5);
  }
  producer.join();
  for (auto& viewer : viewers) {
    const auto numbers = viewer->wait(count);
    CHECK(numbers.size() == count);
    CHECK(std::set<std::int64_t>(numbers.begin(), numbers.end()).size() == count);
  }
  CHECK(house.hub->viewers().size() == 7);
  CHECK(house.hub->devices().size() == 7);
  REQUIRE(house.hub->datasets().size() == 1);
  CHECK(house.hub->datasets()[0].events == count);
  house.hub->stop();
}

TEST_CASE("stop under load returns, and what comes afterwards changes nothing") {
  for (int round = 0; round != 10; ++round) {
    House house;
    std::atomic<bool> done{false};
    std::thread producer([&] {
      for (std::int64_t i = 0; !done; ++i) {
        house.append(i);
        std::this_thread::yield();
      }
    });
    std::vector<std::unique_ptr<LiveViewer>> viewers;
    for (int i = 0; i != 4; ++i) {
      viewers.push_back(std::make_unique<LiveViewer>(*house.hub, true));
      viewers.back()->open();
      if (i % 2 == 1) viewers.back()->close();
    }
    if (round % 2 == 0) viewers[0]->wait(100);
    house.hub->stop();
    house.hub->stop();
    viewers[0]->open();
    viewers[0]->close();
    CHECK(house.hub->viewers().empty());
    done = true;
    producer.join();
  }
}

TEST_CASE("a viewer that talks too much is closed") {
  House house;
  std::mutex mutex;
  std::condition_variable changed;
  std::string reason;
  ViewerSink sink;
  sink.send = [&](std::shared_ptr<const std::string>, bool) {
    std::this_thread::yield();
    return true;
  };
  sink.close = [&](std::string_view why) {
    const std::lock_guard lock(mutex);
    reason = why;
    changed.notify_all();
  };
  const ViewerId id = house.hub->open(std::move(sink), false, "test");
  house.hub->message(id, std::string(inbox_bytes_max + 1, 'x'));
  std::unique_lock lock(mutex);
  changed.wait_for(lock, std::chrono::seconds(60), [&] { return !reason.empty(); });
  CHECK(reason == "too many messages");
}

}  // namespace
}  // namespace iotstream::live::test
