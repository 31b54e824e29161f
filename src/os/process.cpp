// What Linux tells about this process and this machine.
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <pthread.h>
#include <thread>
#include <unistd.h>

#include <sys/random.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <iotstream/os/disk.hpp>
#include <iotstream/os/process.hpp>

namespace iotstream::os {

namespace {

std::string read_proc(const std::string& path) {
  auto text = read_file(real_disk(), path, 4u << 20);
  return text.ok() ? std::move(*text) : std::string();
}

/// What stands behind `name` and its colon on a line of its own; empty when there is none.
std::string_view member(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view key = line.substr(0, colon);
    while (!key.empty() && (key.back() == '\t' || key.back() == ' ')) key.remove_suffix(1);
    if (key != name) continue;
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == '\t' || value.front() == ' ')) value.remove_prefix(1);
    return value;
  }
  return {};
}

std::uint64_t take_number(std::string_view& text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return 0;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::uint64_t number_of(std::string_view text) { return take_number(text); }

double seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; }

std::uint64_t count_open_files() {
  std::error_code code;
  std::uint64_t count = 0;
  std::filesystem::directory_iterator at("/proc/self/fd", code);
  for (; !code && at != std::filesystem::directory_iterator(); at.increment(code)) ++count;
  return count > 0 ? count - 1 : 0;  // without the one that lists them
}

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

void name_thread(std::string_view name) {
  std::array<char, 16> text{};
  std::copy_n(name.data(), std::min(name.size(), text.size() - 1), text.data());
  (void)pthread_setname_np(pthread_self(), text.data());  // a name is a courtesy; nothing depends on it
}

ProcessUsage process_usage() {
  const std::string status = read_proc("/proc/self/status");
  rusage usage{};
  (void)getrusage(RUSAGE_SELF, &usage);  // cannot fail with these arguments
  ProcessUsage result;
  result.rss_bytes = number_of(member(status, "VmRSS")) * 1024;
  // Not ru_maxrss: that one is inherited from whoever started the process.
  result.rss_bytes_max = std::max(number_of(member(status, "VmHWM")) * 1024, result.rss_bytes);
  result.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  result.threads = number_of(member(status, "Threads"));
  result.open_files = count_open_files();
  return result;
}

Machine machine() {
  utsname names{};
  (void)uname(&names);  // cannot fail with a valid address
  const std::string processors = read_proc("/proc/cpuinfo");
  const std::string_view model = member(processors, "model name");
  Machine result;
  result.processor = model.empty() ? std::string(names.machine) : std::string(model);  // ARM has no model name
  result.cores = std::max(1u, std::thread::hardware_concurrency());
  result.memory_bytes = number_of(member(read_proc("/proc/meminfo"), "MemTotal")) * 1024;
  result.kernel = std::string(names.sysname) + ' ' + names.release;
  return result;
}

CpuTimes cpu_times() {
  const std::string text = read_proc("/proc/stat");
  std::string_view line = std::string_view(text).substr(0, text.find('\n'));
  CpuTimes times;
  if (!line.starts_with("cpu ")) return times;
  line.remove_prefix(4);
  // user, nice, system, idle, iowait, irq, softirq, steal; the guests' times that follow are in user and nice already.
  for (int i = 0; i < 8; ++i) {
    const std::uint64_t ticks = take_number(line);
    times.total += ticks;
    if (i == 7) times.steal = ticks;
  }
  return times;
}

double steal_percent(CpuTimes before, CpuTimes after) {
  if (after.total <= before.total || after.steal < before.steal) return 0;
  return 100.0 * static_cast<double>(after.steal - before.steal) / static_cast<double>(after.total - before.total);
}

void block_stop_signals() {
  const sigset_t set = stop_signals();
  const int failed = pthread_sigmask(SIG_BLOCK, &set, nullptr);
  IOTSTREAM_ASSERT(failed == 0, "signals cannot be blocked: error {}", failed);
  // A peer that goes away is an error of write(), not the end of the process.
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  (void)sigaction(SIGPIPE, &ignore, nullptr);  // cannot fail with these arguments
}

int wait_for_stop_signal() {
  const sigset_t set = stop_signals();
  int signal = 0;
  while (sigwait(&set, &signal) != 0) {
  }
  return signal;
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  std::size_t done = 0;
  while (done < count) {
    const ssize_t n = ::getrandom(bytes.data() + done, count - done, 0);
    if (n < 0 && errno == EINTR) continue;
    IOTSTREAM_ASSERT(n > 0, "the system gives no random bytes: error {}", errno);
    done += static_cast<std::size_t>(n);
  }
  return bytes;
}

}  // namespace iotstream::os
