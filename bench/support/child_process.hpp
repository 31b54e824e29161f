// A process that the benchmark starts and ends: the real binary, a peer, or a part of the benchmark that is to be killed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include <iotstream/base/result.hpp>

namespace iotstream::bench {

/// Ended when it dies, and killed with the thread that started it, however that ends. Its members are used from that thread.
class ChildProcess {
 public:
  /// Executes `program` (a path) with `arguments`, the first of which is its name. Its standard output goes to the descriptor
  /// `output`, or nowhere together with standard error when that is -1. Errors: io. That the program could not be executed
  /// shows in exit status 127.
  static Result<std::unique_ptr<ChildProcess>> execute(const std::string& program, std::vector<std::string> arguments,
                                                       int output);
  /// Runs `body` in a copy of this process, which must have no other thread, and ends it without destructors.
  static Result<std::unique_ptr<ChildProcess>> fork(const std::function<void()>& body);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  double rss_mib() const;
  double cpu_seconds() const;  ///< of all its threads, so far
  /// SIGTERM and wait; the exit status, or -1 when it had to be killed after 10 s or was killed.
  int stop();
  /// SIGKILL and wait.
  void kill();

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

/// The path of `program` in the directories of PATH and in /usr/sbin, where servers are; empty when it is not installed.
std::string find_program(const std::string& program);
/// A port of 127.0.0.1 that was free a moment ago; 0 when there is none.
std::uint16_t free_port();

}  // namespace iotstream::bench
