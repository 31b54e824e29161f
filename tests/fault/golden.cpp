#include "fault/golden.hpp"

#include <algorithm>

#include "fault/workload.hpp"
#include "log/segment.hpp"

namespace iotstream::fault {

using namespace iotstream::log;

namespace {

constexpr std::string_view topics[] = {"batch", "interval", "retained"};

void fill(Engine& engine, Topic& topic, std::mt19937_64& random) {
  for (std::uint32_t p = 0; p != topic.partition_count(); ++p) {
    auto& partition = topic.partition(PartitionId(p));
    std::uint64_t next = partition.watermarks().durable.value;
    for (auto records = 60 + random() % 200; records != 0; --records, ++next) {
      const std::string value = value_of(topic.name(), p, next, 0);
      Appended appended = partition.append(Timestamp{time_of(next)}, "k", as_bytes(value));
      while (appended.status == AppendStatus::back_pressured) {
        engine.work(random, 4);
        appended = partition.append(Timestamp{time_of(next)}, "k", as_bytes(value));
      }
      for (auto steps = random() % 3; steps != 0; --steps) engine.work(random, 4);
    }
    engine.finish(partition, Offset(next - 1));
  }
  engine.retain(topic);
}

SegmentTruth truth_of(test::MemoryDisk& disk, const std::string& path) {
  SegmentTruth truth;
  const std::string directory = path.substr(0, path.rfind('/'));
  truth.partition = directory.substr(4);
  truth.base = *parse_segment_file_name(path.substr(directory.size() + 1));
  truth.sealed = disk.exists(directory + "/" + index_file_name(truth.base));
  const auto file = disk.open(path, os::OpenMode::read);
  const auto header = Segment::read_header(**file);
  FrameScanner scanner(**file, header->salt, {format::frames_begin, truth.base, format::first_chain(header->salt)},
                       disk.size_of(path));
  while (*scanner.next() == FrameScanner::Step::frame) {
    const auto& frame = scanner.frame();
    truth.frames.push_back(
        {scanner.frame_position(), frame.length, frame.base_offset, frame.next_offset(), frame.durable_offset});
  }
  truth.next = scanner.next_offset();
  return truth;
}

std::uint64_t marked_in(const test::MemoryDisk& disk, const std::string& path) {
  std::uint64_t marked = 0;
  const auto bytes = disk.content(path);
  for (std::size_t slot = 0; slot + format::sector_size <= bytes.size(); slot += format::sector_size)
    if (const auto mark = format::parse_mark(ByteView(bytes).subspan(slot, format::sector_size)))
      marked = std::max(marked, mark->next_offset);
  return marked;
}

}  // namespace

Golden make_golden(std::mt19937_64& random) {
  Golden golden;
  golden.disk = std::make_shared<test::MemoryDisk>();
  golden.clean = random() % 2 == 0;
  auto engine = Engine::open(Engine::Kind::by_hand, *golden.disk, Timestamp{1'700'000'000'000'000});
  for (const std::string_view name : topics) fill(*engine, engine->topic(std::string(name), options_of(name)), random);
  for (golden.committed = 1; golden.committed != 5; ++golden.committed) {
    std::vector<GroupOffset> offsets;
    for (std::uint32_t p = 0; p != group_partitions; ++p)
      offsets.push_back({"g", "t", PartitionId(p), Offset(golden.committed)});
    engine->commit(offsets);
  }
  --golden.committed;
  for (const std::string_view name : topics) {
    Topic& topic = *engine->find(std::string(name));
    for (std::uint32_t p = 0; p != topic.partition_count(); ++p) {
      auto& truth = golden.partitions[fmt::format("{}/{}", name, p)];
      truth.earliest = topic.partition(PartitionId(p)).watermarks().earliest.value;
      truth.records = read_all(topic.partition(PartitionId(p)), random);
    }
  }
  if (golden.clean) engine->close();
  // Left standing, it is what a kill leaves; that nothing of it is synced is of no account here.
  golden.disk = golden.disk->copy();
  for (const std::string& path : golden.disk->paths()) {
    if (path.ends_with(".segment")) golden.segments[path] = truth_of(*golden.disk, path);
    if (path.ends_with("/mark")) golden.partitions[path.substr(4, path.size() - 9)].marked = marked_in(*golden.disk, path);
  }
  return golden;
}

namespace {

using Bytes = std::vector<std::byte>;

class Vandal {
 public:
  Vandal(std::mt19937_64& random, const Golden& golden, test::MemoryDisk& disk)
      : random_(random), golden_(golden), disk_(disk) {
    for (const std::string& path : disk.paths()) kinds_[kind_of(path)].push_back(path);
  }

  Damage run(const std::string& only) {
    auto kind = kinds_.begin();
    std::advance(kind, random_() % kinds_.size());
    // Most of a log is segments.
    if (random_() % 2 == 0) kind = kinds_.find("segment");
    if (!only.empty()) kind = kinds_.find(only);
    path_ = any(kind->second);
    switch (random_() % 12) {
      case 0:
      case 1:
        return flip();
      case 2:
        return burst();
      case 3:
        return lost_sectors();
      case 4:
        return truncated(random_() % (disk_.size_of(path_) + 1));
      case 5:
        return truncated(0);
      case 6:
        return missing();
      case 7:
        return duplicated();
      case 8:
        return renamed();
      case 9:
        return replaced(kind->second);
      case 10:
        return inside();
      default:
        return misplaced();
    }
  }

 private:
  static std::string kind_of(const std::string& path) {
    if (path.find("/groups.") != std::string::npos) return "groups";
    return path.substr(path.find_last_of("./") + 1);
  }
  const std::string& any(const std::vector<std::string>& paths) { return paths[random_() % paths.size()]; }

  Damage named(std::string_view what) {
    Damage damage;
    damage.what = fmt::format("{} in {}", what, path_);
    damage.groups = kind_of(path_) == "groups";
    return damage;
  }

  void lose(Damage& damage, std::uint64_t base, std::uint64_t next) const {
    auto& lost = damage.lost[golden_.segments.at(path_).partition];
    for (std::uint64_t offset = base; offset != next; ++offset) lost.insert(lost.end(), offset);
  }

  /// Bytes [begin, end) of the file are not what they were.
  Damage changed(std::string_view what, std::uint64_t begin, std::uint64_t end) {
    Damage damage = named(fmt::format("{} at bytes {} to {}", what, begin, end));
    const auto found = golden_.segments.find(path_);
    if (found == golden_.segments.end()) return damage;
    const SegmentTruth& truth = found->second;
    const bool header_lost = begin < format::sector_size && end > format::sector_size;
    if (header_lost && !truth.sealed)
      lose(damage, truth.base, truth.next);
    else
      for (const Frame& frame : truth.frames)
        if (frame.position < end && begin < frame.position + frame.length) lose(damage, frame.base, frame.next);
    return damage;
  }
  Damage whole(std::string_view what) { return changed(what, 0, ~std::uint64_t{0}); }

  /// Somewhere in the part of the file that says something.
  std::size_t somewhere(const Bytes& bytes) {
    std::size_t content = bytes.size();
    while (content > 1 && bytes[content - 1] == std::byte{0}) --content;
    if (random_() % 8 == 0) content = std::min<std::size_t>(content, 2 * format::sector_size);  // what all else hangs on
    return random_() % std::max<std::size_t>(content, 1);
  }

  Damage flip() {
    auto bytes = disk_.content(path_);
    if (bytes.empty()) return named("nothing");
    const std::size_t at = somewhere(bytes);
    bytes[at] ^= std::byte{1} << static_cast<int>(random_() % 8);
    disk_.set_content(path_, std::move(bytes));
    return changed("a flipped bit", at, at + 1);
  }

  Damage burst() {
    auto bytes = disk_.content(path_);
    if (bytes.empty()) return named("nothing");
    const std::size_t at = somewhere(bytes);
    const std::size_t end = std::min<std::size_t>(at + 1 + random_() % 3000, bytes.size());
    for (std::size_t i = at; i != end; ++i) bytes[i] = static_cast<std::byte>(random_());
    disk_.set_content(path_, std::move(bytes));
    return changed("a burst", at, end);
  }

  Damage lost_sectors() {
    auto bytes = disk_.content(path_);
    const std::size_t at = bytes.empty() ? 0 : somewhere(bytes) / 512 * 512;
    const std::size_t end = std::min<std::size_t>(at + 512 * (1 + random_() % 4), bytes.size());
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.begin() + static_cast<std::ptrdiff_t>(end), std::byte{0});
    disk_.set_content(path_, std::move(bytes));
    return changed("lost sectors", at, end);
  }

  Damage truncated(std::uint64_t size) {
    auto bytes = disk_.content(path_);
    bytes.resize(size);
    disk_.set_content(path_, std::move(bytes));
    return changed("cut short", size, ~std::uint64_t{0});
  }

  Damage missing() {
    if (!disk_.remove(path_)) throw Violation{"cannot remove"};
    return whole("a missing file");
  }

  std::string other_base() {
    const auto& truth = golden_.segments.at(path_);
    return path_.substr(0, path_.rfind('/') + 1) + segment_file_name(truth.base + 1 + random_() % 300);
  }

  Damage duplicated() {
    if (!golden_.segments.contains(path_)) return flip();
    const std::string copy = other_base();
    if (disk_.exists(copy)) return flip();
    if (!disk_.open(copy, os::OpenMode::create)) throw Violation{"cannot create"};
    disk_.set_content(copy, disk_.content(path_));
    return named("a copy under the name " + copy);
  }

  Damage renamed() {
    if (!golden_.segments.contains(path_)) return missing();
    const std::string name = other_base();
    if (disk_.exists(name)) return missing();
    if (!disk_.rename(path_, name)) throw Violation{"cannot rename"};
    return whole("renamed to " + name);
  }

  Damage replaced(const std::vector<std::string>& others) {
    const std::string& other = any(others);
    if (other == path_) return flip();
    disk_.set_content(path_, disk_.content(other));
    return whole("the contents of " + other);
  }

  /// A write that went to the wrong place: here stands what belongs elsewhere, whole batches where that is possible, which are
  /// the hardest to tell.
  Damage misplaced() {
    const std::string& other = any(kinds_.at("segment"));
    const auto& frames = golden_.segments.at(other).frames;
    auto bytes = disk_.content(path_);
    if (bytes.empty() || frames.empty()) return flip();
    std::size_t at = somewhere(bytes) / 8 * 8;
    const auto own = golden_.segments.find(path_);
    if (own != golden_.segments.end() && !own->second.frames.empty())
      at = own->second.frames[random_() % own->second.frames.size()].position;
    Frame frame = frames[random_() % frames.size()];
    // At times from the same place of the other file.
    for (const Frame& same : frames)
      if (random_() % 2 == 0 && same.position == at) frame = same;
    const auto from = disk_.content(other);
    const std::size_t size = std::min<std::size_t>(frame.length, bytes.size() - at);
    std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(frame.position), size,
                bytes.begin() + static_cast<std::ptrdiff_t>(at));
    disk_.set_content(path_, std::move(bytes));
    if (other == path_ && frame.position == at) return named("nothing");
    return changed(fmt::format("a batch of {} from byte {}", other, frame.position), at, at + size);
  }

  /// A record may hold the bytes of a batch, for example of a backup of this very log: when its own batch is hit, they must not
  /// be taken for one.
  Damage inside() {
    const auto own = golden_.segments.find(path_);
    if (own == golden_.segments.end() || own->second.frames.size() < 3) return flip();
    const auto& frames = own->second.frames;
    const std::size_t which = random_() % (frames.size() - 2);
    const Frame& host = frames[which];
    const Frame& guest = frames[which + 2 + random_() % (frames.size() - which - 2)];
    constexpr std::uint64_t at = format::frame_header_size + 16;
    if (host.length < at + guest.length) return flip();
    auto bytes = disk_.content(path_);
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(guest.position), guest.length,
                bytes.begin() + static_cast<std::ptrdiff_t>(host.position + at));
    disk_.set_content(path_, std::move(bytes));
    return changed("a later batch inside another", host.position, host.position + host.length);
  }

  std::mt19937_64& random_;
  const Golden& golden_;
  test::MemoryDisk& disk_;
  std::map<std::string, std::vector<std::string>> kinds_;
  std::string path_;
};

}  // namespace

Damage do_damage(std::mt19937_64& random, const Golden& golden, test::MemoryDisk& disk, const std::string& kind) {
  return Vandal(random, golden, disk).run(kind);
}

}  // namespace iotstream::fault
