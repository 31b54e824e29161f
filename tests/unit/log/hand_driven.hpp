// Partitions driven by hand, without threads: what the writer and the sync thread do happens when the test says so.
#pragma once

#include <memory>
#include <string_view>

#include "log/topic.hpp"
#include "log_fixture.hpp"

namespace iotstream::log::test {

struct NoSyncs final : SyncRequests {
  void request(PartitionLog&) override { ++requests; }
  int requests = 0;
};

struct HandDriven {
  std::shared_ptr<MemoryDisk> disk = std::make_shared<MemoryDisk>();
  os::ManualClock clock{Timestamp{1'700'000'000'000'000}};
  metrics::Table metrics;
  Counters counters{metrics};
  Shards shards{1};
  Subscribers subscribers;
  NoSyncs syncs;
  LogOptions options;
  std::unique_ptr<TopicLog> topic;

  HandDriven() {
    options.directory = "log";
    options.staging_size = 64u << 10;
    options.cache_size = 0;
    options.topic_defaults.partitions = 1;
    options.topic_defaults.segment_size = 64u << 10;
    REQUIRE(disk->create_directories("log"));
  }
  Environment environment() { return {*disk, clock, counters, shards, subscribers, syncs}; }
  void create(std::string_view name = "t") {
    auto created = TopicLog::create(environment(), options, name, options.topic_defaults);
    REQUIRE(created);
    topic = std::move(*created);
  }
  void reopen() {
    auto opened = TopicLog::open(environment(), options, "log/t");
    REQUIRE(opened);
    topic = std::move(*opened);
  }
  PartitionLog& partition(std::size_t id = 0) { return *topic->partitions()[id]; }
  /// One batch with one record, written and synced.
  void put(std::int64_t time_us, std::string_view value = "v", std::size_t id = 0) {
    REQUIRE(partition(id).append(Timestamp{time_us}, "k", as_bytes(value)).status == AppendStatus::accepted);
    REQUIRE(partition(id).serve() == PartitionLog::Work::done);
    partition(id).sync();
  }
};

}  // namespace iotstream::log::test
