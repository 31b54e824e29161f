// The gate on the real log.
#include <filesystem>
#include <future>
#include <optional>

#include <catch2/catch.hpp>
#include <fmt/format.h>

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

  ingest::Outcome take(const std::string& body) { return take(body, {}, std::nullopt); }
  ingest::Outcome take(const std::string& body, std::string_view key,
                       std::optional<ingest::Submission::Numbered> numbered = std::nullopt) {
    auto promise = std::make_shared<std::promise<Result<ingest::Outcome>>>();
    ingest::Submission submission;
    submission.dataset = "d";
    submission.body = body;
    submission.idempotency_key = key;
    submission.numbered = numbered;
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

TEST_CASE("a key and its body are known after a restart: nothing is taken twice, only what is missing") {
  const Folder folder;
  std::string body;
  for (int i = 0; i < 200; ++i) body += fmt::format("{{\"device\":\"d{}\",\"n\":{}}}\n", i % 9, i);
  std::optional<ingest::Position> last;
  {
    Life life(folder);
    const auto first = life.take(body, "k");
    CHECK(first.accepted == 200);
    last = first.last;
  }
  Life life(folder);
  const auto again = life.take(body, "k");
  CHECK(again.accepted == 0);
  CHECK(again.duplicates == 200);
  CHECK(again.last->offset == last->offset);
  CHECK(life.take("{\"device\":\"d1\",\"n\":7}", "other").accepted == 1);
  CHECK(life.events().size() == 201);
}

TEST_CASE("a sender that numbers its readings goes on where it stood, over all partitions and after a restart") {
  const Folder folder;
  const auto body = [](std::uint64_t from, std::uint64_t count) {
    std::string lines;
    for (std::uint64_t i = from; i < from + count; ++i) lines += fmt::format("{{\"device\":\"d{}\",\"n\":{}}}\n", i % 5, i);
    return lines;
  };
  {
    Life life(folder);
    CHECK(life.take(body(10, 20), {}, {{7, 10}}).accepted == 20);
    const auto overlapping = life.take(body(20, 20), {}, {{7, 20}});
    CHECK(overlapping.accepted == 10);
    CHECK(overlapping.duplicates == 10);
    const auto gap = life.take(body(41, 1), {}, {{7, 41}});
    REQUIRE(gap.refusal);
    CHECK(gap.refusal->kind == ErrorKind::conflict);
    CHECK(gap.expected_sequence == 40);
    CHECK(life.take(body(0, 3), {}, {{8, 0}}).accepted == 3);  // another sender
  }
  Life life(folder);
  CHECK(life.take(body(10, 30), {}, {{7, 10}}).duplicates == 30);
  CHECK(life.take(body(41, 1), {}, {{7, 41}}).expected_sequence == 40);
  CHECK(life.take(body(38, 4), {}, {{7, 38}}).accepted == 2);
  CHECK(life.events().size() == 35);
}

TEST_CASE("numbers of rejected readings are used up, numbers of refused ones are not") {
  const Folder folder;
  Life life(folder);
  const auto some = life.take("{\"n\":1}\n{\n{\"n\":3}", {}, {{1, 1}});
  CHECK(some.accepted == 2);
  CHECK(some.rejected == 1);
  CHECK(life.take("{\"n\":5}", {}, {{1, 5}}).expected_sequence == 4);
  CHECK(life.take("{\"n\":4}", {}, {{1, 4}}).accepted == 1);
}
