#include "fault/promises.hpp"

#include <algorithm>

#include "log/index.hpp"
#include "log/segment.hpp"

namespace iotstream::fault {

using namespace iotstream::log;

Canary canary_of(std::string_view name) {
  constexpr std::pair<std::string_view, Canary> names[] = {
      {"lost", Canary::lost},           {"doubled", Canary::doubled},     {"moved", Canary::moved},
      {"changed", Canary::changed},     {"swapped", Canary::swapped},     {"invented", Canary::invented},
      {"committed", Canary::committed}, {"forgotten", Canary::forgotten}, {"index", Canary::index},
      {"tail", Canary::tail},           {"damage", Canary::damage},
  };
  for (const auto& [known, canary] : names)
    if (known == name) return canary;
  return Canary::none;
}

std::string value_of(const std::string& topic, std::uint32_t partition, std::uint64_t offset, unsigned life) {
  const std::uint64_t hash = (offset + 31 * partition + topic[0]) * 0x9e3779b97f4a7c15ULL >> 32;
  // Batches of one of these are as long as a sector: what a sector shows again of an earlier life is then a whole batch.
  if (topic == "interval") return fmt::format("{:<431}", fmt::format("{}/{} {} life {}", topic, partition, offset, life));
  std::size_t size = hash % 700;
  if (hash % 8 == 0) size = hash % 9000;
  if (hash % 64 == 0) size = hash % 30'000;
  if (hash % 512 == 0) size = 100'000;  // longer than a segment
  return fmt::format("{}/{} {} life {} {}", topic, partition, offset, life,
                     std::string(size, static_cast<char>('a' + (offset + life) % 26)));
}

std::int64_t time_of(std::uint64_t offset) {
  return 1000 + static_cast<std::int64_t>(offset) * 10 - static_cast<std::int64_t>(offset * 13 % 7) * 25;
}

namespace {

/// The mistakes that concern records.
void make_mistake(std::vector<Seen>& seen, Canary canary) {
  if (seen.size() < 3) return;
  const std::size_t middle = seen.size() / 2;
  if (canary == Canary::lost) seen.pop_back();
  if (canary == Canary::doubled) seen.insert(seen.begin() + static_cast<std::ptrdiff_t>(middle), seen[middle]);
  if (canary == Canary::moved)
    for (Seen& record : seen) ++record.offset;
  if (canary == Canary::changed) seen[middle].value.back() ^= 1;
  if (canary == Canary::swapped) std::swap(seen[middle].value, seen[middle + 1].value);
  if (canary == Canary::invented) seen.push_back({seen.back().offset + 1, 1, "never appended"});
}

void check_offsets(const Engine& engine, const Promises& promises, Canary canary) {
  auto committed = engine.group_offsets();
  if (committed.empty() && promises.committed != 0) throw Violation{"committed offsets are gone"};
  if (canary == Canary::committed && !committed.empty())
    committed.back().committed = Offset(committed.back().committed.value - 1);
  if (!committed.empty() && committed.size() != group_partitions) throw Violation{"a part of a commit is there"};
  for (const GroupOffset& offset : committed)
    if (offset.committed.value < promises.committed || offset.committed != committed.front().committed)
      throw Violation{fmt::format("committed offset {} of partition {}, promised {}", offset.committed, offset.partition,
                                  promises.committed)};
}

class PartitionCheck {
 public:
  PartitionCheck(const std::string& topic, std::uint32_t id, const PartitionPromise& promise, const Checked& checked)
      : topic_(topic), id_(id), promise_(promise), checked_(checked) {}

  void run(Engine& engine, Partition& partition, std::mt19937_64& random) {
    const auto status = partition.status();
    const auto [earliest, written, durable] = status.watermarks;
    if (!status.damage.empty()) fail(fmt::format("damage is reported: {}", status.damage[0].reason));
    // A power cut may also take what stands first, where nothing was promised.
    const bool weaker = checked_.ending == Ending::power_cut && promise_.durable <= promise_.earliest;
    if (earliest.value > promise_.earliest && !weaker)
      fail(fmt::format("begins at {}, retention went to {}", earliest, promise_.earliest));
    const auto seen = read_all(partition, random, checked_.canary);
    const std::uint64_t end = seen.empty() ? std::max(earliest, durable).value : seen.back().offset + 1;
    if (end < promised()) fail(fmt::format("ends at {}, promised to {}", end, promised()));
    std::uint64_t next = earliest.value;
    for (const Seen& record : seen) {
      if (record.offset != next) fail(fmt::format("offset {} where {} belongs", record.offset, next));
      check(record);
      ++next;
    }
    if (next != durable.value) fail(fmt::format("ends at {}, says {}", next, durable));
    if (!partition.status().damage.empty()) fail("damage is reported on reading");
    seek(partition, seen, durable, random);
    go_on(engine, partition, durable);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw Violation{fmt::format("{}/{}: {}", topic_, id_, what)}; }

  std::uint64_t promised() const {
    return checked_.ending == Ending::kill ? std::max(promise_.written, promise_.durable) : promise_.durable;
  }

  void check(const Seen& record) {
    const auto& lives = checked_.lives.at(topic_).at(id_);
    // What was promised is the record of the life that wrote there last; beyond it, only the present life can have written,
    // unless the disk shows again what an earlier one left in this very place.
    const bool kept = record.offset < promised();
    const unsigned last = kept ? lives.at(record.offset) : promise_.opened;
    unsigned life = kept || !checked_.stale ? last : oldest_life_;
    while (life < last && record.value != value_of(topic_, id_, record.offset, life)) ++life;
    // Then what follows it was written after it: the chain leads from one to the next.
    if (!kept) oldest_life_ = life;
    if (record.value != value_of(topic_, id_, record.offset, life) || record.time_us != time_of(record.offset))
      fail(fmt::format("offset {} holds '{}…', not what life {} wrote", record.offset, record.value.substr(0, 30), last));
  }

  void seek(Partition& partition, const std::vector<Seen>& seen, Offset end, std::mt19937_64& random) const {
    const auto time = static_cast<std::int64_t>(random() % (1000 + 10 * (end.value + 1)));
    const auto first = std::find_if(seen.begin(), seen.end(), [time](const Seen& record) { return record.time_us >= time; });
    const std::uint64_t expected = first == seen.end() ? end.value : first->offset;
    const auto found = partition.seek(Timestamp{time});
    if (!found) fail(found.error().message);
    if (found->value != expected) fail(fmt::format("time {} is found at {}, it is at {}", time, *found, expected));
  }

  void go_on(Engine& engine, Partition& partition, Offset end) const {
    const auto appended = partition.append(Timestamp{time_of(end.value)}, "k", as_bytes("after"));
    if (appended.status != AppendStatus::accepted || appended.offset != end) fail(fmt::format("it does not go on at {}", end));
    engine.finish(partition, appended.offset);
    const auto batch = partition.read(end, 1, Watermark::durable);
    if (!batch || batch->records().size() != 1 || as_text(batch->records()[0].value) != "after")
      fail("the first record after the crash is not there");
  }

  const std::string& topic_;
  std::uint32_t id_;
  const PartitionPromise& promise_;
  const Checked& checked_;
  unsigned oldest_life_ = 0;
};

/// Of `log/<topic>/<partition>`.
SegmentOwner owner_of(const std::string& directory) {
  const auto slash = directory.rfind('/');
  return {directory.substr(4, slash - 4), PartitionId(static_cast<std::uint32_t>(std::stoul(directory.substr(slash + 1))))};
}

/// I12: what an index file says is what its segment says. And those that were stored are still there: the next start trusts
/// them.
void check_indexes(test::MemoryDisk& image, const Promises& promises, Canary canary) {
  for (const std::string& path : image.paths()) {
    if (!path.ends_with(".index")) continue;
    auto bytes = image.content(path);
    if (canary == Canary::index) bytes[format::summary_size - 90] ^= std::byte{1};
    const auto stored = SegmentIndex::decode(bytes);
    if (!stored) throw Violation{fmt::format("{}: {}", path, stored.error().message)};
    const std::string directory = path.substr(0, path.rfind('/'));
    if (!image.exists(directory + "/" + segment_file_name(stored->summary().base_offset))) continue;  // half removed
    const auto rebuilt = Segment::sealed(image, directory, stored->summary(), owner_of(directory))->rebuild();
    if (!rebuilt || *rebuilt != *stored) throw Violation{path + " is not what its segment says"};
  }
  for (const std::string& path : promises.indexes)
    if (!image.exists(path)) throw Violation{path + " was stored and is gone"};
}

/// After a clean end the mark says so, and the next start has nothing to read.
void check_marks(const test::MemoryDisk& image, const Promises& promises) {
  for (const auto& [name, topic] : promises.topics) {
    for (std::size_t p = 0; p != topic.partitions.size(); ++p) {
      const std::string path = fmt::format("log/{}/{}/mark", name, p);
      std::optional<format::Mark> newest;
      const auto paths = image.paths();
      if (std::find(paths.begin(), paths.end(), path) != paths.end()) {
        const auto bytes = image.content(path);
        for (std::size_t slot = 0; slot + format::sector_size <= bytes.size(); slot += format::sector_size) {
          const auto sector = ByteView(bytes).subspan(slot, format::sector_size);
          const auto mark = format::parse_mark(sector);
          // What another partition's file left on this ground is no mark of this one.
          const bool own = format::may_belong_to(sector, format::owner_tag(name, static_cast<std::uint32_t>(p)));
          if (mark && own && (!newest || mark->sequence > newest->sequence)) newest = mark;
        }
      }
      if (!newest || !newest->clean || newest->next_offset != topic.partitions[p].durable)
        throw Violation{fmt::format("{}: the mark of the clean end is gone", path)};
    }
  }
}

}  // namespace

std::vector<Seen> read_all(Partition& partition, std::mt19937_64& random, Canary canary) {
  const auto [earliest, written, durable] = partition.watermarks();
  std::vector<Seen> seen;
  for (Offset next = earliest; next < durable;) {
    const auto batch = partition.read(next, std::size_t{1} << random() % 18, Watermark::durable);
    if (!batch) throw Violation{batch.error().message};
    if (batch->empty()) break;
    for (const Record& record : batch->records()) {
      seen.push_back({record.offset.value, record.time.us, std::string(as_text(record.value))});
      next = record.offset + 1;
    }
  }
  make_mistake(seen, canary);
  return seen;
}

bool check(std::mt19937_64& random, Engine::Kind kind, test::MemoryDisk& image, const Checked& checked) {
  const auto& promises = checked.promises;
  const auto before = image.copy();
  if (promises.clean) check_marks(image, promises);
  check_indexes(image, promises, checked.canary);
  const auto engine = Engine::open(kind, image, Timestamp{1'700'000'000'000'100});
  check_tails(image, cut_tails(*before, image), checked.canary);
  check_offsets(*engine, promises, checked.canary);
  for (const std::string name : {"batch", "interval", "none", "retained"}) {
    // Whose creation has not returned may be there all the same; then it is empty and works.
    Topic* topic = engine->find(name);
    if (topic == nullptr || promises.topics.contains(name)) continue;
    const Checked fresh{Promises{}, Lives{{name, std::vector<std::vector<unsigned>>(topic->partition_count())}}, Ending::kill};
    for (std::uint32_t p = 0; p != topic->partition_count(); ++p)
      PartitionCheck(name, p, {}, fresh).run(*engine, topic->partition(PartitionId(p)), random);
  }
  for (const auto& [name, promise] : promises.topics) {
    Topic* topic = checked.canary == Canary::forgotten ? nullptr : engine->find(name);
    if (topic == nullptr) throw Violation{fmt::format("topic {} is gone", name)};
    const auto& options = topic->options();
    if (options.segment_size != promise.options.segment_size || options.retention_size != promise.options.retention_size ||
        options.sync != promise.options.sync || topic->partition_count() != promise.partitions.size())
      throw Violation{fmt::format("topic {} has other options than it was created with", name)};
    for (std::uint32_t p = 0; p != topic->partition_count(); ++p)
      PartitionCheck(name, p, promise.partitions[p], checked).run(*engine, topic->partition(PartitionId(p)), random);
  }
  const auto paths = image.paths();
  return std::any_of(paths.begin(), paths.end(), [&before](const std::string& path) {
    return path.find(".tail.") != std::string::npos && !before->exists(path);
  });
}

std::vector<Tail> cut_tails(const test::MemoryDisk& before, const test::MemoryDisk& after) {
  std::vector<Tail> tails;
  const auto paths = after.paths();
  for (const std::string& path : before.paths()) {
    if (!path.ends_with(".segment") || !std::binary_search(paths.begin(), paths.end(), path)) continue;
    const std::uint64_t left = after.size_of(path);
    if (left >= before.size_of(path)) continue;
    auto bytes = before.content(path);
    while (bytes.size() > left && bytes.back() == std::byte{0}) bytes.pop_back();
    if (bytes.size() > left) tails.push_back({path, left, {bytes.begin() + static_cast<std::ptrdiff_t>(left), bytes.end()}});
  }
  return tails;
}

void check_tails(const test::MemoryDisk& disk, const std::vector<Tail>& tails, Canary canary) {
  const auto paths = disk.paths();
  for (const Tail& tail : tails) {
    bool found = false;
    for (const std::string& path : paths) {
      if (!path.starts_with(tail.segment)) continue;
      const auto bytes = disk.content(path);
      const std::uint64_t begin = path == tail.segment ? tail.position : 0;
      const bool beside = path != tail.segment && path.find(".tail.") != std::string::npos;
      if (path != tail.segment && !beside) continue;
      found |= bytes.size() >= begin + tail.bytes.size() &&
               std::equal(tail.bytes.begin(), tail.bytes.end(), bytes.begin() + static_cast<std::ptrdiff_t>(begin));
    }
    if (!found || canary == Canary::tail)
      throw Violation{fmt::format("{}: {} bytes of a torn tail were thrown away", tail.segment, tail.bytes.size())};
  }
}

}  // namespace iotstream::fault
