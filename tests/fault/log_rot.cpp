// The rot explorer: a log whose every byte is known, one thing wrong with its files, and the question what is left. Never a
// crash, never a wrong record; exactly the batches that were hit are lost, their offsets are reported, everything else is
// served, and nothing is deleted.
//
//   fault_log_rot [--images N] [--seed N] [--jobs N] [--mutate NAME | --canary NAME]
//
// With --mutate one check of the log is left out, with --canary one of its answers is falsified: then exit 0 means that it was
// noticed.
#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

#include <iotstream/base/diagnostics.hpp>

#include "fault/arguments.hpp"
#include "fault/golden.hpp"
#include "fault/mutations.hpp"

using namespace iotstream;
using namespace iotstream::fault;
using test::MemoryDisk;

namespace {

class Examination {
 public:
  Examination(std::mt19937_64& random, const Golden& golden, const Damage& damage, MemoryDisk& disk, Canary canary)
      : random_(random), golden_(golden), damage_(damage), disk_(disk), canary_(canary) {}

  /// How many records were lost.
  std::uint64_t run() {
    const auto before = disk_.copy();
    const auto engine = Engine::open(Engine::Kind::by_hand, disk_, Timestamp{1'700'000'000'000'100});
    check_nothing_deleted(*before);
    check_offsets(*engine);
    for (const auto& [name, truth] : golden_.partitions) {
      const auto slash = name.find('/');
      log::Topic* topic = canary_ == Canary::forgotten ? nullptr : engine->find(name.substr(0, slash));
      if (topic == nullptr) fail(name, "its topic is gone");
      check(*engine, name, truth,
            topic->partition(PartitionId(static_cast<std::uint32_t>(std::stoul(name.substr(slash + 1))))));
    }
    return lost_;
  }

 private:
  [[noreturn]] void fail(const std::string& where, const std::string& what) const {
    throw Violation{fmt::format("{}: {}: {}", damage_.what, where, what)};
  }

  void check(Engine& engine, const std::string& name, const PartitionTruth& truth, log::Partition& partition) {
    const auto seen = read_all(partition, random_, canary_);
    const auto status = partition.status();
    const auto may_be_lost = damage_.lost.find(name);
    auto allowed = [&](std::uint64_t offset) {
      return may_be_lost != damage_.lost.end() && may_be_lost->second.contains(offset);
    };
    const std::uint64_t known = testified(name, truth);
    auto reported = [&](std::uint64_t offset) {
      if (offset < status.watermarks.earliest.value) return true;
      if (canary_ == Canary::damage) return false;
      return std::any_of(status.damage.begin(), status.damage.end(), [offset](const log::Damage& damage) {
        return damage.first.value <= offset && offset < damage.next.value;
      });
    };
    // What no mark and no batch says to have been durable looks like a torn tail from the first hit on.
    auto torn = [&](std::uint64_t offset) {
      return may_be_lost != damage_.lost.end() && !may_be_lost->second.empty() && *may_be_lost->second.begin() <= offset &&
             offset >= known;
    };
    std::uint64_t next = truth.earliest;
    auto pass = [&](std::uint64_t until) {
      for (; next < until; ++next, ++lost_) {
        if (torn(next)) continue;
        if (!allowed(next)) fail(name, fmt::format("offset {} is lost, and was not hit", next));
        if (!reported(next)) fail(name, fmt::format("offset {} is lost, and not reported", next));
      }
    };
    for (const Seen& record : seen) {
      if (record.offset < next || record.offset >= truth.end())
        fail(name, fmt::format("offset {} is served after {}", record.offset, next));
      pass(record.offset);
      const Seen& right = truth.records[record.offset - truth.earliest];
      if (record.value != right.value || record.time_us != right.time_us)
        fail(name, fmt::format("offset {} is served with another content", record.offset));
      ++next;
    }
    pass(truth.end());
    for (const log::Damage& damage : status.damage)
      for (const Seen& record : seen)
        if (damage.first.value <= record.offset && record.offset < damage.next.value)
          fail(name, fmt::format("offset {} is reported as lost, and served", record.offset));
    jump(name, truth, partition, seen);
    go_on(engine, name, truth, partition);
  }

  /// Below this everything had been durable, as marks, indexes and batches say that were not hit.
  std::uint64_t testified(const std::string& name, const PartitionTruth& truth) const {
    std::uint64_t known = truth.marked;
    const auto lost = damage_.lost.find(name);
    for (const auto& [path, segment] : golden_.segments) {
      if (segment.partition != name) continue;
      if (segment.sealed) known = std::max(known, segment.next);
      for (const Frame& frame : segment.frames)
        if (lost == damage_.lost.end() || !lost->second.contains(frame.base)) known = std::max(known, frame.durable);
    }
    return known;
  }

  /// Reading from anywhere, and by time, finds what reading from the beginning does.
  void jump(const std::string& name, const PartitionTruth& truth, log::Partition& partition, const std::vector<Seen>& seen) {
    if (seen.empty()) return;
    for (int jumps = 0; jumps != 4; ++jumps) {
      const Seen& wanted = seen[random_() % seen.size()];
      const auto batch = partition.read(Offset(wanted.offset), 1, log::Watermark::durable);
      if (!batch || batch->empty() || batch->records()[0].offset.value != wanted.offset ||
          as_text(batch->records()[0].value) != truth.records[wanted.offset - truth.earliest].value)
        fail(name, fmt::format("offset {} cannot be read by itself", wanted.offset));
    }
    const std::int64_t time = seen[random_() % seen.size()].time_us;
    const auto first = std::find_if(seen.begin(), seen.end(), [time](const Seen& record) { return record.time_us >= time; });
    const auto found = partition.seek(Timestamp{time});
    if (!found || found->value != first->offset) fail(name, fmt::format("time {} is not found at {}", time, first->offset));
  }

  /// No offset that had been durable is given out again.
  void go_on(Engine& engine, const std::string& name, const PartitionTruth& truth, log::Partition& partition) const {
    const auto appended = partition.append(Timestamp{1}, "k", as_bytes("after"));
    if (appended.status != log::AppendStatus::accepted) fail(name, "it does not go on");
    if (appended.offset.value < truth.marked) fail(name, fmt::format("offset {} is given out again", appended.offset));
    engine.finish(partition, appended.offset);
    const auto batch = partition.read(appended.offset, 1, log::Watermark::durable);
    if (!batch || batch->empty() || as_text(batch->records()[0].value) != "after") fail(name, "what came later is not there");
  }

  void check_offsets(const Engine& engine) const {
    auto committed = engine.group_offsets();
    if (canary_ == Canary::committed && !committed.empty()) committed[0].committed = Offset(0);
    const std::uint64_t least = golden_.committed - (damage_.groups ? 1 : 0);
    if (committed.size() != group_partitions) fail("groups", "committed offsets are gone");
    for (const auto& offset : committed)
      if (offset.committed != committed[0].committed || offset.committed.value < least ||
          offset.committed.value > golden_.committed)
        fail("groups", fmt::format("the committed offset is {}, not {}", offset.committed, golden_.committed));
  }

  /// What stood in a segment is still in it, or in a file beside it.
  void check_nothing_deleted(const MemoryDisk& before) const {
    try {
      check_tails(disk_, cut_tails(before, disk_), canary_);
    } catch (const Violation& violation) {
      fail("files", violation.what);
    }
    const auto paths = disk_.paths();
    for (const std::string& path : before.paths()) {
      if (!path.ends_with(".segment") || std::binary_search(paths.begin(), paths.end(), path)) continue;
      const auto bytes = before.content(path);
      const bool beside = std::any_of(paths.begin(), paths.end(), [&](const std::string& other) {
        return other.starts_with(path + ".") && disk_.content(other) == bytes;
      });
      if (!beside) fail("files", path + " was deleted");
    }
  }

  std::mt19937_64& random_;
  const Golden& golden_;
  const Damage& damage_;
  MemoryDisk& disk_;
  Canary canary_;
  std::uint64_t lost_ = 0;
};

struct Tally {
  std::atomic<std::uint64_t> images{0};
  std::atomic<std::uint64_t> lost{0};
  std::atomic<std::uint64_t> images_max{0};
};

/// Where to look for what a missing check lets through: its name begins with it.
std::string kind_of(std::string_view mutation) {
  const std::string_view kind = mutation.substr(0, mutation.find('_'));
  return std::string(kind == "frame" ? "segment" : kind);
}

void explore(std::uint64_t seed, const std::string& kind, Canary canary, Tally& tally) {
  std::mt19937_64 random(seed);
  while (tally.images < tally.images_max) {
    const Golden golden = make_golden(random);
    for (int images = 0; images != 200 && tally.images < tally.images_max; ++images, ++tally.images) {
      const auto disk = golden.disk->copy();
      const Damage damage = do_damage(random, golden, *disk, kind);
      tally.lost += Examination(random, golden, damage, *disk, canary).run();
    }
  }
}

}  // namespace

int main(int count, char** values) {
  const Arguments arguments(count, values);
  const std::string_view mutate = arguments.text("--mutate");
  const std::string_view canary = arguments.text("--canary");
  const Mutation* mutation = find_mutation(mutate);
  if ((!mutate.empty() && mutation == nullptr) || (!canary.empty() && canary_of(canary) == Canary::none)) return 2;
  if (mutation != nullptr) remove(*mutation);
  diagnostics::set_level(arguments.text("--log") == "on" ? diagnostics::Level::warning : diagnostics::Level::off);
  const std::uint64_t seed = arguments.seed();
  Tally tally;
  tally.images_max = arguments.number("--images", 2000);
  std::mutex mutex;
  std::optional<std::string> found;
  std::vector<std::thread> threads;
  for (std::uint64_t job = 0; job != arguments.number("--jobs", 1); ++job) {
    threads.emplace_back([&, job] {
      try {
        explore(seed + job, kind_of(mutate), canary_of(canary), tally);
      } catch (const Violation& violation) {
        std::lock_guard lock(mutex);
        if (!found) found = fmt::format("seed {}: {}", seed + job, violation.what);
        tally.images_max = 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (found)
    fmt::print("after {} damaged logs, {}\n", tally.images.load(), *found);
  else
    fmt::print("seed {}: {} damaged logs, {} records lost and reported, none wrong: no violation\n", seed, tally.images.load(),
               tally.lost.load());
  const bool expected = mutation != nullptr || !canary.empty();
  return found.has_value() == expected ? 0 : 1;
}
