// What passes by itself: no more open files, no space for an index. And what only looks as if nothing had happened: files taken
// away.
#include <atomic>

#include "hand_driven.hpp"

using namespace iotstream;
using namespace iotstream::log;
using iotstream::log::test::HandDriven;
using iotstream::log::test::LogFixture;
using iotstream::test::MemoryDisk;

namespace {

const Error too_many_files{ErrorKind::busy, "too many open files"};

/// Fails `kind` on paths that end so, until told otherwise.
void fail(HandDriven& h, MemoryDisk::Kind failing, std::string end, Error error) {
  h.disk->set_fault([failing, end = std::move(end), error](MemoryDisk::Kind kind, const std::string& path) {
    return kind == failing && path.ends_with(end) ? std::optional(error) : std::nullopt;
  });
}

/// One record of the size of half a segment, so that every second one begins a new one.
Appended append_half(HandDriven& h) { return h.partition().append(Timestamp{1}, "k", as_bytes(std::string(30'000, 'h'))); }

}  // namespace

// Once a segment that could not be created for want of a descriptor made its partition read-only until the restart.
TEST_CASE("no file for the next segment: records wait, the ring says when it is full, and it goes on") {
  HandDriven h;
  h.create();
  h.put(1, std::string(40'000, 'h'));
  fail(h, MemoryDisk::Kind::create, ".segment", too_many_files);
  std::uint64_t accepted = 1;
  REQUIRE(append_half(h).status == AppendStatus::accepted);
  ++accepted;
  CHECK(h.partition().serve() == PartitionLog::Work::stalled);
  while (append_half(h).status == AppendStatus::accepted) ++accepted;
  CHECK(append_half(h).status == AppendStatus::back_pressured);
  CHECK(h.partition().serve() == PartitionLog::Work::stalled);
  CHECK_FALSE(h.partition().status().read_only);
  CHECK(LogFixture::read_all(h.partition()).size() == 1);
  h.disk->set_fault(nullptr);
  while (h.partition().serve() == PartitionLog::Work::done) {
  }
  h.partition().sync();
  CHECK(h.partition().watermarks().durable == Offset(accepted));
  CHECK(LogFixture::read_all(h.partition()).size() == accepted);
}

// A folder is opened to be synced: that it cannot be is no failed sync, but nobody may be told before it was.
TEST_CASE("no file to sync a folder with: nobody is told, and the round is made again") {
  HandDriven h;
  h.create();
  fail(h, MemoryDisk::Kind::sync_directory, "/0", too_many_files);
  bool acknowledged = false;
  REQUIRE(h.partition().append(Timestamp{1}, "k", as_bytes("v")).status == AppendStatus::accepted);
  h.partition().when(Watermark::durable, Offset(0), [&acknowledged](Status status) { acknowledged = status.ok(); });
  h.partition().serve();
  CHECK_FALSE(h.partition().sync());
  CHECK(h.partition().wants_another_round());
  CHECK_FALSE(acknowledged);
  REQUIRE(h.partition().append(Timestamp{1}, "k", as_bytes("w")).status == AppendStatus::accepted);
  h.partition().serve();
  h.partition().sync();
  CHECK(h.partition().watermarks().durable == Offset(0));
  h.disk->set_fault(nullptr);
  h.partition().sync();
  CHECK_FALSE(h.partition().wants_another_round());
  CHECK(acknowledged);
  CHECK(h.partition().watermarks().durable == Offset(2));
}

TEST_CASE("with its threads the log makes that round again by itself") {
  LogFixture f;
  f.open();
  auto& partition = f.partition();
  std::atomic<int> failures{3};
  f.disk->set_fault([&failures](MemoryDisk::Kind kind, const std::string&) -> std::optional<Error> {
    if (kind != MemoryDisk::Kind::sync_directory || failures.fetch_sub(1) <= 0) return std::nullopt;
    return too_many_files;
  });
  CHECK(LogFixture::append_durably(partition, 1, "k", "v") == Offset(0));
  CHECK(failures.load() < 0);
}

// Once retention waited for the index of a segment that had found no space for it, and everything behind it stayed.
TEST_CASE("a segment whose index found no space is removed in its time") {
  HandDriven h;
  h.options.topic_defaults.retention_size = 100u << 10;
  h.create();
  fail(h, MemoryDisk::Kind::create, ".index.tmp", {ErrorKind::disk_full, "no space"});
  for (int i = 0; i != 20; ++i) h.put(1, std::string(30'000, 'h'));
  h.disk->set_fault(nullptr);
  CHECK(h.partition().status().segments == 10);
  h.topic->retain(h.clock.now());
  CHECK(h.partition().bytes() <= (100u << 10));
  const auto earliest = h.partition().watermarks().earliest;
  CHECK(LogFixture::read_all(h.partition()).size() == 20 - earliest.value);
  h.reopen();
  CHECK(h.partition().watermarks().earliest == earliest);
  CHECK(LogFixture::read_all(h.partition()).size() == 20 - earliest.value);
  for (const auto& path : h.disk->paths())
    if (path.ends_with(".segment"))
      CHECK((path.ends_with(segment_file_name(18)) || h.disk->exists(path.substr(0, path.size() - 7) + "index")));
}

// The same for a segment whose end has rotted: its bytes stay as they are, so it cannot be sealed.
TEST_CASE("a segment with a rotten end is removed in its time") {
  HandDriven h;
  h.options.topic_defaults.retention_size = 100u << 10;
  h.create();
  fail(h, MemoryDisk::Kind::create, ".index.tmp", {ErrorKind::disk_full, "no space"});
  for (int i = 0; i != 4; ++i) h.put(1, std::string(30'000, 'h'));
  const std::string first = "log/t/0/" + segment_file_name(0);
  h.disk->flip(first, 40'000, 0x08);
  h.disk->set_fault(nullptr);
  h.reopen();
  REQUIRE(h.partition().status().damage.size() == 1);
  CHECK(h.partition().status().damage[0].first == Offset(1));
  for (int i = 0; i != 10; ++i) h.put(1, std::string(30'000, 'h'));
  h.topic->retain(h.clock.now());
  CHECK(h.partition().bytes() <= (100u << 10));
  CHECK_FALSE(h.disk->exists(first));
  CHECK(h.partition().status().damage.empty());
}

// Files that are moved away are still written and synced without an error, and all of it is gone at the end.
TEST_CASE("a segment that was taken away is noticed when the mark is written") {
  HandDriven h;
  h.create();
  h.put(1);
  h.partition().write_mark();
  CHECK_FALSE(h.partition().status().read_only);
  REQUIRE(h.disk->rename("log/t/0/" + segment_file_name(0), "elsewhere"));
  h.put(1);
  h.partition().write_mark();
  CHECK(h.partition().status().read_only);
  CHECK(h.partition().append(Timestamp{1}, "k", {}).status == AppendStatus::read_only);
}
