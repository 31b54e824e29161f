// The crash-state explorer of the log (after ALICE, Pillai et al., OSDI 2014). A workload runs on a disk in memory that records
// every operation; then, between any two operations, disks are built that a loss of power could have left there, and the log is
// opened on each. It must hold everything acknowledged up to that point, once, in order, at its offset, and must go on working;
// a second loss of power on top of the first one included.
//
//   fault_log_crash [--images N] [--seed N] [--mutate NAME]
//
// With --mutate one promise of the disk is broken on purpose (a sync that does nothing). The explorer must then find a
// violation: exit 0 means that it did. `--mutate list` names them.
#include <charconv>
#include <future>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>
#include <iotstream/log/log.hpp>

#include "support/memory_disk.hpp"

using namespace iotstream;
using namespace iotstream::log;
using iotstream::test::MemoryDisk;

namespace {

constexpr std::uint32_t partitions = 2;

struct Violation {
  std::string what;
};

/// What had been promised at some point of a recorded run.
struct Promised {
  std::uint64_t acknowledged[partitions] = {};
  std::uint64_t committed = 0;
  bool topic_created = false;
};

/// Which life wrote the record at each offset: an offset whose record was not acknowledged may come again with the next life's
/// content.
using Lives = std::vector<std::vector<unsigned>>;

std::string value_of(std::uint32_t partition, std::uint64_t offset, unsigned life) {
  return fmt::format("p{} o{} l{} {}", partition, offset, life,
                     std::string(offset * 37 % 700, static_cast<char>('a' + offset % 26)));
}

/// A disk whose syncs of some files do nothing, for proving that the explorer can see.
struct Mutation {
  std::string name;
  bool directory = false;
  std::string suffix;
};
const std::vector<Mutation> mutations = {
    {"segment-sync", false, ".segment"},       {"groups-sync", false, "groups."},    {"topic-sync", false, "topic.new"},
    {"partition-directory-sync", true, "/t/"}, {"topic-directory-sync", true, "/t"},
};

class MutedDisk final : public os::Disk {
 public:
  MutedDisk(std::shared_ptr<MemoryDisk> disk, const Mutation* mutation) : disk_(std::move(disk)), mutation_(mutation) {}

  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    auto file = disk_->open(path, mode);
    if (!file || mutation_ == nullptr || mutation_->directory || path.find(mutation_->suffix) == std::string::npos) return file;
    return std::unique_ptr<os::File>(std::make_unique<MutedFile>(std::move(*file)));
  }
  Status create_directories(const std::string& path) override { return disk_->create_directories(path); }
  Result<std::vector<std::string>> list(const std::string& path) override { return disk_->list(path); }
  Status rename(const std::string& from, const std::string& to) override { return disk_->rename(from, to); }
  Status remove(const std::string& path) override { return disk_->remove(path); }
  Status sync_directory(const std::string& path) override {
    const bool muted = mutation_ != nullptr && mutation_->directory &&
                       (mutation_->suffix == "/t" ? path.ends_with("/t") : path.find(mutation_->suffix) != std::string::npos);
    return muted ? Status() : disk_->sync_directory(path);
  }
  bool exists(const std::string& path) override { return disk_->exists(path); }
  Result<std::uint64_t> free_bytes(const std::string& path) override { return disk_->free_bytes(path); }

 private:
  class MutedFile final : public os::File {
   public:
    explicit MutedFile(std::unique_ptr<os::File> file) : file_(std::move(file)) {}
    Result<std::size_t> read_at(std::uint64_t p, MutableByteView b) const override { return file_->read_at(p, b); }
    Status write_at(std::uint64_t p, ByteView b) override { return file_->write_at(p, b); }
    Status allocate(std::uint64_t p, std::uint64_t l) override { return file_->allocate(p, l); }
    Status sync() override { return {}; }
    Status truncate(std::uint64_t s) override { return file_->truncate(s); }
    Result<std::uint64_t> size() const override { return file_->size(); }

   private:
    std::unique_ptr<os::File> file_;
  };

  std::shared_ptr<MemoryDisk> disk_;
  const Mutation* mutation_;
};

std::unique_ptr<Log> open(os::Disk& disk, os::Clock& clock, metrics::Table& metrics) {
  LogOptions options;
  options.directory = "log";
  options.topic_defaults.partitions = partitions;
  options.topic_defaults.segment_size = 64u << 10;
  options.staging_size = 64u << 10;
  options.cache_size = 0;
  auto log = Log::open(options, disk, clock, metrics);
  if (!log) throw Violation{"the log does not open: " + log.error().message};
  return std::move(*log);
}

Status wait_durable(Partition& partition, Offset offset) {
  auto promise = std::make_shared<std::promise<Status>>();
  auto done = promise->get_future();
  partition.when(Watermark::durable, offset, [promise](Status status) { promise->set_value(std::move(status)); });
  return done.get();
}

class Explorer {
 public:
  Explorer(std::uint64_t seed, const Mutation* mutation) : random_(seed), mutation_(mutation) {}

  /// Explores until `images` disks have been checked. Throws the first Violation.
  void run(std::uint64_t images) {
    images_max_ = images;
    while (images_ < images_max_) {
      auto disk = std::make_shared<MemoryDisk>();
      if (!disk->create_directories("log")) throw Violation{"no folder"};
      explore(disk, Promised{}, Lives(partitions), 0);
    }
  }
  std::uint64_t images() const { return images_; }
  std::uint64_t operations() const { return operations_; }

 private:
  /// Runs a workload on `disk`, then checks disks of the moments in it; some of them become the ground of a further life.
  void explore(const std::shared_ptr<MemoryDisk>& disk, const Promised& before, Lives lives, unsigned life) {
    const auto ground = disk->copy();
    disk->record();
    auto now = std::make_shared<Promised>(before);
    workload(disk, now, lives, life);
    const auto steps = disk->recorded();
    operations_ += steps.size();
    *now = before;
    for (const auto& step : steps) {
      if (step.marker) {
        step.marker();
        continue;
      }
      ground->replay(step.operation);
      if (random_() % (life == 0 ? 2 : 10) != 0) continue;
      constexpr unsigned keeps[] = {0, 10, 50, 90, 100};
      const auto image = ground->after_power_cut(random_, keeps[random_() % 5]);
      const auto again = image->copy();
      check(image, *now, lives, life);
      if (++images_ >= images_max_) return;
      if (life < 2 && random_() % 30 == 0) explore(again, *now, lives, life + 1);
      if (images_ >= images_max_) return;
    }
  }

  void workload(const std::shared_ptr<MemoryDisk>& disk, const std::shared_ptr<Promised>& now, Lives& lives, unsigned life) {
    MutedDisk muted(disk, mutation_);
    os::ManualClock clock(Timestamp{1'700'000'000'000'000 + life});
    metrics::Table metrics;
    for (auto starts = 1 + random_() % 2; starts != 0; --starts) {
      auto log = open(muted, clock, metrics);
      auto topic = log->topic("t");
      if (!topic) throw Violation{"no topic: " + topic.error().message};
      disk->note([now] { now->topic_created = true; });
      std::uint64_t next[partitions];
      for (std::uint32_t p = 0; p != partitions; ++p) {
        // What is served as durable after a start must stay, acknowledged or not: a consumer may have acted on it.
        const auto durable = next[p] = (*topic)->partition(PartitionId(p)).watermarks().durable.value;
        disk->note([now, p, durable] { now->acknowledged[p] = std::max(now->acknowledged[p], durable); });
      }
      for (auto records = 20 + random_() % 300; records != 0; --records) {
        const auto p = static_cast<std::uint32_t>(random_() % partitions);
        auto& partition = (*topic)->partition(PartitionId(p));
        append(partition, p, next[p], life, disk, now);
        if (lives[p].size() <= next[p]) lives[p].resize(next[p] + 1);
        lives[p][next[p]++] = life;
        if (random_() % 8 == 0 && !wait_durable(partition, Offset(next[p] - 1)))
          throw Violation{"a record does not become durable"};
        if (random_() % 40 == 0) commit(*log, disk, now);
      }
      if (!log->close()) throw Violation{"the log does not close well"};
    }
  }

  static void append(Partition& partition, std::uint32_t p, std::uint64_t offset, unsigned life,
                     const std::shared_ptr<MemoryDisk>& disk, const std::shared_ptr<Promised>& now) {
    const std::string value = value_of(p, offset, life);
    auto appended = partition.append(Timestamp{static_cast<std::int64_t>(offset)}, "k", as_bytes(value));
    while (appended.status == AppendStatus::back_pressured) {
      std::this_thread::yield();
      appended = partition.append(Timestamp{static_cast<std::int64_t>(offset)}, "k", as_bytes(value));
    }
    if (appended.status != AppendStatus::accepted) throw Violation{fmt::format("append: {}", describe(appended.status))};
    if (appended.offset.value != offset) throw Violation{fmt::format("offset {} where {} belongs", appended.offset, offset)};
    partition.when(Watermark::durable, Offset(offset), [disk, now, p, offset](Status status) {
      if (status) disk->note([now, p, offset] { now->acknowledged[p] = std::max(now->acknowledged[p], offset + 1); });
    });
  }

  void commit(Log& log, const std::shared_ptr<MemoryDisk>& disk, const std::shared_ptr<Promised>& now) {
    const auto before = log.committed("g", "t", PartitionId(0));
    const std::uint64_t value = (before ? before->value : 0) + 1;
    std::vector<GroupOffset> offsets;
    for (std::uint32_t p = 0; p != 40; ++p) offsets.push_back({"g", "t", PartitionId(p), Offset(value)});
    if (!log.commit(offsets)) throw Violation{"a commit is refused"};
    disk->note([now, value] { now->committed = value; });
  }

  /// The invariants: dense offsets, right contents, nothing acknowledged lost, no damage reported, offsets whole; and it goes
  /// on.
  void check(const std::shared_ptr<MemoryDisk>& image, const Promised& promised, const Lives& lives, unsigned life) {
    os::ManualClock clock(Timestamp{1'700'000'000'000'100});
    metrics::Table metrics;
    auto log = open(*image, clock, metrics);
    const auto committed = log->group_offsets();
    for (const GroupOffset& offset : committed)
      if (offset.committed.value < promised.committed || offset.committed != committed.front().committed)
        throw Violation{fmt::format("committed offset {} of partition {}, promised {}", offset.committed, offset.partition,
                                    promised.committed)};
    if (committed.empty() && promised.committed != 0) throw Violation{"committed offsets are gone"};
    Topic* topic = log->find("t");
    if (topic == nullptr) {
      if (promised.topic_created) throw Violation{"the topic is gone"};
      return;
    }
    for (std::uint32_t p = 0; p != partitions; ++p) check(topic->partition(PartitionId(p)), p, promised, lives, life);
  }

  static void check(Partition& partition, std::uint32_t p, const Promised& promised, const Lives& lives, unsigned life) {
    const auto status = partition.status();
    const std::uint64_t end = status.watermarks.durable.value;
    if (end < promised.acknowledged[p])
      throw Violation{fmt::format("partition {} ends at {}, acknowledged to {}", p, end, promised.acknowledged[p])};
    if (!status.damage.empty()) throw Violation{fmt::format("partition {} reports damage: {}", p, status.damage[0].reason)};
    Offset next;
    while (next.value != end) {
      const auto batch = partition.read(next, 64u << 10, Watermark::durable);
      if (!batch) throw Violation{batch.error().message};
      if (batch->empty()) throw Violation{fmt::format("partition {} has nothing at {} of {}", p, next, end)};
      for (const Record& record : batch->records()) {
        if (record.offset != next)
          throw Violation{fmt::format("partition {}: offset {} where {} belongs", p, record.offset, next)};
        check(record, p, promised, lives, life);
        ++next;
      }
    }
    if (!partition.status().damage.empty()) throw Violation{fmt::format("partition {}: damage on reading", p)};
    const auto appended = partition.append(Timestamp{1}, "k", as_bytes("after"));
    if (appended.status != AppendStatus::accepted || appended.offset.value != end)
      throw Violation{fmt::format("partition {} does not go on at {}", p, end)};
    if (!wait_durable(partition, appended.offset)) throw Violation{"the first record after the crash does not become durable"};
  }

  static void check(const Record& record, std::uint32_t p, const Promised& promised, const Lives& lives, unsigned life) {
    const std::uint64_t offset = record.offset.value;
    if (offset < promised.acknowledged[p]) {
      if (as_text(record.value) != value_of(p, offset, lives[p][offset]))
        throw Violation{fmt::format("partition {}: the acknowledged record {} has become another", p, offset)};
      return;
    }
    for (unsigned l = 0; l <= life; ++l)
      if (as_text(record.value) == value_of(p, offset, l)) return;
    throw Violation{fmt::format("partition {}: the record at {} was never appended there", p, offset)};
  }

  std::mt19937_64 random_;
  const Mutation* mutation_;
  std::uint64_t images_ = 0;
  std::uint64_t images_max_ = 0;
  std::uint64_t operations_ = 0;
};

std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

int main(int count, char** arguments) {
  std::uint64_t images = 2000;
  std::uint64_t seed = std::random_device()();
  const Mutation* mutation = nullptr;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view option = arguments[i];
    const std::string_view value = arguments[i + 1];
    if (option == "--images") images = number_of(value);
    if (option == "--seed") seed = number_of(value);
    if (option != "--mutate") continue;
    for (const Mutation& known : mutations)
      if (known.name == value) mutation = &known;
    if (mutation != nullptr) continue;
    for (const Mutation& known : mutations) fmt::print("{}\n", known.name);
    return value == "list" ? 0 : 2;
  }
  diagnostics::set_level(diagnostics::Level::off);
  Explorer explorer(seed, mutation);
  try {
    explorer.run(images);
  } catch (const Violation& violation) {
    fmt::print("seed {}: violation after {} disks: {}\n", seed, explorer.images(), violation.what);
    return mutation != nullptr ? 0 : 1;
  }
  fmt::print("seed {}: {} disks after a loss of power, from {} operations: no violation\n", seed, explorer.images(),
             explorer.operations());
  return mutation != nullptr ? 1 : 0;
}
