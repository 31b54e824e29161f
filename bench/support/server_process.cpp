#include "bench/support/server_process.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <sstream>
#include <unistd.h>

#include <fmt/format.h>
#include <sys/wait.h>

#include <iotstream/os/clock.hpp>

namespace iotstream::bench {

namespace {

constexpr const char* shipped_config = "config/iotstream.toml";

/// One line from `descriptor`, or nothing after `timeout_ms` or at the end.
std::string read_line(int descriptor, int timeout_ms) {
  std::string line;
  const std::int64_t end_ns = os::system_clock().monotonic_ns() + timeout_ms * 1'000'000ll;
  for (char c = 0; os::system_clock().monotonic_ns() < end_ns;) {
    pollfd waiting{descriptor, POLLIN, 0};
    if (::poll(&waiting, 1, 100) <= 0) continue;
    if (::read(descriptor, &c, 1) != 1 || c == '\n') break;
    line += c;
  }
  return line;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "iotstream-bench-XXXXXX").string();
  path_ = ::mkdtemp(pattern.data()) != nullptr ? pattern : std::string();
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Result<std::unique_ptr<ServerProcess>> ServerProcess::start(const std::string& data_dir,
                                                            const std::vector<std::string>& overrides) {
  if (::access(shipped_config, R_OK) != 0) {
    return Error{ErrorKind::not_found,
                 fmt::format("'{}' is not here; run the benchmark in the project's folder", shipped_config)};
  }
  std::vector<std::string> arguments{"iotstream",
                                     "--diagnostics",
                                     "error",
                                     "--config",
                                     shipped_config,
                                     "--set",
                                     "data_dir=\"" + data_dir + "\"",
                                     "--set",
                                     "server.listen=[\"127.0.0.1:0\"]"};
  for (const std::string& text : overrides) {
    arguments.push_back("--set");
    arguments.push_back(text);
  }
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return Error{ErrorKind::io, "no pipe could be made"};
  std::unique_ptr<ServerProcess> server(new ServerProcess());
  const std::int64_t began_ns = os::system_clock().monotonic_ns();
  server->pid_ = ::fork();
  if (server->pid_ == 0) {
    ::dup2(pipe[1], STDOUT_FILENO);
    ::execv("/proc/self/exe", argv.data());
    ::_exit(127);
  }
  ::close(pipe[1]);
  const std::string line = read_line(pipe[0], 30'000);
  ::close(pipe[0]);
  server->start_ms_ = static_cast<double>(os::system_clock().monotonic_ns() - began_ns) / 1e6;
  const std::size_t begin = line.find("http");
  if (!line.starts_with("ready ") || begin == std::string::npos)
    return Error{ErrorKind::unavailable, "the server did not become ready; it said: " + line};
  server->url_ = line.substr(begin, line.find(' ', begin) - begin);
  return server;
}

ServerProcess::~ServerProcess() {
  if (pid_ > 0) stop();
}

int ServerProcess::stop() {
  ::kill(pid_, SIGTERM);
  int status = 0;
  for (int i = 0; i < 1000; ++i) {
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    ::usleep(10'000);
  }
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return -1;
}

double ServerProcess::rss_mib() const {
  std::ifstream file(fmt::format("/proc/{}/status", pid_));
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmRSS:")) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  }
  return 0;
}

double ServerProcess::cpu_seconds() const {
  std::ifstream file(fmt::format("/proc/{}/stat", pid_));
  std::string text;
  std::getline(file, text);
  // The process's name, in brackets, may hold blanks: count fields after it.
  std::istringstream fields(text.substr(std::min(text.rfind(')') + 2, text.size())));
  std::string field;
  double ticks = 0;
  for (int i = 3; fields >> field && i <= 15; ++i) {
    if (i >= 14) ticks += std::strtod(field.c_str(), nullptr);
  }
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace iotstream::bench
