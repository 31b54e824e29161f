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

/// Stopped (SIGTERM, then SIGKILL) when it dies.
class ServerProcess {
 public:
  /// With the shipped configuration: the demonstration and its devices. Waits for the ready line. `overrides` are those of
  /// `--set`. Errors: unavailable when the process ends or says nothing for 30 s; not_found when the configuration is not here.
  static Result<std::unique_ptr<ServerProcess>> start(const std::string& data_dir,
                                                      const std::vector<std::string>& overrides = {});
  /// With an empty configuration, which it writes beside the data directory.
  static Result<std::unique_ptr<ServerProcess>> start_without_devices(const std::string& data_dir,
                                                                      const std::vector<std::string>& overrides = {});

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
  static Result<std::unique_ptr<ServerProcess>> execute(const std::string& data_dir, const std::vector<std::string>& overrides,
                                                        const std::string& config);
  std::unique_ptr<ChildProcess> process_;
  std::string url_;
  double start_ms_ = 0;
};

}  // namespace iotstream::bench
