// Verification finds every kind of damage at its place, finds nothing in what is whole, and touches nothing.
#include <algorithm>
#include <map>
#include <thread>

#include <iotstream/log/verify.hpp>

#include "log/partition.hpp"
#include "log/segment.hpp"
#include "log_fixture.hpp"
#include "support/random.hpp"

using namespace iotstream;
using namespace iotstream::log;
using iotstream::log::test::LogFixture;
using iotstream::log::test::segment_path;
using iotstream::test::MemoryDisk;

namespace {

struct Verdict {
  std::vector<Finding> damage;
  std::vector<Finding> notes;
  VerifyTotals totals;
};

struct VerifyFixture : LogFixture {
  VerifyFixture() { options.topic_defaults.partitions = 2; }

  /// Three segments and more in each partition of `t`, one record in `small`, groups on both.
  void fill() {
    open();
    const std::string value(1000, 'x');
    for (int i = 0; i != 200; ++i)
      for (std::uint32_t id = 0; id != 2; ++id) append_durably(partition("t", id), 1'000'000 + i, "device", value);
    append_durably(partition("small", 1), 5, "d", "v");
    const GroupOffset offsets[] = {{"g", "t", PartitionId(0), Offset(200)}, {"h", "small", PartitionId(1), Offset(0)}};
    REQUIRE(log->commit(offsets));
    REQUIRE(log->commit(offsets));
    close();
  }

  Verdict verify(std::size_t bytes_per_step = 1u << 20, VerifyVisitor* visitor = nullptr) {
    auto verifier = Verifier::create(*disk, {options.directory, log.get()}, visitor);
    Verdict verdict;
    for (bool more = true; more;) {
      more = verifier->step(bytes_per_step);
      for (Finding& finding : verifier->take_findings())
        (finding.kind == Finding::Kind::damage ? verdict.damage : verdict.notes).push_back(std::move(finding));
    }
    verdict.totals = verifier->totals();
    return verdict;
  }

  /// The bases of a partition's segments.
  std::vector<std::uint64_t> bases(std::string_view topic = "t", std::uint32_t id = 0) const {
    std::vector<std::uint64_t> found;
    const std::string directory = fmt::format("data/log/{}/{}/", topic, id);
    for (const std::string& path : disk->paths())
      if (path.starts_with(directory))
        if (const auto base = parse_segment_file_name(path.substr(directory.size()))) found.push_back(*base);
    std::sort(found.begin(), found.end());
    return found;
  }
  std::map<std::string, std::vector<std::byte>> contents() const {
    std::map<std::string, std::vector<std::byte>> all;
    for (const std::string& path : disk->paths()) all[path] = disk->content(path);
    return all;
  }
};

std::string index_path(std::uint64_t base) { return fmt::format("data/log/t/0/{}", index_file_name(base)); }

std::string text_of(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings)
    text += fmt::format("{} [{}, {}) {} {}: {}\n", finding.topic, finding.first, finding.next, finding.file, finding.position,
                        finding.what);
  return text;
}

/// Counts what it gets.
struct CountingVisitor final : VerifyVisitor {
  std::map<std::string, std::vector<std::uint64_t>> next;
  std::string topic;
  std::uint64_t records = 0;
  int ended = 0;
  void begin_topic(const std::string& name, std::uint32_t partitions) override {
    topic = name;
    next[name].resize(partitions);
  }
  void record(PartitionId partition, const Record& record) override {
    REQUIRE(record.offset.value == next[topic][partition.value]++);
    ++records;
  }
  void end_partition(PartitionId partition, Offset earliest, Offset end) override {
    CHECK(earliest == Offset(0));
    CHECK(end == Offset(next[topic][partition.value]));
  }
  void end_topic() override { ++ended; }
};

}  // namespace

TEST_CASE("what is whole is found whole, to the last record, and not a byte is touched") {
  VerifyFixture f;
  f.fill();
  const auto before = f.contents();
  const auto changes = [&] {
    std::uint64_t count = 0;
    for (const auto kind : {MemoryDisk::Kind::create, MemoryDisk::Kind::write, MemoryDisk::Kind::allocate,
                            MemoryDisk::Kind::truncate, MemoryDisk::Kind::rename, MemoryDisk::Kind::remove,
                            MemoryDisk::Kind::make_directory, MemoryDisk::Kind::sync, MemoryDisk::Kind::sync_directory})
      count += f.disk->count(kind);
    return count;
  };
  const auto changes_before = changes();
  for (const std::size_t budget : {std::size_t{1}, std::size_t{5000}, std::size_t{100} << 20}) {
    CountingVisitor visitor;
    const Verdict verdict = f.verify(budget, &visitor);
    INFO(text_of(verdict.damage) << text_of(verdict.notes));
    CHECK(verdict.damage.empty());
    CHECK(verdict.notes.empty());
    CHECK(verdict.totals.topics == 2);
    CHECK(verdict.totals.partitions == 4);
    CHECK(verdict.totals.records == 401);
    CHECK(visitor.records == 401);
    CHECK(visitor.ended == 2);
    CHECK(verdict.totals.segments == f.bases("t", 0).size() + f.bases("t", 1).size() + 1);
    CHECK(verdict.totals.indexes == verdict.totals.segments - 3);
    CHECK(verdict.totals.bytes == verdict.totals.bytes_expected);
    CHECK(verdict.totals.groups == 2);
  }
  CHECK(f.contents() == before);
  CHECK(changes() == changes_before);
}

TEST_CASE("an empty directory, and one that is not there") {
  VerifyFixture f;
  f.open();
  f.close();
  CHECK(f.verify().damage.empty());
  f.options.directory = "elsewhere";
  REQUIRE(f.verify().damage.size() == 1);
}

TEST_CASE("any flipped bit of a segment is found in its batch, of anything else in its file") {
  VerifyFixture f;
  f.options.topic_defaults.partitions = 1;
  f.open();
  const std::string value(30'000, 'x');
  for (int i = 0; i != 5; ++i) LogFixture::append_durably(f.partition(), i, "d", i % 2 == 0 ? value : "short");
  const GroupOffset offsets[] = {{"g", "t", PartitionId(0), Offset(2)}};
  REQUIRE(f.log->commit(offsets));
  f.close();
  REQUIRE(f.bases().size() > 1);
  const std::uint64_t seed = iotstream::test::seed();
  std::mt19937_64 random(seed);
  for (const std::string& path : f.disk->paths()) {
    const auto content = f.disk->content(path);
    // All of the small ones, and a sample of the rest.
    const std::uint64_t step = content.size() < 3000 ? 1 : 97;
    for (std::uint64_t at = random() % step; at < content.size(); at += step) {
      f.disk->flip(path, at, static_cast<unsigned char>(1u << random() % 8));
      const Verdict verdict = f.verify();
      INFO("seed " << seed << ": " << path << " byte " << at << "\n" << text_of(verdict.damage) << text_of(verdict.notes));
      std::vector<Finding> all = verdict.damage;
      all.insert(all.end(), verdict.notes.begin(), verdict.notes.end());
      const auto its = std::find_if(all.begin(), all.end(), [&](const Finding& finding) { return finding.file == path; });
      // Groups have two copies; what is behind a file's content is not read.
      const bool groups = path.find("groups.") != std::string::npos;
      const bool behind =
          content[at] == std::byte{0} && std::all_of(content.begin() + static_cast<std::ptrdiff_t>(at), content.end(),
                                                     [](std::byte b) { return b == std::byte{0}; });
      if (!(groups && behind)) {
        REQUIRE(its != all.end());
        if (path.ends_with(".segment") && !behind) {
          CHECK(its->position <= at);
          CHECK(at < its->position + format::frame_header_size + 16 + 30'000 + 16);
        }
        // A torn copy of the groups, and bytes behind the last batch, are no damage.
        if (!groups && !behind) CHECK(verdict.damage.size() >= 1);
      }
      f.disk->set_content(path, content);
    }
  }
  CHECK(f.verify().damage.empty());
}

TEST_CASE("files that are missing, cut, swapped or doubled are named") {
  VerifyFixture f;
  f.fill();
  const auto bases = f.bases();
  REQUIRE(bases.size() > 3);
  const auto image = f.disk;
  const auto damaged = [&](const std::function<void()>& break_it) {
    f.disk = image->copy();
    break_it();
    return f.verify();
  };
  SECTION("a segment in the middle") {
    const auto verdict = damaged([&] { REQUIRE(f.disk->remove(segment_path(bases[1]))); });
    REQUIRE(verdict.damage.size() == 1);
    CHECK(verdict.damage[0].first == Offset(bases[1]));
    CHECK(verdict.damage[0].next == Offset(bases[2]));
    CHECK(verdict.notes.size() == 1);  // its index
  }
  SECTION("the last segment") {
    const auto verdict = damaged([&] { REQUIRE(f.disk->remove(segment_path(bases.back()))); });
    INFO(text_of(verdict.damage));
    REQUIRE(verdict.damage.size() == 1);
    CHECK(verdict.damage[0].first == Offset(bases.back()));
    CHECK(verdict.damage[0].next == Offset(200));
  }
  SECTION("a sealed segment cut short") {
    const auto verdict = damaged([&] {
      auto content = f.disk->content(segment_path(bases[1]));
      content.resize(content.size() / 2);
      f.disk->set_content(segment_path(bases[1]), content);
    });
    INFO(text_of(verdict.damage));
    REQUIRE(verdict.damage.size() == 2);
    CHECK(verdict.damage[0].file == segment_path(bases[1]));
    CHECK(verdict.damage[0].next == Offset(bases[2]));
    CHECK(verdict.damage[1].what.find("its index says") != std::string::npos);
  }
  SECTION("the open segment cut short: what had been durable is missed") {
    const auto verdict = damaged([&] {
      auto content = f.disk->content(segment_path(bases.back()));
      content.resize(format::frames_begin + 1200);
      f.disk->set_content(segment_path(bases.back()), content);
    });
    INFO(text_of(verdict.damage));
    REQUIRE(!verdict.damage.empty());
    CHECK(verdict.damage[0].first == Offset(bases.back() + 1));
    CHECK(verdict.damage.back().next == Offset(200));
  }
  SECTION("a segment under another's name") {
    const auto verdict = damaged([&] { f.disk->set_content(segment_path(bases[1]), f.disk->content(segment_path(bases[2]))); });
    CHECK(std::any_of(verdict.damage.begin(), verdict.damage.end(), [&](const Finding& finding) {
      return finding.file == segment_path(bases[1]) && finding.what.find("header is that of") != std::string::npos;
    }));
  }
  SECTION("a segment of another partition") {
    const auto verdict =
        damaged([&] { f.disk->set_content(segment_path(bases[1]), f.disk->content(segment_path(bases[1], "t", 1))); });
    CHECK(!verdict.damage.empty());
  }
  SECTION("an index of another segment, and none") {
    const auto swapped = damaged([&] { f.disk->set_content(index_path(bases[0]), f.disk->content(index_path(bases[1]))); });
    REQUIRE(swapped.damage.size() == 1);
    CHECK(swapped.damage[0].file == index_path(bases[0]));
    const auto none = damaged([&] { REQUIRE(f.disk->remove(index_path(bases[0]))); });
    CHECK(none.damage.empty());
    CHECK(none.totals.indexes_absent == 1);
    REQUIRE(none.notes.size() == 1);
    CHECK(none.notes[0].file == segment_path(bases[0]));
  }
  SECTION("an index that holds, but is not what the segment gives") {
    const auto verdict = damaged([&] {
      auto index = SegmentIndex::decode(f.disk->content(index_path(bases[0])));
      REQUIRE(index);
      REQUIRE(index->entries().size() > 1);
      // The same summary over entries that lack the last one.
      auto bytes = index->encode();
      bytes.resize(bytes.size() - format::index_entry_size);
      auto summary = format::parse_summary(ByteView(bytes).first(format::summary_size));
      REQUIRE(summary);
      summary->entry_count -= 1;
      summary->entries_crc = crc32c(ByteView(bytes).subspan(format::summary_size));
      format::encode(*summary, MutableByteView(bytes).first(format::summary_size));
      f.disk->set_content(index_path(bases[0]), bytes);
    });
    REQUIRE(verdict.damage.size() == 1);
    CHECK(verdict.damage[0].file == index_path(bases[0]));
    CHECK(verdict.damage[0].what == "the index is not what its segment gives");
  }
  SECTION("a mark that says something else") {
    const auto verdict = damaged([&] {
      const std::string path = "data/log/t/0/mark";
      auto content = f.disk->content(path);
      for (const std::size_t at : {std::size_t{0}, format::sector_size}) {
        auto mark = format::parse_mark(ByteView(content).subspan(at, format::sector_size));
        if (!mark) continue;
        mark->position -= 8;
        format::encode(*mark, MutableByteView(content).subspan(at, format::sector_size));
      }
      f.disk->set_content(path, content);
    });
    REQUIRE(verdict.damage.size() == 1);
    CHECK(verdict.damage[0].file == "data/log/t/0/mark");
  }
  SECTION("a partition's directory") {
    const auto verdict = damaged([&] {
      for (const std::string& path : f.disk->paths())
        if (path.starts_with("data/log/t/1/")) REQUIRE(f.disk->remove(path));
    });
    // Empty is how a partition begins: no mark says that there was more.
    CHECK(verdict.damage.empty());
    CHECK(verdict.totals.records == 201);
  }
  SECTION("all segments of a partition") {
    const auto verdict = damaged([&] {
      for (const std::uint64_t base : bases) REQUIRE(f.disk->remove(segment_path(base)));
    });
    REQUIRE(verdict.damage.size() == 1);
    CHECK(verdict.damage[0].first == Offset(0));
    CHECK(verdict.damage[0].next == Offset(200));
  }
}

TEST_CASE("groups beyond the end, and of what is not there") {
  VerifyFixture f;
  f.fill();
  f.open();
  const GroupOffset offsets[] = {{"ahead", "t", PartitionId(1), Offset(201)},
                                 {"lost", "t", PartitionId(7), Offset(1)},
                                 {"lost", "nothing", PartitionId(0), Offset(1)}};
  REQUIRE(f.log->commit(offsets));
  const auto check = [](const Verdict& verdict) {
    INFO(text_of(verdict.damage));
    REQUIRE(verdict.damage.size() == 3);
    CHECK(verdict.damage[0].first == Offset(200));
    CHECK(verdict.damage[0].next == Offset(201));
    CHECK(verdict.damage[0].what.find("'ahead'") != std::string::npos);
    CHECK(verdict.damage[1].topic == "nothing");
    CHECK(verdict.damage[2].partition == PartitionId(7));
  };
  check(f.verify());
  f.close();
  check(f.verify());
  f.disk->flip("data/log/groups.0", 20);
  f.disk->flip("data/log/groups.1", 20);
  const auto both = f.verify();
  REQUIRE(both.damage.size() == 2);
  CHECK(both.damage[0].file == "data/log/groups.0");
}

TEST_CASE("what a killed process leaves is no damage: a torn tail is a note") {
  VerifyFixture f;
  f.options.topic_defaults.partitions = 1;
  f.open();
  for (int i = 0; i != 20; ++i) LogFixture::append_durably(f.partition(), i, "d", "value");
  const auto left = f.disk->copy();  // without a clean end
  const std::string path = segment_path();
  f.log.reset();
  f.disk = left;
  const auto whole = f.verify();
  INFO(text_of(whole.damage) << text_of(whole.notes));
  CHECK(whole.damage.empty());
  CHECK(whole.notes.empty());
  // The last batch was being written.
  auto content = f.disk->content(path);
  auto end = content.size();
  while (content[end - 1] == std::byte{0}) --end;
  f.disk->flip(path, end - 1);
  const auto torn = f.verify();
  INFO(text_of(torn.damage) << text_of(torn.notes));
  if (torn.damage.empty()) {
    REQUIRE(torn.notes.size() == 1);
    CHECK(torn.notes[0].file == path);
    CHECK(torn.notes[0].first == Offset(19));
  } else {
    CHECK(torn.damage[0].first == Offset(19));  // the mark had come as far
  }
}

namespace {

/// Does something before it lists a folder for the second time: the first is that of its sizes.
class BeforeListing final : public os::Disk {
 public:
  BeforeListing(os::Disk& disk, std::string path, std::function<void()> action)
      : disk_(disk), path_(std::move(path)), action_(std::move(action)) {}
  Result<std::vector<std::string>> list(const std::string& path) override {
    if (path == path_ && ++listed_ == 2) action_();
    return disk_.list(path);
  }
  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override { return disk_.open(path, mode); }
  Status create_directories(const std::string& path) override { return disk_.create_directories(path); }
  Status rename(const std::string& from, const std::string& to) override { return disk_.rename(from, to); }
  Status remove(const std::string& path) override { return disk_.remove(path); }
  Status sync_directory(const std::string& path) override { return disk_.sync_directory(path); }
  bool exists(const std::string& path) override { return disk_.exists(path); }
  Result<std::uint64_t> free_bytes(const std::string& path) override { return disk_.free_bytes(path); }

 private:
  os::Disk& disk_;
  std::string path_;
  std::function<void()> action_;
  int listed_ = 0;
};

}  // namespace

// The index was compared with the part of the segment that had been durable when verification began.
TEST_CASE("a segment that is closed between the look at the watermark and that at the folder is no damage") {
  VerifyFixture f;
  f.open();
  auto& partition = f.partition("t", 0);
  const auto append = [&partition](int count) {
    for (int i = 0; i != count; ++i) LogFixture::append_durably(partition, i, "d", std::string(3000, 'x'));
  };
  append(5);
  BeforeListing disk(*f.disk, f.options.directory + "/t/0", [&] {
    append(40);
    while (!f.disk->exists(f.options.directory + "/t/0/" + index_file_name(0))) append(1);
  });
  auto verifier = Verifier::create(disk, {f.options.directory, f.log.get()});
  while (verifier->step(10'000)) {
  }
  const auto findings = verifier->take_findings();
  INFO(text_of(findings));
  CHECK(findings.empty());
  CHECK(verifier->totals().records == 5);
}

TEST_CASE("an open log is verified up to what is durable while records come and segments are closed and removed") {
  VerifyFixture f;
  f.open();
  auto& partition = f.partition("t", 0);
  f.partition("t", 1);
  std::atomic<bool> stop{false};
  std::thread producer([&] {
    const std::string value(3000, 'x');
    for (int i = 0; !stop.load(); ++i) LogFixture::append_durably(partition, i, "d", value);
  });
  auto& inside = dynamic_cast<PartitionLog&>(partition);
  std::uint64_t removed = 0;
  for (int round = 0; removed < 20; ++round) {
    auto verifier = Verifier::create(*f.disk, {f.options.directory, f.log.get()});
    for (bool more = true; more;) {
      more = verifier->step(10'000);
      // Retention, in the midst of it.
      if (partition.status().segments > 3 && inside.oldest_removable()) {
        CHECK(inside.remove_oldest());
        ++removed;
      }
    }
    const auto findings = verifier->take_findings();
    INFO("round " << round << "\n" << text_of(findings));
    CHECK(findings.empty());
  }
  stop = true;
  producer.join();
  const Verdict verdict = f.verify();
  CHECK(verdict.damage.empty());
  CHECK(verdict.totals.records == partition.watermarks().durable - partition.watermarks().earliest);
}
