#include "bench/support/server_process.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <iotstream/os/disk.hpp>

#include "bench/support/timing.hpp"

namespace iotstream::bench {

namespace {

/// One line from `descriptor`, or nothing after `timeout_ms` or at the end.
std::string read_line(int descriptor, int timeout_ms) {
  std::string line;
  const std::int64_t end_ns = now_ns() + timeout_ms * 1'000'000ll;
  for (char c = 0; now_ns() < end_ns;) {
    pollfd waiting{descriptor, POLLIN, 0};
    if (::poll(&waiting, 1, 100) <= 0) continue;
    if (::read(descriptor, &c, 1) != 1 || c == '\n') break;
    line += c;
  }
  return line;
}

bool is_in_memory(const std::filesystem::path& folder) {
  struct statfs system {};
  return ::statfs(folder.c_str(), &system) == 0 && system.f_type == TMPFS_MAGIC;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::path parent = std::filesystem::temp_directory_path(ignored);
  if (parent.empty() || is_in_memory(parent)) parent = std::filesystem::current_path(ignored);
  std::string pattern = (parent / "iotstream-bench-XXXXXX").string();
  path_ = ::mkdtemp(pattern.data()) != nullptr ? pattern : std::string();
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Result<std::unique_ptr<ServerProcess>> ServerProcess::start(const std::string& data_dir,
                                                            const std::vector<std::string>& overrides) {
  constexpr const char* shipped_config = "config/iotstream.toml";
  if (::access(shipped_config, R_OK) != 0) {
    return Error{ErrorKind::not_found,
                 fmt::format("'{}' is not here; run the benchmark in the project's folder", shipped_config)};
  }
  return execute(data_dir, overrides, shipped_config);
}

Result<std::unique_ptr<ServerProcess>> ServerProcess::start_without_devices(const std::string& data_dir,
                                                                            const std::vector<std::string>& overrides) {
  const std::string config = data_dir + ".toml";
  if (auto written = os::write_atomically(os::real_disk(), config, as_bytes("# no devices\n")); !written)
    return written.error();
  return execute(data_dir, overrides, config);
}

Result<std::unique_ptr<ServerProcess>> ServerProcess::execute(const std::string& data_dir,
                                                              const std::vector<std::string>& overrides,
                                                              const std::string& config) {
  std::vector<std::string> arguments{"iotstream",
                                     "--diagnostics",
                                     "error",
                                     "--config",
                                     config,
                                     "--set",
                                     "data_dir=\"" + data_dir + "\"",
                                     "--set",
                                     "server.listen=[\"127.0.0.1:0\"]"};
  for (const std::string& text : overrides) {
    arguments.push_back("--set");
    arguments.push_back(text);
  }
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return Error{ErrorKind::io, "no pipe could be made"};
  std::unique_ptr<ServerProcess> server(new ServerProcess());
  const std::int64_t began_ns = now_ns();
  auto process = ChildProcess::execute("/proc/self/exe", std::move(arguments), pipe[1]);
  ::close(pipe[1]);
  const std::string line = process ? read_line(pipe[0], 30'000) : std::string();
  ::close(pipe[0]);
  if (!process) return process.error();
  server->process_ = std::move(*process);
  server->start_ms_ = static_cast<double>(now_ns() - began_ns) / 1e6;
  const std::size_t begin = line.find("http");
  if (!line.starts_with("ready ") || begin == std::string::npos)
    return Error{ErrorKind::unavailable, "the server did not become ready; it said: " + line};
  server->url_ = line.substr(begin, line.find(' ', begin) - begin);
  return server;
}

}  // namespace iotstream::bench
