// What the explorers of tests/fault found, one test each.
#include <random>

#include "hand_driven.hpp"
#include "log/groups.hpp"

using namespace iotstream;
using namespace iotstream::log;
using iotstream::log::test::HandDriven;
using iotstream::log::test::LogFixture;
using iotstream::log::test::segment_path;
using iotstream::test::MemoryDisk;

namespace {

/// Several segments, closed well; what was appended.
std::uint64_t fill(LogFixture& f, std::uint64_t records, std::string_view topic = "t", std::uint32_t partition = 0) {
  for (std::uint64_t i = 0; i != records; ++i)
    LogFixture::append(f.partition(topic, partition), 1000 + static_cast<std::int64_t>(i), "k",
                       fmt::format("{}/{} {} {}", topic, partition, i, std::string(1000, 'x')));
  REQUIRE(LogFixture::wait(f.partition(topic, partition), Watermark::durable, Offset(records - 1)));
  return records;
}

std::vector<std::string> segments_of(const MemoryDisk& disk, std::string_view suffix = ".segment") {
  std::vector<std::string> found;
  for (const std::string& path : disk.paths())
    if (path.ends_with(suffix) && path.starts_with("data/log/t/0/")) found.push_back(path);
  return found;
}

/// The disks on which a process leaves things when it is killed behind each operation of `work`.
template <class Work>
std::vector<std::shared_ptr<MemoryDisk>> killed_behind_each(const MemoryDisk& begin, MemoryDisk& disk, Work work) {
  const auto ground = begin.copy();
  disk.record();
  work();
  std::vector<std::shared_ptr<MemoryDisk>> left;
  for (const auto& step : disk.recorded()) {
    ground->replay(step.operation);
    left.push_back(ground->copy());
  }
  return left;
}

std::shared_ptr<MemoryDisk> worst_power_cut(const MemoryDisk& disk) {
  std::mt19937_64 random(1);
  return disk.after_power_cut(random, 0);
}

}  // namespace

// A process was killed between making a name and syncing its folder. The next one found the name, wrote and acknowledged behind
// it, and never synced it: a power cut took the topic with everything in it.
TEST_CASE("a name that a killed process left un-synced is synced before anything behind it is acknowledged") {
  LogFixture first;
  const auto begin = first.disk->copy();
  const auto left = killed_behind_each(*begin, *first.disk, [&first] {
    first.open();
    LogFixture::append_durably(first.partition(), 1, "k", "first");
    REQUIRE(first.log->commit(std::vector{GroupOffset{"g", "t", PartitionId(0), Offset(1)}}));
  });
  first.close();
  for (const auto& disk : left) {
    LogFixture f;
    f.disk = disk;
    f.open();
    const Offset offset = LogFixture::append_durably(f.partition(), 2, "k", "second");
    REQUIRE(f.log->commit(std::vector{GroupOffset{"g", "t", PartitionId(0), Offset(1)}}));
    LogFixture g;
    g.disk = worst_power_cut(*f.disk);
    g.open();
    REQUIRE(g.log->find("t") != nullptr);
    const auto seen = LogFixture::read_all(g.partition());
    REQUIRE(seen.size() == offset.value + 1);
    CHECK(seen.back().value == "second");
    CHECK(g.log->committed("g", "t", PartitionId(0)) == Offset(1));
  }
}

// Offsets that a killed process had written and not synced were served by the next one; a power cut then took them back.
TEST_CASE("committed offsets that are served stay, whoever wrote them") {
  LogFixture first;
  first.open();
  REQUIRE(first.log->commit(std::vector{GroupOffset{"g", "t", PartitionId(0), Offset(1)}}));
  const auto begin = first.disk->copy();
  const auto left = killed_behind_each(*begin, *first.disk, [&first] {
    REQUIRE(first.log->commit(std::vector{GroupOffset{"g", "t", PartitionId(0), Offset(2)}}));
  });
  for (const auto& disk : left) {
    LogFixture f;
    f.disk = disk;
    f.open();
    const auto served = f.log->committed("g", "t", PartitionId(0));
    LogFixture g;
    g.disk = worst_power_cut(*f.disk);
    g.open();
    CHECK(g.log->committed("g", "t", PartitionId(0)) == served);
  }
}

// The last file was put aside, because what should stand before it was never synced. The file before it had been closed, empty:
// the log went on in a new one of the same name, could not create it, and was read-only.
TEST_CASE("a log whose last files are put aside goes on") {
  LogFixture f;
  f.options.topic_defaults.sync = Sync::none;  // nothing testifies
  f.open();
  fill(f, 200);
  const auto image = f.disk->copy();
  f.close();
  const auto segments = segments_of(*image);
  REQUIRE(segments.size() >= 3);
  const std::string& lost = segments[segments.size() - 2];
  auto bytes = image->content(lost);
  std::fill(bytes.begin() + 1024, bytes.end(), std::byte{0});
  image->set_content(lost, bytes);
  // It may be sealed already, or not yet.
  const std::string index = lost.substr(0, lost.size() - 7) + "index";
  if (image->exists(index)) REQUIRE(image->remove(index));
  f.reopen_on(image);
  const auto next = f.partition().watermarks().durable;
  CHECK(LogFixture::append_durably(f.partition(), 1, "k", "after") == next);
  CHECK_FALSE(f.partition().status().read_only);
}

// A damaged topic file kept the whole log from opening; a missing one hid all that the topic held.
TEST_CASE("a topic file that is damaged, missing or another topic's is made anew from the segments") {
  for (const int way : {0, 1, 2}) {
    LogFixture f;
    f.options.topic_defaults.partitions = 2;
    f.open();
    fill(f, 5, "t", 0);
    fill(f, 5, "t", 1);
    fill(f, 5, "other");
    f.close();
    if (way == 0) f.disk->flip("data/log/t/topic", 20);
    if (way == 1) REQUIRE(f.disk->remove("data/log/t/topic"));
    if (way == 2) f.disk->set_content("data/log/t/topic", f.disk->content("data/log/other/topic"));
    f.open();
    REQUIRE(f.log->find("t") != nullptr);
    CHECK(f.topic().partition_count() == 2);
    CHECK(f.topic().options().retention_size == 0);
    CHECK(LogFixture::read_all(f.partition("t", 0)).size() == 5);
    CHECK(LogFixture::read_all(f.partition("t", 1)).size() == 5);
    CHECK(LogFixture::read_all(f.partition("other")).size() == 5);
    f.close();
    f.open();  // what was made anew is there
    CHECK(f.topic().partition_count() == 2);
  }
}

// A partition's folder that was gone kept the whole log from opening.
TEST_CASE("a partition whose folder is gone is read-only, the others live on") {
  LogFixture f;
  f.options.topic_defaults.partitions = 2;
  f.open();
  fill(f, 5, "t", 1);
  f.close();
  auto image = std::make_shared<MemoryDisk>();
  REQUIRE(image->create_directories("data/log/t/1"));
  for (const std::string& path : f.disk->paths()) {
    if (path.starts_with("data/log/t/0/")) continue;
    REQUIRE(image->open(path, os::OpenMode::create));
    image->set_content(path, f.disk->content(path));
  }
  f.reopen_on(image);
  CHECK(f.partition("t", 0).append(Timestamp{1}, "k", {}).status == AppendStatus::read_only);
  CHECK(LogFixture::read_all(f.partition("t", 1)).size() == 5);
  CHECK(LogFixture::append_durably(f.partition("t", 1), 1, "k", "v") == Offset(5));
}

// Another partition's segment, index or mark under the right name was believed: wrong records were served, or right ones given
// up.
TEST_CASE("files of another partition are not taken for one's own") {
  for (const std::string_view name : {"00000000000000000000.segment", "00000000000000000000.index", "mark"}) {
    LogFixture f;
    f.options.topic_defaults.partitions = 2;
    f.open();
    fill(f, 150, "t", 0);
    fill(f, 190, "t", 1);
    f.close();
    const std::string own = fmt::format("data/log/t/0/{}", name);
    f.disk->set_content(own, f.disk->content(fmt::format("data/log/t/1/{}", name)));
    f.open();
    const auto seen = LogFixture::read_all(f.partition("t", 0));
    for (const auto& record : seen) CHECK(record.value.starts_with(fmt::format("t/0 {} ", record.offset)));
    const auto damage = f.partition("t", 0).status().damage;
    if (name.ends_with("segment")) {
      REQUIRE(damage.size() == 1);
      CHECK(damage[0].first == Offset(0));
      CHECK(damage[0].next.value + seen.size() == 150);
    } else {
      CHECK(damage.empty());
      CHECK(seen.size() == 150);
    }
    CHECK(LogFixture::append_durably(f.partition("t", 0), 1, "k", "v") == Offset(150));
  }
}

// Where a sealed segment ended early, or in zeros, reading went on with the next one and nothing was said.
TEST_CASE("a sealed segment that ends early is reported") {
  for (const bool cut : {true, false}) {
    LogFixture f;
    f.open();
    fill(f, 150);
    f.close();
    const std::string path = segments_of(*f.disk).front();
    auto bytes = f.disk->content(path);
    if (cut)
      bytes.resize(bytes.size() / 2);
    else
      std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2), bytes.end(), std::byte{0});
    f.disk->set_content(path, bytes);
    f.open();
    const auto seen = LogFixture::read_all(f.partition());
    const auto damage = f.partition().status().damage;
    REQUIRE(damage.size() == 1);
    CHECK(damage[0].next.value - damage[0].first.value + seen.size() == 150);
  }
}

// The first batches of a growing segment, below the mark, are not looked at by recovery. When they had rotted, readers passed
// them without a word.
TEST_CASE("batches below the mark that cannot be read are reported, also when none can") {
  for (const bool all : {false, true}) {
    LogFixture f;
    f.open();
    for (int i = 0; i != 3; ++i) LogFixture::append_durably(f.partition(), 1, "k", "below the mark");
    f.close();
    f.open();
    if (!all) LogFixture::append_durably(f.partition(), 1, "k", "above it");
    auto image = f.disk->copy();
    auto bytes = image->content(segment_path());
    for (std::size_t i = 1024; i != 1024 + 3 * 96; ++i) bytes[i] ^= std::byte{0x55};
    image->set_content(segment_path(), bytes);
    f.reopen_on(image);
    CHECK(LogFixture::read_all(f.partition()).size() == (all ? 0 : 1));
    const auto damage = f.partition().status().damage;
    REQUIRE(damage.size() == 1);
    CHECK(damage[0].first == Offset(0));
    CHECK(damage[0].next == Offset(3));
  }
}

// In mode `none` a round that sealed segments forgot the one that was still growing: a clean end did not sync it.
TEST_CASE("a clean end syncs everything, in mode none too") {
  LogFixture f;
  f.options.topic_defaults.sync = Sync::none;
  f.open();
  fill(f, 200);
  f.close();
  LogFixture g;
  g.disk = worst_power_cut(*f.disk);
  g.open();
  CHECK(LogFixture::read_all(g.partition()).size() == 200);
}

// A flipped bit in the number of the format was taken for the file of a newer program, and the log did not open.
TEST_CASE("a flipped bit in the format of the committed offsets is damage, not a newer format") {
  LogFixture f;
  f.open();
  for (std::uint64_t i = 1; i != 3; ++i) REQUIRE(f.log->commit(std::vector{GroupOffset{"g", "t", PartitionId(0), Offset(i)}}));
  f.close();
  f.disk->flip("data/log/groups.0", 8, 0x40);
  f.open();
  CHECK(f.log->committed("g", "t", PartitionId(0)) == Offset(1));
}

namespace {

/// All that is durable stands in a closed segment, and the mark says so; the one behind it holds a record that was never
/// synced. It was begun by a start that had put another aside.
std::uint64_t closed_and_open(HandDriven& h) {
  h.options.topic_defaults.retention_size = 1;
  h.create();
  for (int i = 0; i != 2; ++i) h.put(1, std::string(25'000, 'd'));
  const std::uint64_t durable = h.partition().watermarks().durable.value;
  h.partition().write_mark();
  auto mark = h.disk->open("log/t/0/mark", os::OpenMode::read_write);
  REQUIRE(mark);
  REQUIRE((*mark)->sync());
  const auto append = [&h] {
    REQUIRE(h.partition().append(Timestamp{2}, "k", as_bytes(std::string(30'000, 'u'))).status == AppendStatus::accepted);
    REQUIRE(h.partition().serve() == PartitionLog::Work::done);
  };
  append();
  REQUIRE(h.disk->sync_directory("log/t/0"));
  h.disk = worst_power_cut(*h.disk);  // a name, and nothing in it
  h.reopen();
  append();
  return durable;
}

/// The log on `disk` after a start: nothing was lost, and no offset that was given out comes back.
void check_start(HandDriven& h, const std::shared_ptr<MemoryDisk>& disk, std::uint64_t durable) {
  h.disk = disk;
  h.reopen();
  REQUIRE(h.partition().status().damage.empty());
  REQUIRE(h.partition().watermarks().durable.value >= durable);
}

}  // namespace

// A power cut kept the removal of all that was durable, and not the name of the segment behind it. The start reported the
// removed records as lost.
TEST_CASE("retention syncs the name of the segment that stays before it takes the last one before it") {
  HandDriven h;
  const std::uint64_t durable = closed_and_open(h);
  h.disk->record();
  const auto ground = h.disk->copy();
  h.topic->retain(h.clock.now());
  REQUIRE(h.partition().watermarks().earliest.value == durable);
  std::mt19937_64 random(1);
  for (const auto& step : h.disk->recorded()) {
    ground->replay(step.operation);
    for (int i = 0; i != 50; ++i) {
      HandDriven after;
      check_start(after, ground->after_power_cut(random, 50), durable);
    }
  }
}

// The segment that stayed was put aside at a start, for its header had never been synced, and the next start found a mark of
// records that no segment held.
TEST_CASE("a log whose only segment is put aside knows at every later start that it is empty") {
  HandDriven h;
  const std::uint64_t durable = closed_and_open(h);
  h.topic->retain(h.clock.now());
  REQUIRE(h.partition().watermarks().earliest.value == durable);
  std::mt19937_64 random(1);
  const auto headless = worst_power_cut(*h.disk);
  const auto ground = headless->copy();
  headless->record();
  HandDriven first;
  check_start(first, headless, durable);
  REQUIRE(first.partition().watermarks().durable.value == durable);
  REQUIRE(first.partition().append(Timestamp{3}, "k", as_bytes("new")).status == AppendStatus::accepted);
  REQUIRE(first.partition().serve() == PartitionLog::Work::done);
  for (const auto& step : headless->recorded()) {
    ground->replay(step.operation);
    for (int i = 0; i != 50; ++i) {
      HandDriven after;
      check_start(after, i == 0 ? ground->copy() : ground->after_power_cut(random, 50), durable);
    }
  }
}
