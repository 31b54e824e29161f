// How long a start takes after kill -9, of the log alone and of the whole program.
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>
#include <iotstream/net/client.hpp>

#include "bench/support/server_process.hpp"
#include "bench/support/timing.hpp"
#include "bench/system/log_stored.hpp"

namespace iotstream::bench {

namespace {

const std::vector<std::byte>& value() {
  static const std::vector<std::byte> bytes(record_size - record_key.size(), std::byte{1});
  return bytes;
}

/// In a process of its own: opens, says to `output` after how many ms a record was durable, appends 100,000 records a second
/// until it is killed.
void live(const std::string& directory, int output) {
  // That the torn tail is put aside is what is measured, not news.
  diagnostics::set_level(diagnostics::Level::error);
  const std::int64_t begin_ns = now_ns();
  auto log = OwnLog::open(directory);
  auto partition = log ? (*log)->partition(stored_topic, log::Sync::batch) : Result<log::Partition*>(log.error());
  if (!partition) ::_exit(1);
  std::uint64_t next = (*partition)->watermarks().written.value;
  if (!append(**partition, stored_time(next++), value())) ::_exit(1);
  if (!wait_for(**partition, log::Watermark::durable, Offset(next))) ::_exit(1);
  const double ms = seconds_since(begin_ns) * 1e3;
  if (::write(output, &ms, sizeof ms) != sizeof ms) ::_exit(1);
  for (;;) {
    for (int i = 0; i != 1000; ++i)
      if (!append(**partition, stored_time(next++), value())) ::_exit(1);
    sleep_for_ms(10);
  }
}

/// One life of the log: the time of its start; killed after `life_ms`.
Result<double> start_of_log(const std::string& directory, std::int64_t life_ms) {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return Error{ErrorKind::io, "no pipe could be made"};
  auto process = ChildProcess::fork([&] { live(directory, pipe[1]); });
  ::close(pipe[1]);
  double ms = 0;
  pollfd waiting{pipe[0], POLLIN, 0};
  const bool said = process && ::poll(&waiting, 1, 60'000) == 1 && ::read(pipe[0], &ms, sizeof ms) == sizeof ms;
  ::close(pipe[0]);
  if (!process) return process.error();
  if (!said) return Error{ErrorKind::unavailable, "the log did not open again after kill -9"};
  sleep_for_ms(life_ms);
  (*process)->kill();
  return ms;
}

/// One life of the whole program: the time of its start; killed after readings have come in for `life_ms`.
Result<double> start_of_program(const std::string& data_dir, std::int64_t life_ms) {
  auto server = ServerProcess::start_without_devices(data_dir);
  if (!server) return server.error();
  auto client = net::Client::create((*server)->url());
  if (!client) return client.error();
  std::string lines;
  for (int device = 0; device != 500; ++device)
    lines += fmt::format("{{\"code\":\"device-{}\",\"value\":{}}}\n", device, device);
  for (const std::int64_t end_ns = now_ns() + life_ms * 1'000'000; now_ns() < end_ns;) {
    auto answer = (*client)->request(net::Method::post, "/api/v1/datasets/load/events", lines,
                                     {{"Content-Type", "application/x-ndjson"}});
    if (!answer) return answer.error();
    if (answer->status != 200)
      return Error{ErrorKind::unavailable, fmt::format("readings were answered {}: {}", answer->status, answer->body)};
  }
  (*server)->kill();
  return (*server)->start_ms();
}

}  // namespace

Status fill_stored(const std::string& directory, std::uint64_t bytes) {
  auto log = OwnLog::open(directory);
  if (!log) return log.error();
  auto partition = (*log)->partition(stored_topic, log::Sync::batch);
  if (!partition) return partition.error();
  std::uint64_t next = (*partition)->watermarks().written.value;
  while ((*partition)->status().bytes < bytes)
    for (int i = 0; i != 4096; ++i)
      if (auto offset = append(**partition, stored_time(next++), value()); !offset) return offset.error();
  return (*log)->log().close();
}

Result<Starts> starts_after_kill(const std::string& data_dir, std::uint64_t rounds, std::int64_t life_ms) {
  Starts starts;
  // The first start of each follows no kill of its own kind: it does not count.
  for (std::uint64_t round = 0; round <= rounds; ++round) {
    auto ms = start_of_log(data_dir + "/log", life_ms);
    if (!ms) return ms.error();
    if (round > 0) starts.log_ms.push_back(*ms);
  }
  for (std::uint64_t round = 0; round <= rounds; ++round) {
    auto ms = start_of_program(data_dir, life_ms);
    if (!ms) return ms.error();
    if (round > 0) starts.program_ms.push_back(*ms);
  }
  return starts;
}

}  // namespace iotstream::bench
