#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <pthread.h>
#include <sstream>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <iotstream/base/assert.hpp>
#include <iotstream/os/process.hpp>

namespace iotstream::os {

namespace {

/// The text after `key:` in a file of /proc, up to the line's end.
std::string proc_value(const char* path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? std::string() : line.substr(begin);
  }
  return {};
}

std::uint64_t leading_number(const std::string& text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

double seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; }

}  // namespace

void name_thread(std::string_view name) { ::pthread_setname_np(::pthread_self(), std::string(name.substr(0, 15)).c_str()); }

ProcessUsage process_usage() {
  ProcessUsage usage;
  usage.rss_bytes = leading_number(proc_value("/proc/self/status", "VmRSS")) * 1024;
  usage.rss_bytes_max = leading_number(proc_value("/proc/self/status", "VmHWM")) * 1024;
  usage.threads = leading_number(proc_value("/proc/self/status", "Threads"));
  rusage resources{};
  ::getrusage(RUSAGE_SELF, &resources);
  usage.cpu_seconds = seconds(resources.ru_utime) + seconds(resources.ru_stime);
  std::error_code code;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", code), end; !code && entry != end; entry.increment(code))
    ++usage.open_files;
  return usage;
}

Machine machine() {
  Machine machine;
  machine.processor = proc_value("/proc/cpuinfo", "model name");
  machine.cores = std::thread::hardware_concurrency();
  machine.memory_bytes = leading_number(proc_value("/proc/meminfo", "MemTotal")) * 1024;
  utsname name{};
  if (::uname(&name) == 0) machine.kernel = fmt::format("{} {}", name.sysname, name.release);
  return machine;
}

CpuTimes cpu_times() {
  std::ifstream file("/proc/stat");
  std::string line;
  std::getline(file, line);
  std::istringstream fields(line.substr(std::min<std::size_t>(line.size(), 4)));
  CpuTimes times;
  std::uint64_t value = 0;
  for (int field = 0; field < 8 && fields >> value; ++field) {
    times.total += value;
    if (field == 7) times.steal = value;
  }
  return times;
}

double steal_percent(CpuTimes before, CpuTimes after) {
  const std::uint64_t total = after.total - before.total;
  return total == 0 ? 0.0 : 100.0 * static_cast<double>(after.steal - before.steal) / static_cast<double>(total);
}

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::acquire(const std::string& directory) {
  const std::string path = directory + "/LOCK";
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0)
    return Error{ErrorKind::io, fmt::format("cannot open '{}': {}", path, std::generic_category().message(errno))};
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (::fcntl(descriptor, F_OFD_SETLK, &lock) != 0) {
    char holder[64] = {};
    const ssize_t count = ::pread(descriptor, holder, sizeof holder - 1, 0);
    ::close(descriptor);
    const std::string_view text(holder, count > 0 ? static_cast<std::size_t>(count) : 0);
    return Error{ErrorKind::conflict,
                 fmt::format("the data directory '{}' is in use by process {}; stop it, or choose another data_dir", directory,
                             text.empty() ? "?" : text)};
  }
  const std::string pid = std::to_string(::getpid());
  const bool written =
      ::ftruncate(descriptor, 0) == 0 && ::pwrite(descriptor, pid.data(), pid.size(), 0) == static_cast<ssize_t>(pid.size());
  if (!written) {
    ::close(descriptor);
    return Error{ErrorKind::io, fmt::format("cannot write '{}': {}", path, std::generic_category().message(errno))};
  }
  return std::unique_ptr<DirectoryLock>(new DirectoryLock(descriptor));
}

DirectoryLock::~DirectoryLock() { ::close(descriptor_); }

void block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int wait_for_stop_signal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  int signal = 0;
  while (::sigwait(&signals, &signal) != 0) {
  }
  return signal;
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  std::size_t done = 0;
  while (done < count) {
    const ssize_t got = ::getrandom(bytes.data() + done, count - done, 0);
    if (got < 0 && errno == EINTR) continue;
    IOTSTREAM_ASSERT(got >= 0, "getrandom: {}", std::generic_category().message(errno));
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace iotstream::os
