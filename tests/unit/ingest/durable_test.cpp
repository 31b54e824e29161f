// The gate on the real log.
#include <filesystem>
#include <future>

#include <catch2/catch.hpp>

#include <iotstream/ingest/gate.hpp>
#include <iotstream/model/row.hpp>
#include <iotstream/os/process.hpp>

using namespace iotstream;

namespace {

struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = "iotstream-ingest-";
    for (const char c : os::random_bytes(8)) name += static_cast<char>('a' + static_cast<unsigned char>(c) % 26);
    path = std::filesystem::temp_directory_path() / name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

// One life of the process.
struct Life {
  metrics::Table metrics;
  std::unique_ptr<log::Log> log;
  catalog::Schemas schemas;
  std::unique_ptr<ingest::Gate> gate;
  explicit Life(const Folder& folder) {
    log::LogOptions options;
    options.directory = folder.path.string();
    options.topic_defaults.segment_size = 1u << 20;
    auto opened = log::Log::open(options, os::real_disk(), os::system_clock(), metrics);
    REQUIRE(opened.ok());
    log = std::move(*opened);
    auto made = ingest::Gate::open(*log, schemas, os::system_clock(), metrics);
    REQUIRE(made.ok());
    gate = std::move(*made);
  }
  ~Life() { CHECK(log->close().ok()); }

  ingest::Outcome take(const std::string& body) {
    auto promise = std::make_shared<std::promise<Result<ingest::Outcome>>>();
    ingest::Submission submission;
    submission.dataset = "d";
    submission.body = body;
    gate->submit(submission, [promise](Result<ingest::Outcome> result) { promise->set_value(std::move(result)); });
    auto result = promise->get_future().get();
    REQUIRE(result.ok());
    return std::move(*result);
  }
  std::vector<std::string> events() {
    std::vector<std::string> all;
    log::Topic* topic = log->find("d");
    REQUIRE(topic);
    for (std::uint32_t p = 0; p < topic->partition_count(); ++p) {
      log::Partition& partition = topic->partition(PartitionId(p));
      Offset next = partition.watermarks().earliest;
      for (;;) {
        auto batch = partition.read(next, 1u << 20, log::Watermark::durable);
        REQUIRE(batch.ok());
        if (batch->empty()) break;
        for (const log::Record& record : batch->records()) {
          auto row = model::RowView::open(record.value);
          REQUIRE(row.ok());
          std::string json = "{";
          bool comma = false;
          model::append_members(json, comma, *row, *schemas.current("d"), record.key, record.time, {});
          all.push_back(json + "}");
          next = record.offset + 1;
        }
      }
    }
    return all;
  }
};

}  // namespace

TEST_CASE("what was acknowledged is there after a restart, and the schema that explains it") {
  const Folder folder;
  std::vector<std::string> expected;
  {
    Life life(folder);
    std::string body;
    for (int i = 0; i < 500; ++i) {
      expected.push_back("{\"device\":\"a\",\"n\":" + std::to_string(i) + ",\"v\":" + std::to_string(i) + ".25}");
      body += expected.back() + "\n";
    }
    const auto outcome = life.take(body);
    CHECK(outcome.accepted == 500);
    CHECK_FALSE(outcome.refusal);
    CHECK(life.events() == expected);
  }
  {
    Life life(folder);
    CHECK(life.schemas.current("d")->version() == SchemaVersion(1));
    CHECK(life.events() == expected);
    expected.push_back("{\"device\":\"a\",\"n\":\"text now\",\"v\":null,\"w\":true}");
    const auto outcome = life.take(expected.back());
    CHECK(outcome.last->offset == Offset(500));
    CHECK(life.events() == expected);
  }
  Life life(folder);
  CHECK(life.schemas.current("d")->version() == SchemaVersion(2));
  CHECK(life.events() == expected);
}
