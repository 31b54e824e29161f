// The real binary as a child process, on a temporary data directory and a free port.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <iotstream/base/result.hpp>

#include "bench/support/child_process.hpp"

namespace iotstream::bench {

/// A folder that is removed with all that is in it. Under TMPDIR or /tmp; where that is kept in memory, in the current folder,
/// since what is measured there is the disk.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// The configuration that is shipped: the demonstration, with its devices.
inline constexpr const char* shipped_config = "config/iotstream.toml";

/// Stopped (SIGTERM, then SIGKILL) when it dies.
class ServerProcess {
 public:
  /// Waits for the ready line. `overrides` are those of `--set`. Errors: unavailable when the process ends or says nothing for
  /// 30 s; not_found when the configuration is not there.
  static Result<std::unique_ptr<ServerProcess>> start(const std::string& data_dir,
                                                      const std::vector<std::string>& overrides = {},
                                                      const std::string& config = shipped_config);

  const std::string& url() const { return url_; }
  double start_ms() const { return start_ms_; }  ///< from fork to the ready line
  double rss_mib() const { return process_->rss_mib(); }
  double cpu_seconds() const { return process_->cpu_seconds(); }
  /// SIGTERM and wait; the exit status, or -1 when it had to be killed.
  int stop() { return process_->stop(); }
  /// SIGKILL and wait.
  void kill() { process_->kill(); }

 private:
  ServerProcess() = default;
  std::unique_ptr<ChildProcess> process_;
  std::string url_;
  double start_ms_ = 0;
};

}  // namespace iotstream::bench
