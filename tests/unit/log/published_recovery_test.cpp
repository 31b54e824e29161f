// Published failures of other logs, one test each: what stands on the disk, and what the next start makes of it. Each begins
// with its story: what happened where, and what must hold here. (published_running_test.cpp: failures of a running process.)
#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "hand_driven.hpp"
#include "log/format.hpp"
#include "support/random.hpp"

using namespace iotstream;
using namespace iotstream::log;
using iotstream::log::test::HandDriven;
using iotstream::log::test::LogFixture;
using iotstream::log::test::segment_path;
using iotstream::test::MemoryDisk;

namespace {

constexpr std::string_view folder = "data/log/t/0/";

/// Batches of one record; the values say their offset. Leaves the log closed.
void fill_and_close(LogFixture& f, std::uint64_t records, std::size_t value_size = 3000) {
  f.open();
  auto& partition = f.partition();
  for (std::uint64_t i = partition.watermarks().durable.value; i != records; ++i)
    LogFixture::append_durably(partition, static_cast<std::int64_t>(i), "k", fmt::format("{:0>{}}", i, value_size));
  f.close();
}

/// Every record but those that are reported as damaged is there, with its contents; the number of those.
std::uint64_t check_rest(LogFixture& f, std::uint64_t records) {
  auto& partition = f.partition();
  std::set<std::uint64_t> seen;
  for (const auto& record : LogFixture::read_all(partition)) {
    CHECK(std::stoull(record.value) == record.offset);
    CHECK(seen.insert(record.offset).second);
  }
  std::uint64_t lost = 0;
  for (const Damage& damage : partition.status().damage)
    for (auto offset = damage.first; offset != damage.next; offset = offset + 1) {
      CHECK_FALSE(seen.contains(offset.value));
      ++lost;
    }
  CHECK(seen.size() + lost == records);
  return lost;
}

std::vector<std::string> files_like(const MemoryDisk& disk, std::string_view end) {
  std::vector<std::string> found;
  for (const auto& path : disk.paths())
    if (path.find(end) != std::string::npos) found.push_back(path);
  return found;
}

}  // namespace

// NATS JetStream, issue 7549: one flipped bit in the middle of a block file cost every acknowledged message behind it. Here
// damage is the batch that it hit, by its exact offsets, whichever file of the partition it is in.
TEST_CASE("NATS 7549: a flipped bit in the middle loses its own batch and nothing behind it") {
  LogFixture f;
  fill_and_close(f, 60);
  const auto segments = files_like(*f.disk, ".segment");
  REQUIRE(segments.size() >= 3);
  const auto image = f.disk->copy();
  for (const std::string& victim : segments) {
    const auto size = image->content(victim).size();
    for (const std::uint64_t at : {size / 4, size / 2}) {
      LogFixture g;
      g.disk = image->copy();
      g.disk->flip(victim, at, 0x04);
      g.open();
      (void)LogFixture::read_all(g.partition());  // a sealed segment is checked when it is read
      CHECK(check_rest(g, 60) <= 1);
      CHECK(LogFixture::append_durably(g.partition(), 1, "k", "60") == Offset(60));
    }
  }
}

// NATS JetStream, issue 7556: a corrupt snapshot of the metadata made the server take the streams for orphans and delete them.
// Here no damage to a file that describes others deletes a segment, and the records are served.
TEST_CASE("NATS 7556: damaged metadata never deletes data") {
  LogFixture f;
  fill_and_close(f, 60);
  const auto image = f.disk->copy();
  std::map<std::string, std::vector<std::byte>> segments;
  for (const auto& path : files_like(*image, ".segment")) segments[path] = image->content(path);
  std::vector<std::string> described = files_like(*image, ".index");
  described.push_back("data/log/t/topic");
  described.push_back(std::string(folder) + "mark");
  REQUIRE(described.size() >= 4);
  for (const std::string& path : described)
    for (int how = 0; how != 4; ++how) {
      INFO(path << ", " << how);
      LogFixture g;
      g.disk = image->copy();
      auto bytes = image->content(path);
      if (how == 0) bytes.clear();
      if (how == 1) bytes.resize(bytes.size() / 2);
      if (how == 2) std::fill(bytes.begin(), bytes.end(), std::byte{0});
      if (how == 3) bytes[bytes.size() / 3] ^= std::byte{0x20};
      g.disk->set_content(path, bytes);
      g.open();
      CHECK(check_rest(g, 60) == 0);
      g.close();
      for (const auto& [name, content] : segments) {
        REQUIRE(std::ranges::count(g.disk->paths(), name) == 1);
        const auto now = g.disk->content(name);
        CHECK(std::equal(now.begin(), now.begin() + static_cast<std::ptrdiff_t>(std::min(now.size(), content.size())),
                         content.begin()));
      }
    }
}

// NATS JetStream, issues 6888 and 5876: after kill -9 of all servers a stream was forgotten, though its blocks were there. Here
// a topic is known from the moment that topic() has returned it, and a creation that was cut off leaves nothing in the way.
TEST_CASE("NATS 6888, 5876: a kill at any step of a topic's creation forgets no topic") {
  for (std::uint64_t step = 1;; ++step) {
    LogFixture f;
    f.options.topic_defaults.partitions = 3;
    f.open();
    std::shared_ptr<MemoryDisk> killed;
    std::uint64_t steps = 0;
    f.disk->set_fault([&](MemoryDisk::Kind, const std::string&) -> std::optional<Error> {
      if (++steps == step) killed = f.disk->copy();
      return std::nullopt;
    });
    (void)f.topic("räume/2");
    f.disk->set_fault(nullptr);
    if (killed == nullptr) {
      CHECK(step > 5);
      f.reopen_on(f.disk->copy());
      REQUIRE(f.log->find("räume/2") != nullptr);
      CHECK(f.log->find("räume/2")->partition_count() == 3);
      return;
    }
    f.reopen_on(killed);
    CHECK(f.topic("räume/2").partition_count() == 3);
    CHECK(LogFixture::append_durably(f.partition("räume/2", 2), 1, "k", "0") == Offset(0));
  }
}

// NATS JetStream, issue 6396: a reboot right after a bucket was created left a directory without it: its entry had not been
// synced. Here a topic survives the loss of power from the moment that topic() has returned it, with its options and its
// partitions.
TEST_CASE("NATS 6396: a loss of power right after a topic's creation") {
  IOTSTREAM_SEEDED(random);
  LogFixture f;
  f.open();
  TopicOptions options = f.options.topic_defaults;
  options.partitions = 5;
  options.retention_size = 123;
  REQUIRE(f.log->topic("new", options));
  f.reopen_on(f.disk->after_power_cut(random, 0));
  Topic* topic = f.log->find("new");
  REQUIRE(topic != nullptr);
  CHECK(topic->partition_count() == 5);
  CHECK(topic->options().retention_size == 123);
}

// NATS JetStream's tests RecoverFullStateDetectCorruptState and WriteFullStateDetectCorruptState: a state file that is stale,
// cut, absent, of another kind, or at odds with itself. Here an index is a cache: whatever it holds, what is read is the
// segment.
TEST_CASE("NATS RecoverFullState: an index that is absent, cut, of another kind, another's or stale") {
  LogFixture f;
  fill_and_close(f, 60);
  const auto image = f.disk->copy();
  const auto indexes = files_like(*image, ".index");
  REQUIRE(indexes.size() >= 2);
  const auto good = image->content(indexes[0]);
  auto damaged = good;
  const int how = GENERATE(range(0, 7));
  LogFixture g;
  g.disk = image->copy();
  if (how == 0) REQUIRE(g.disk->remove(indexes[0]));
  if (how == 1) damaged.resize(format::summary_size);  // its entries are missing
  if (how == 2) std::copy_n("NOTANIDX", 8, reinterpret_cast<char*>(damaged.data()));
  if (how == 3) damaged = image->content(indexes[1]);                  // whole, of another segment
  if (how == 4) damaged[format::summary_size + 4] ^= std::byte{0x80};  // an entry points elsewhere
  if (how == 5) damaged.insert(damaged.end(), 64, std::byte{0x55});    // something behind its end
  if (how == 6) {                                                      // whole, of an earlier life of the same name
    LogFixture earlier;
    fill_and_close(earlier, 60, 2900);
    damaged = earlier.disk->content(files_like(*earlier.disk, ".index")[0]);
  }
  if (how != 0) g.disk->set_content(indexes[0], damaged);
  g.open();
  (void)LogFixture::read_all(g.partition());
  const std::uint64_t lost = check_rest(g, 60);
  // Only a whole summary of other contents is believed so far that offsets go missing, by name: the segment's own are served
  // still.
  if (how != 6) CHECK(lost == 0);
  for (std::int64_t i = 0; i != 60; ++i)
    if (how != 6) CHECK(*g.partition().seek(Timestamp{i}) == Offset(static_cast<std::uint64_t>(i)));
}

// liftbridge, pull request 440, and NATS JetStream, issue 406: a corrupt index was a slice out of bounds, and the process ended
// at each start. Here no content of any small file ends the process: it starts, or says in a sentence why not.
TEST_CASE("liftbridge 440, JetStream 406: random damage to the small files is an answer, not an end") {
  IOTSTREAM_SEEDED(random);
  LogFixture f;
  fill_and_close(f, 60);
  std::vector<GroupOffset> offsets{{"g", "t", PartitionId(0), Offset(7)}};
  f.open();
  REQUIRE(f.log->commit(offsets));
  f.close();
  const auto image = f.disk->copy();
  std::vector<std::string> small;
  for (const auto& path : image->paths())
    if (!path.ends_with(".segment")) small.push_back(path);
  for (int round = 0; round != 400; ++round) {
    LogFixture g;
    g.disk = image->copy();
    for (auto files = iotstream::test::between(random, 1, 3); files != 0; --files) {
      const std::string& path = small[random() % small.size()];
      auto bytes = g.disk->content(path);
      for (auto flips = iotstream::test::between(random, 1, 8); flips != 0 && !bytes.empty(); --flips)
        bytes[random() % bytes.size()] = static_cast<std::byte>(random());
      if (random() % 4 == 0) bytes.resize(random() % (2 * bytes.size() + 2));
      g.disk->set_content(path, bytes);
    }
    auto opened = Log::open(g.options, *g.disk, g.clock, g.metrics);
    if (!opened) {
      CHECK_FALSE(opened.error().message.empty());
      continue;
    }
    g.log = std::move(*opened);
    if (g.log->find("t") != nullptr) (void)LogFixture::read_all(g.partition());
  }
}

// Redpanda, storage/parser.cc: zeros that fallocate had left behind the last batch were once read as a corrupt batch. Here they
// are the normal end of a segment: nothing is cut, put aside, reported or counted.
TEST_CASE("Redpanda parser.cc: a tail of reserved zeros is the normal end") {
  LogFixture f;
  f.open();
  LogFixture::append_durably(f.partition(), 1, "k", "0");
  const auto image = f.disk->copy();
  CHECK(image->content(segment_path()).size() == 64u << 10);
  f.reopen_on(image);
  CHECK(check_rest(f, 1) == 0);
  CHECK(files_like(*f.disk, ".tail.").empty());
  CHECK(f.metrics.counter("iotstream_log_torn_bytes_total", "").value() == 0);
  CHECK(LogFixture::append_durably(f.partition(), 1, "k", "1") == Offset(1));
  CHECK(check_rest(f, 2) == 0);
}

// Aeron Archive, Catalog.java: the last frame of a recording may straddle a page, so that after a crash its first page is new
// and its second old. Here each end of the last batch around a page is acknowledged only as a whole, and is whole or cut.
TEST_CASE("Aeron Catalog: the last batch straddles a page, and the power fails before it is acknowledged") {
  IOTSTREAM_SEEDED(random);
  int whole = 0;
  int cut = 0;
  for (std::size_t size = 2800; size != 3100; size += 4) {
    LogFixture f;
    f.open();
    auto& partition = f.partition();
    LogFixture::append_durably(partition, 0, "k", "0");
    std::shared_ptr<MemoryDisk> image;
    f.disk->set_fault([&](MemoryDisk::Kind kind, const std::string& path) -> std::optional<Error> {
      if (kind == MemoryDisk::Kind::sync && path == segment_path() && image == nullptr) image = f.disk->after_power_cut(random);
      return std::nullopt;
    });
    LogFixture::append_durably(partition, 1, "k", fmt::format("{:0>{}}", 1, size));
    f.disk->set_fault(nullptr);
    REQUIRE(image != nullptr);
    f.reopen_on(image);
    const auto seen = LogFixture::read_all(f.partition());
    REQUIRE((seen.size() == 1 || seen.size() == 2));
    ++(seen.size() == 2 ? whole : cut);
    CHECK(check_rest(f, seen.size()) == 0);
  }
  CHECK(cut > 0);
  CHECK(whole + cut == 75);
}

// LevelDB, log_reader.cc: with its length damaged a record made the reader land in another record's body, and a body that
// looked like a record was served. (NATS has a threshold for it, rlBadThresh.) Here a batch in a value is a value: its place is
// in its checksum.
TEST_CASE("LevelDB log_reader: a damaged length does not make a body a batch") {
  LogFixture f;
  f.open();
  LogFixture::append_durably(f.partition(), 0, "k", "0");
  const auto before = f.disk->content(segment_path());
  const std::string batch(reinterpret_cast<const char*>(before.data()) + format::frames_begin, 88);
  REQUIRE(batch.starts_with("BTCH"));
  std::string body;
  for (int i = 0; i != 20; ++i) body += batch;  // at a multiple of 8 somewhere
  std::uint64_t end = 0;
  for (std::uint64_t i = 1; i != 4; ++i) {
    LogFixture::append_durably(f.partition(), 0, "k", std::string(i, ' ') + body);
    if (i == 1) end = f.partition().status().bytes;
  }
  const auto image = f.disk->copy();
  for (unsigned length = 64; length != 800; length += 8) {
    LogFixture g;
    g.disk = image->copy();
    auto bytes = image->content(segment_path());
    store_le(bytes.data() + end + 4, std::uint32_t{length});
    g.disk->set_content(segment_path(), bytes);
    g.open();
    const auto seen = LogFixture::read_all(g.partition());
    REQUIRE(seen.size() == 3);
    CHECK(seen[0].value == "0");
    CHECK(seen[1].value == " " + body);
    CHECK(seen[2].offset == 3);
    CHECK(g.partition().status().damage.size() == 1);
  }
}

// A recycled file whose old contents parse as valid behind the new end: why SQLite's WAL salts and chains its checksums. Here
// neither batches of an earlier life of the file that were never acknowledged, nor those of another segment, follow a batch
// that they did not follow then.
TEST_CASE("recycled space: stale batches that were valid once are not read again") {
  constexpr std::ptrdiff_t frame = 88;
  constexpr std::ptrdiff_t third = format::frames_begin + 3 * frame;
  HandDriven h;
  h.create();
  h.put(0, "0");
  h.put(0, "1");
  const auto before = h.disk->copy();
  for (const char* const value : {"2", "3", "4", "5"}) {  // written, never synced
    REQUIRE(h.partition().append(Timestamp{0}, "k", as_bytes(value)).status == AppendStatus::accepted);
    REQUIRE(h.partition().serve() == PartitionLog::Work::done);
  }
  const std::string path = "log/t/0/" + segment_file_name(0);
  const auto earlier = h.disk->content(path);

  HandDriven other;
  other.create();
  for (const char* const value : {"0", "1", "2", "3", "4", "5"}) other.put(0, value);
  const auto others = other.disk->content(path);
  for (const auto* const stale : {&earlier, &others}) {
    h.disk = before->copy();
    h.clock.advance(Duration::seconds(1));
    h.reopen();
    h.put(0, "2");  // the file goes on differently from here
    auto bytes = h.disk->content(path);
    std::copy(stale->begin() + third, stale->begin() + third + 3 * frame, bytes.begin() + third);
    h.disk = h.disk->copy();
    h.disk->set_content(path, bytes);
    h.reopen();
    CHECK(LogFixture::read_all(h.partition()).size() == 3);
    CHECK(h.partition().status().damage.empty());
    h.put(0, "3");
    CHECK(LogFixture::read_all(h.partition()).size() == 4);
  }
}

// Fluss, pull request 2036: at the start every segment was scanned, and with much stored that took minutes. Here sealed
// segments are not read at all at the start; of each the summary at the front of its index is.
TEST_CASE("Fluss 2036: a start reads no sealed segment") {
  std::vector<std::uint64_t> reads;
  for (const std::uint64_t records : {40u, 400u}) {
    LogFixture f;
    fill_and_close(f, records);
    const auto segments = files_like(*f.disk, ".segment");
    std::map<std::string, std::uint64_t> read;
    std::mutex mutex;
    f.disk->set_fault([&](MemoryDisk::Kind kind, const std::string& path) -> std::optional<Error> {
      std::lock_guard lock(mutex);
      if (kind == MemoryDisk::Kind::read || kind == MemoryDisk::Kind::open) ++read[path];
      return std::nullopt;
    });
    f.open();
    f.disk->set_fault(nullptr);
    for (const auto& path : segments)
      if (path != segments.back()) CHECK(read[path] == 0);
    CHECK(read[segments.back()] > 0);
    for (const auto& path : files_like(*f.disk, ".index")) CHECK(read[path] == 2);  // opened, read once
    reads.push_back(segments.size());
    CHECK(check_rest(f, records) == 0);
  }
  CHECK(reads[1] > 5 * reads[0]);
}
