// The real binary as a child process, on a temporary data directory and a free port.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include <iotstream/base/result.hpp>

namespace iotstream::bench {

/// A folder that is removed with all that is in it.
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

/// Started with the shipped configuration; stopped (SIGTERM, then SIGKILL) when it dies.
class ServerProcess {
 public:
  /// Waits for the ready line. Errors: unavailable when the process ends or says nothing for 30 s.
  static Result<std::unique_ptr<ServerProcess>> start(const std::string& data_dir,
                                                      const std::vector<std::string>& overrides = {});
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  const std::string& url() const { return url_; }
  double start_ms() const { return start_ms_; }  ///< from fork to the ready line
  double rss_mib() const;
  double cpu_seconds() const;
  /// SIGTERM and wait; the exit status, or -1 when it had to be killed.
  int stop();

 private:
  ServerProcess() = default;
  pid_t pid_ = -1;
  std::string url_;
  double start_ms_ = 0;
};

}  // namespace iotstream::bench
