// kill -9 under load, round after round on one directory: a child appends and reports each acknowledgement through a pipe; the
// parent kills it at a random moment, opens the log itself, and finds every acknowledged record at its offset with its content.
//
//   fault_log_kill [--rounds N] [--seed N] [--directory PATH]
#include <array>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <random>
#include <signal.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <sys/wait.h>

#include <iotstream/base/diagnostics.hpp>
#include <iotstream/log/log.hpp>

using namespace iotstream;
using namespace iotstream::log;

namespace {

constexpr std::uint32_t partitions = 3;

struct Acknowledged {
  std::uint32_t partition;
  std::uint32_t life;
  std::uint64_t offset;
};

std::string value_of(std::uint32_t partition, std::uint64_t offset, std::uint32_t life) {
  return fmt::format("{}/{}/{} {}", partition, offset, life, std::string(offset % 300, 'x'));
}

std::unique_ptr<Log> open(const std::string& directory, metrics::Table& metrics) {
  LogOptions options;
  options.directory = directory;
  options.topic_defaults.partitions = partitions;
  options.topic_defaults.segment_size = 1u << 20;
  auto log = Log::open(options, os::real_disk(), os::system_clock(), metrics);
  if (!log) {
    fmt::print("the log does not open: {}\n", log.error().message);
    std::_Exit(1);
  }
  return std::move(*log);
}

/// Appends until it is killed.
[[noreturn]] void child(const std::string& directory, std::uint32_t life, int pipe) {
  metrics::Table metrics;
  auto log = open(directory, metrics);
  auto& topic = **log->topic("t");
  std::array<std::uint64_t, partitions> next{};
  for (std::uint32_t p = 0; p != partitions; ++p) next[p] = topic.partition(PartitionId(p)).watermarks().written.value;
  for (std::uint32_t p = 0;; p = (p + 1) % partitions) {
    auto& partition = topic.partition(PartitionId(p));
    const std::uint64_t offset = next[p];
    const auto appended = partition.append(Timestamp{1}, "k", as_bytes(value_of(p, offset, life)));
    if (appended.status != AppendStatus::accepted) {
      std::this_thread::yield();
      continue;
    }
    ++next[p];
    partition.when(Watermark::durable, appended.offset, [pipe, p, life, offset = appended.offset.value](Status status) {
      const Acknowledged told{p, life, offset};
      if (status && ::write(pipe, &told, sizeof told) != sizeof told) std::_Exit(3);
    });
  }
}

std::vector<Acknowledged> run_and_kill(const std::string& directory, std::uint32_t life, std::chrono::microseconds after) {
  int ends[2];
  if (::pipe(ends) != 0) std::_Exit(2);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    child(directory, life, ends[1]);
  }
  ::close(ends[1]);
  std::thread killer([pid, after] {
    std::this_thread::sleep_for(after);
    ::kill(pid, SIGKILL);
  });
  std::vector<Acknowledged> told;
  for (Acknowledged one{}; ::read(ends[0], &one, sizeof one) == sizeof one;) told.push_back(one);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  killer.join();
  if (!WIFSIGNALED(status)) {
    fmt::print("the child ended by itself with {}\n", status);
    std::_Exit(1);
  }
  return told;
}

}  // namespace

int main(int count, char** arguments) {
  std::uint64_t rounds = 20;
  std::uint64_t seed = std::random_device()();
  std::string directory = "fault-log-kill.tmp";
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view option = arguments[i];
    const std::string_view value = arguments[i + 1];
    if (option == "--rounds") std::from_chars(value.data(), value.data() + value.size(), rounds);
    if (option == "--seed") std::from_chars(value.data(), value.data() + value.size(), seed);
    if (option == "--directory") directory = value;
  }
  diagnostics::set_level(diagnostics::Level::off);
  std::filesystem::remove_all(directory);
  std::mt19937_64 random(seed);
  std::array<std::vector<std::uint32_t>, partitions> lives;  // of each acknowledged offset
  double slowest_ms = 0;
  for (std::uint32_t life = 0; life != rounds; ++life) {
    for (const auto& told : run_and_kill(directory, life, std::chrono::microseconds(2000 + random() % 150'000))) {
      auto& of_partition = lives[told.partition];
      if (told.offset != of_partition.size() && told.offset + 1 > of_partition.size()) of_partition.resize(told.offset, ~0u);
      if (told.offset == of_partition.size()) of_partition.push_back(told.life);
    }
    metrics::Table metrics;
    const auto begin = std::chrono::steady_clock::now();
    auto log = open(directory, metrics);
    slowest_ms =
        std::max(slowest_ms, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    Topic* topic = log->find("t");
    for (std::uint32_t p = 0; topic != nullptr && p != partitions; ++p) {
      auto& partition = topic->partition(PartitionId(p));
      const auto end = partition.watermarks().durable;
      if (end.value < lives[p].size()) {
        fmt::print("seed {}: round {}: partition {} ends at {}, acknowledged to {}\n", seed, life, p, end, lives[p].size());
        return 1;
      }
      Offset next;
      while (next < end) {
        const auto batch = partition.read(next, 1u << 20, Watermark::durable);
        if (!batch || batch->empty() || batch->records().front().offset != next) {
          fmt::print("seed {}: round {}: partition {} cannot be read at {}\n", seed, life, p, next);
          return 1;
        }
        for (const Record& record : batch->records()) {
          if (next.value < lives[p].size() && lives[p][next.value] != ~0u &&
              as_text(record.value) != value_of(p, next.value, lives[p][next.value])) {
            fmt::print("seed {}: round {}: partition {}: offset {} has become another\n", seed, life, p, next);
            return 1;
          }
          ++next;
        }
      }
      lives[p].resize(end.value, ~0u);  // survived without having been acknowledged: any life may have written it
    }
  }
  std::filesystem::remove_all(directory);
  std::uint64_t total = 0;
  for (const auto& of_partition : lives) total += of_partition.size();
  fmt::print("seed {}: {} kills, {} records, none lost, doubled or moved; slowest start {:.1f} ms\n", seed, rounds, total,
             slowest_ms);
  return 0;
}
