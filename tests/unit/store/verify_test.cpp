// History compared with a real log on a real disk: whole, broken in every way, behind, shortened by retention, and under way.
#include <filesystem>
#include <fstream>
#include <future>
#include <map>

#include <iotstream/store/verify.hpp>

#include "support/temporary_directory.hpp"
#include "unit/store/history_fixture.hpp"

namespace iotstream::store::test {

using V = OwnedValue;
using log::Finding;

namespace {

/// The fixture's encoder, over a log of its own.
struct VerifyFixture : HistoryFixture {
  std::unique_ptr<log::Log> real;
  std::int64_t event = 0;

  VerifyFixture() { open_all(); }

  void open_all() {
    log::LogOptions log_options;
    log_options.directory = directory + "/log";
    log_options.topic_defaults.partitions = 2;
    log_options.topic_defaults.segment_size = 64u << 10;
    auto opened = log::Log::open(log_options, os::real_disk(), clock, metrics);
    REQUIRE(opened.ok());
    real = std::move(*opened);
    auto opened_history = History::open(directory, options, *real, schemas, clock, metrics);
    REQUIRE(opened_history.ok());
    history = std::move(*opened_history);
  }
  void close_all() {
    history->stop();
    history.reset();
    REQUIRE(real->close().ok());
    real.reset();
  }
  void add(int count, std::int64_t step_us = 1000) {
    std::vector<std::future<Status>> done;
    log::Topic* topic = *real->topic("1");
    for (int i = 0; i < count; ++i) {
      const std::string device = fmt::format("device {}", i % 5);
      const std::string row(as_text(encode("1", {{"a", V::of(i)}, {"text", V::of(std::string(100, 'x'))}}, device)));
      auto& partition = topic->partition(topic->partition_of(device));
      const auto appended = partition.append(Timestamp{start_us + event++ * step_us}, device, as_bytes(row));
      REQUIRE(appended.status == log::AppendStatus::accepted);
      auto promise = std::make_shared<std::promise<Status>>();
      done.push_back(promise->get_future());
      partition.when(log::Watermark::durable, appended.offset, [promise](Status status) { promise->set_value(status); });
    }
    for (auto& one : done) REQUIRE(one.get().ok());
    drain();
  }

  struct Verdict {
    std::vector<Finding> damage;
    std::vector<Finding> notes;
    VerifyTotals totals;
  };
  Verdict verify(std::size_t step = 1u << 20) {
    auto verification = Verification::create(os::real_disk(), {directory, options.retention_rows, clock.now(), real.get()});
    Verdict verdict;
    for (bool more = true; more;) {
      more = verification->step(step);
      for (Finding& finding : verification->take_findings()) {
        UNSCOPED_INFO((finding.kind == Finding::Kind::damage ? "damage: " : "note: ")
                      << finding.topic << " " << finding.first.value << " to " << finding.next.value << " " << finding.file
                      << ": " << finding.what);
        (finding.kind == Finding::Kind::damage ? verdict.damage : verdict.notes).push_back(std::move(finding));
      }
    }
    verdict.totals = verification->totals();
    return verdict;
  }
  std::map<std::string, std::string> contents() const {
    std::map<std::string, std::string> all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      all[entry.path().string()] = std::string(std::istreambuf_iterator<char>(file), {});
    }
    return all;
  }
  void sql(const std::string& text) {
    auto database = sqlite::Database::open(path(), sqlite::OpenMode::read_write);
    REQUIRE(database.ok());
    REQUIRE(database->execute(text).ok());
  }
};

}  // namespace

TEST_CASE("a log and its history agree, stopped and under way, and no file is touched") {
  VerifyFixture f;
  f.add(700);
  auto verdict = f.verify();
  CHECK(verdict.damage.empty());
  CHECK(verdict.totals.rows == 700);
  CHECK(verdict.totals.datasets == 1);
  f.close_all();
  const auto before = f.contents();
  for (const std::size_t step : {std::size_t{1}, std::size_t{1} << 30}) {
    verdict = f.verify(step);
    CHECK(verdict.damage.empty());
    CHECK(verdict.notes.empty());
    CHECK(verdict.totals.rows == 700);
    CHECK(verdict.totals.log.records == 700);
  }
  CHECK(f.contents() == before);
}

TEST_CASE("what a killed process leaves, with a write-ahead log, is read and left as it is") {
  VerifyFixture f;
  f.add(300);
  // A copy of everything as it stands while the process lives.
  const iotstream::test::TemporaryDirectory copy;
  std::filesystem::copy(f.directory, copy.path(), std::filesystem::copy_options::recursive);
  REQUIRE(std::filesystem::file_size(copy / "history.db-wal") > 0);
  f.close_all();
  const std::string own = std::exchange(f.directory, copy.path());
  const auto before = f.contents();
  const auto verdict = f.verify();
  CHECK(verdict.damage.empty());
  CHECK(verdict.totals.rows == 300);
  CHECK(f.contents() == before);
  f.directory = own;
}

TEST_CASE("rows that are missing, doubled, out of place or miscounted are told") {
  VerifyFixture f;
  f.add(200);
  f.close_all();
  SECTION("missing") {
    f.sql("DELETE FROM events_1 WHERE partition = (SELECT min(partition) FROM events_1) AND \"offset\" IN (7, 8, 9, 20)");
    const auto verdict = f.verify();
    REQUIRE(verdict.damage.size() == 3);
    CHECK(verdict.damage[0].first == Offset(7));
    CHECK(verdict.damage[0].next == Offset(10));
    CHECK(verdict.damage[1].first == Offset(20));
    CHECK(verdict.damage[1].next == Offset(21));
    CHECK(verdict.damage[2].what == "history counts 200 events of the dataset, but holds 196");
  }
  SECTION("doubled") {
    f.sql(
        "INSERT INTO events_1 (\"time\", partition, \"offset\", device) SELECT \"time\" + 1, partition, \"offset\", device "
        "FROM "
        "events_1 LIMIT 2");
    const auto verdict = f.verify();
    REQUIRE(verdict.damage.size() == 3);
    CHECK(verdict.damage[0].what == "history holds this record twice");
  }
  SECTION("out of place") {
    f.sql("UPDATE events_1 SET \"offset\" = \"offset\" + 100000 WHERE \"offset\" = 5");
    const auto verdict = f.verify();
    CHECK(verdict.damage.size() >= 2);
  }
  SECTION("offsets that the log has not") {
    f.sql("UPDATE offsets SET next = next + 10");
    const auto verdict = f.verify();
    REQUIRE(!verdict.damage.empty());
    CHECK(verdict.damage[0].what.find("the log ends at") != std::string::npos);
  }
  SECTION("behind") {
    f.sql(
        "DELETE FROM events_1 WHERE \"offset\" >= 10; UPDATE offsets SET next = min(next, 10); UPDATE datasets SET events = "
        "(SELECT "
        "count(*) FROM events_1)");
    const auto verdict = f.verify();
    CHECK(verdict.damage.empty());
    CHECK(!verdict.notes.empty());
  }
  SECTION("no database") {
    std::ofstream(f.path(), std::ios::trunc)
        << "this is none, and long enough that nobody takes it for a new one. " << std::string(2000, 'x');
    const auto verdict = f.verify();
    CHECK(verdict.damage.size() == 1);
  }
  SECTION("none at all") {
    std::filesystem::remove(f.path());
    const auto verdict = f.verify();
    CHECK(verdict.damage.empty());
    CHECK(verdict.notes.size() == 1);
  }
}

TEST_CASE("what retention took from history is not missed, whatever retention is configured later") {
  VerifyFixture f;
  f.close_all();
  f.options.retention_rows = Duration::seconds(100);
  f.open_all();
  f.add(300);
  f.clock.advance(Duration::seconds(500));
  f.add(10);
  // Deleted while there is nothing else to do.
  for (int i = 0; i < 2000 && f.history->datasets().at(0).events > 10; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  REQUIRE(f.history->datasets().at(0).events < 310);
  CHECK(f.verify().damage.empty());
  f.close_all();
  CHECK(f.verify().damage.empty());
  f.options.retention_rows = Duration::seconds(100'000);
  CHECK(f.verify().damage.empty());
  f.sql("DELETE FROM events_1 WHERE \"time\" = (SELECT max(\"time\") FROM events_1)");
  CHECK(f.verify().damage.size() == 2);
}

}  // namespace iotstream::store::test
