// The crash-state explorer of the log (after ALICE, Pillai et al., OSDI 2014). A workload runs on a disk in memory that records
// every operation; then, between any two operations, disks are built that a loss of power or a kill could have left there, and
// the log is opened on each. It must keep every promise made up to that point (promises.hpp) and go on working; further lives
// on top of such a disk included, with crashes of their own, also while they recover.
//
//   fault_log_crash [--images N] [--seed N] [--jobs N] [--mutate NAME | --canary NAME]
//
// With --mutate one sync or check of the log is left out, with --canary one of its answers is falsified. The explorer must then
// find a violation: exit 0 means that it did.
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

#include <iotstream/base/diagnostics.hpp>

#include "fault/arguments.hpp"
#include "fault/workload.hpp"

using namespace iotstream;
using namespace iotstream::fault;
using test::MemoryDisk;

namespace {

/// Lives of which the last is left by a crash.
constexpr unsigned lives_max = 4;

struct Tally {
  std::atomic<std::uint64_t> images{0};
  std::atomic<std::uint64_t> operations{0};
  std::atomic<std::uint64_t> lives{0};
  std::atomic<std::uint64_t> images_max{0};
  bool enough() const { return images >= images_max; }
};

class Explorer {
 public:
  Explorer(std::uint64_t seed, const Mutation* mutation, Canary canary, Tally& tally)
      : random_(seed), mutation_(mutation), canary_(canary), tally_(tally) {}

  /// Until the tally is full. Throws the first Violation.
  void run() {
    while (!tally_.enough()) {
      // The thread's order is the system's: seeds repeat only what is driven by hand. It is explored for the sake of what only
      // the whole log does.
      const bool root = mutation_ != nullptr && mutation_->site == log::mutation::Site::root_sync;
      kind_ = root || (mutation_ == nullptr && random_() % 12 == 0) ? Engine::Kind::threads : Engine::Kind::by_hand;
      explore(std::make_shared<MemoryDisk>(), Promises{}, Lives{}, 0, Ending::power_cut);
    }
  }

 private:
  /// One life on `disk`, which `ended` by a crash before, and what may be left at each moment of it.
  void explore(const std::shared_ptr<MemoryDisk>& disk, const Promises& before, Lives lives, unsigned life, Ending ended,
               bool stale_ground = false) {
    const auto tails = ended == Ending::power_cut ? tails_of(*disk, life) : std::vector<Tail>();
    const auto ground = disk->copy();
    disk->record();
    auto now = std::make_shared<Promises>(before);
    Workload(random_, disk, now, lives, life)
        .run(kind_, mutation_ == nullptr ? DiskSync::none : mutation_->disk_sync,
             mutation_ == nullptr ? Focus{} : mutation_->focus);
    const auto steps = disk->recorded();
    tally_.operations += steps.size();
    ++tally_.lives;
    *now = before;
    std::size_t replayed = 0;
    for (const auto& step : steps) {
      const Focus focus = mutation_ == nullptr ? Focus{} : mutation_->focus;
      const std::size_t steps_max = life == 0 ? focus.first_steps : focus.steps;
      if (tally_.enough() || (steps_max != 0 && replayed > steps_max)) return;
      if (step.marker) {
        step.marker();
        if (!now->clean) continue;
      } else {
        ground->replay(step.operation);
        if (random_() % (++replayed < 80 ? 2 : 6) != 0) continue;
      }
      const bool follow = !step.marker && leaves_to_next(step.operation);
      const Ending ending = follow || random_() % 4 == 0 ? Ending::kill : Ending::power_cut;
      const auto stale = ending == Ending::kill ? MemoryDisk::Stale::zeros : any_stale();
      const auto image = ending == Ending::kill ? ground->copy() : power_cut(*ground, stale);
      const auto again = life + 1 < lives_max ? image->copy() : nullptr;
      if (ended == Ending::power_cut) check_tails(*image, tails, canary_);
      const auto engine = mutation_ == nullptr && random_() % 50 == 0 ? Engine::Kind::threads : Engine::Kind::by_hand;
      bool repaired = false;
      try {
        repaired =
            check(random_, engine, *image, {*now, lives, ending, stale_ground || stale == MemoryDisk::Stale::own, canary_});
      } catch (const Violation& violation) {
        throw Violation{
            fmt::format("life {} after {}: {}", life, ending == Ending::kill ? "a kill" : "a loss of power", violation.what)};
      }
      ++tally_.images;
      // Deeper where there was something to repair: the next life writes over it.
      const unsigned deeper = repaired ? (mutation_ == nullptr ? 10 : 2) : steps.size() < 100 ? 12 : 60;
      if (again == nullptr || (!follow && random_() % deeper != 0)) continue;
      Promises left = *now;
      if (ending == Ending::power_cut) left.forget_written();
      explore(again, left, lives, life + 1, ending, stale_ground || stale == MemoryDisk::Stale::own);
    }
  }

  /// What the start on this disk will take off: it must be somewhere at every later moment. (After a kill it may be lost with
  /// the page cache: nobody was told that it would stay.)
  static std::vector<Tail> tails_of(const MemoryDisk& disk, unsigned life) {
    const auto opened = disk.copy();
    Engine::open(Engine::Kind::by_hand, *opened, Timestamp{1'700'000'000'000'000 + life});
    return cut_tails(disk, *opened);
  }

  /// Whether to kill here and go on: between a new name or committed offsets and their sync, which is left to the next life.
  bool leaves_to_next(const MemoryDisk::Operation& operation) {
    using Kind = MemoryDisk::Kind;
    const Kind kind = operation.kind;
    if (kind == Kind::make_directory) return random_() % 2 == 0;
    const bool offsets = kind == Kind::write && operation.path.starts_with("log/groups.");
    return (offsets || kind == Kind::create || kind == Kind::rename) && random_() % 8 == 0;
  }

  std::shared_ptr<MemoryDisk> power_cut(const MemoryDisk& disk, MemoryDisk::Stale stale) {
    constexpr unsigned keeps[] = {0, 10, 50, 90, 100};
    return disk.after_power_cut(random_, keeps[random_() % 5], stale);
  }

  MemoryDisk::Stale any_stale() {
    constexpr MemoryDisk::Stale stales[] = {MemoryDisk::Stale::zeros, MemoryDisk::Stale::zeros, MemoryDisk::Stale::own,
                                            MemoryDisk::Stale::own,   MemoryDisk::Stale::other, MemoryDisk::Stale::noise};
    if (mutation_ != nullptr && mutation_->focus.stale) return MemoryDisk::Stale::own;
    return stales[random_() % 6];
  }

  std::mt19937_64 random_;
  const Mutation* mutation_;
  Canary canary_;
  Tally& tally_;
  Engine::Kind kind_ = Engine::Kind::by_hand;
};

/// Runs `jobs` explorers at once; the first violation, with the seed of its explorer.
std::optional<std::string> explore(std::uint64_t seed, std::uint64_t jobs, const Mutation* mutation, Canary canary,
                                   Tally& tally) {
  std::mutex mutex;
  std::optional<std::string> found;
  std::vector<std::thread> threads;
  for (std::uint64_t job = 0; job != jobs; ++job) {
    threads.emplace_back([&, job] {
      try {
        Explorer(seed + job, mutation, canary, tally).run();
      } catch (const Violation& violation) {
        std::lock_guard lock(mutex);
        if (!found) found = fmt::format("seed {}: {}", seed + job, violation.what);
        tally.images_max = 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return found;
}

}  // namespace

int main(int count, char** values) {
  const Arguments arguments(count, values);
  const std::string_view mutate = arguments.text("--mutate");
  const std::string_view canary = arguments.text("--canary");
  const Mutation* mutation = find_mutation(mutate);
  if ((!mutate.empty() && mutation == nullptr) || (!canary.empty() && canary_of(canary) == Canary::none)) {
    for (const Mutation& known : mutations()) fmt::print("{}\n", known.name);
    return mutate == "list" ? 0 : 2;
  }
  if (mutation != nullptr) remove(*mutation);
  diagnostics::set_level(diagnostics::Level::off);
  const std::uint64_t seed = arguments.seed();
  Tally tally;
  tally.images_max = arguments.number("--images", 2000);
  const auto violation = explore(seed, arguments.number("--jobs", 1), mutation, canary_of(canary), tally);
  if (violation)
    fmt::print("after {} disks, {}\n", tally.images.load(), *violation);
  else
    fmt::print("seed {}: {} disks after a crash, from {} operations in {} lives: no violation\n", seed, tally.images.load(),
               tally.operations.load(), tally.lives.load());
  const bool expected = mutation != nullptr || !canary.empty();
  return violation.has_value() == expected ? 0 : 1;
}
