// The files of every version of the format, kept in tests/golden/log: those of the past are read for ever, those of today are
// what the writer still writes, byte for byte. IOTSTREAM_GOLDEN=write makes the files of the current version anew: only when
// its format is not yet released.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "hand_driven.hpp"
#include "log/groups.hpp"

using namespace iotstream;
using namespace iotstream::log;
using iotstream::log::test::HandDriven;
using iotstream::log::test::LogFixture;
using iotstream::test::MemoryDisk;

namespace {

const std::string golden_directory = std::string(IOTSTREAM_SOURCE_DIR) + "/tests/golden/log";

using Files = std::map<std::string, std::vector<std::byte>>;

/// Space reserved ahead says nothing: it is not compared and not kept, up to the multiple of 8 where frames end.
std::vector<std::byte> without_reserve(const std::string& path, std::vector<std::byte> bytes) {
  if (!path.ends_with(".segment")) return bytes;
  while (!bytes.empty() && bytes.back() == std::byte{0}) bytes.pop_back();
  bytes.resize(format::align_frame(bytes.size()));
  return bytes;
}

Files files_of(const MemoryDisk& disk) {
  Files files;
  for (const auto& path : disk.paths()) files[path] = without_reserve(path, disk.content(path));
  return files;
}

Files stored(std::string_view version) {
  Files files;
  const std::filesystem::path root = golden_directory + "/" + std::string(version);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    const auto bytes = as_bytes(text);
    files[entry.path().lexically_relative(root).string()] = {bytes.begin(), bytes.end()};
  }
  return files;
}

void store(std::string_view version, const Files& files) {
  for (const auto& [name, bytes] : files) {
    const std::filesystem::path path = golden_directory + "/" + std::string(version) + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
}

std::uint64_t salts = 0;
std::uint64_t counted_salt() { return ++salts * 0x9e3779b97f4a7c15ULL; }

/// A log whose bytes depend on nothing but the code: two sealed segments and a growing one.
struct Golden : HandDriven {
  Golden() {
    salts = 0;
    salt = &counted_salt;
    options.topic_defaults.retention_age = Duration::seconds(8000);
  }
  void fill() {
    create("t");
    put(100, "first");
    put(90, "clocks run backwards");
    for (int i = 0; i != 5; ++i) append(fmt::format("device {}", i), 200 + i, std::string(static_cast<std::size_t>(i), 'x'));
    flush();
    clock.advance(Duration::seconds(1001));  // the segment has become old: another begins
    put(300, "second segment");
    clock.advance(Duration::seconds(1001));
    put(400, "third segment");
    partition().write_mark();
    put(500, "behind the mark");
  }
  void append(std::string_view key, std::int64_t time_us, std::string_view value) {
    REQUIRE(partition().append(Timestamp{time_us}, key, as_bytes(value)).status == AppendStatus::accepted);
  }
  void flush() {
    REQUIRE(partition().serve() == PartitionLog::Work::done);
    partition().sync();
  }
  void number() {
    for (std::uint64_t i = 0; i != 3; ++i)
      REQUIRE(partition().append({600 + static_cast<std::int64_t>(i)}, "numbered", as_bytes("a"), Producer{7, 40 + i}).status ==
              AppendStatus::accepted);
    flush();
    for (int i = 0; i != 2; ++i) {
      clock.advance(Duration::seconds(1001));
      append("last", 700, "stays");
      flush();
    }
    REQUIRE(partition().compact(clock.now(), stopping) == PartitionLog::Compaction::done);
  }
  std::atomic<bool> stopping{false};
  void commit() {
    auto groups = Groups::open(*disk, "log", clock.now());
    REQUIRE(groups);
    const GroupOffset first[] = {{"charts", "t", PartitionId(0), Offset(3)}, {"history", "t", PartitionId(0), Offset(5)}};
    REQUIRE((*groups)->commit(first, false));
    const GroupOffset second[] = {{"charts", "t", PartitionId(0), Offset(7)}};
    REQUIRE((*groups)->commit(second, false));
  }
  void load(std::string_view version) {
    REQUIRE(disk->create_directories("log/t/0"));
    for (const auto& [path, bytes] : stored(version)) {
      REQUIRE(disk->open(path, os::OpenMode::create));
      disk->set_content(path, bytes);
    }
    reopen();
  }
};

const std::vector<LogFixture::Seen> plain_records = {{0, 100, "k", "first"},         {1, 90, "k", "clocks run backwards"},
                                                     {2, 200, "device 0", ""},       {3, 201, "device 1", "x"},
                                                     {4, 202, "device 2", "xx"},     {5, 203, "device 3", "xxx"},
                                                     {6, 204, "device 4", "xxxx"},   {7, 300, "k", "second segment"},
                                                     {8, 400, "k", "third segment"}, {9, 500, "k", "behind the mark"}};

/// Of version 2: the first four segments are compacted, and there are producers.
const std::vector<LogFixture::Seen> later_records = {
    {2, 200, "device 0", ""},    {3, 201, "device 1", "x"},    {4, 202, "device 2", "xx"},
    {5, 203, "device 3", "xxx"}, {6, 204, "device 4", "xxxx"}, {9, 500, "k", "behind the mark"},
    {12, 602, "numbered", "a"},  {13, 700, "last", "stays"},   {14, 700, "last", "stays"}};

}  // namespace

TEST_CASE("the files of every version are read for ever") {
  const auto version = GENERATE(as<std::string>(), "v1", "v2");
  INFO(version);
  Golden g;
  g.load(version);
  CHECK(g.partition().status().damage.empty());
  CHECK(*g.partition().seek(Timestamp{204}) == Offset(6));
  if (version == "v1") {
    CHECK(LogFixture::read_all(g.partition()) == plain_records);
    CHECK(g.partition().status().segments == 3);
    CHECK(*g.partition().seek(Timestamp{350}) == Offset(8));
    CHECK_FALSE(g.topic->options().compact);
    // It goes on in a segment of this version: what the older one says in its header stays true.
    g.put(600);
    CHECK(g.partition().status().segments == 4);
  } else {
    CHECK(LogFixture::read_all(g.partition()) == later_records);
    CHECK(g.partition().status().segments == 5);
    CHECK(*g.partition().seek(Timestamp{350}) == Offset(9));
    CHECK(g.topic->options().compact);
    CHECK(g.partition().last_sequence(7) == 42);
    CHECK(g.partition().append({1}, "k", {}, Producer{7, 40}).offset == Offset(10));
  }
  auto groups = Groups::open(*g.disk, "log", g.clock.now());
  REQUIRE(groups);
  CHECK((*groups)->committed("charts", "t", PartitionId(0)) == Offset(7));
  CHECK((*groups)->committed("history", "t", PartitionId(0)) == Offset(5));
}

TEST_CASE("the writer writes the current version's files byte for byte") {
  Golden g;
  g.options.topic_defaults.compact = true;
  g.fill();
  g.number();
  g.commit();
  const auto now = files_of(*g.disk);
  if (std::getenv("IOTSTREAM_GOLDEN") != nullptr) store(fmt::format("v{}", format::version), now);  // NOLINT: one thread
  const auto then = stored(fmt::format("v{}", format::version));
  for (const auto& [path, bytes] : then) {
    INFO(path);
    REQUIRE(now.contains(path));
    CHECK(now.at(path) == bytes);
  }
  CHECK(now.size() == then.size());
}
