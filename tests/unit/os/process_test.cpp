#include <array>
#include <filesystem>
#include <pthread.h>
#include <set>
#include <signal.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/wait.h>

#include <iotstream/os/clock.hpp>
#include <iotstream/os/disk.hpp>
#include <iotstream/os/process.hpp>

#include "support/temporary_directory.hpp"

using namespace iotstream;
using os::DirectoryLock;

TEST_CASE("a thread's name is kept to 15 bytes") {
  std::thread([] {
    os::name_thread("a name that is too long");
    std::array<char, 32> name{};
    REQUIRE(pthread_getname_np(pthread_self(), name.data(), name.size()) == 0);
    CHECK(std::string(name.data()) == "a name that is ");
  }).join();
}

TEST_CASE("this process uses memory, time, threads and files") {
  const auto before = os::process_usage();
  CHECK(before.rss_bytes > 100'000);
  CHECK(before.rss_bytes_max >= before.rss_bytes);
  CHECK(before.cpu_seconds > 0);
  CHECK(before.threads >= 1);
  const test::TemporaryDirectory directory;
  const auto file = os::real_disk().open(directory / "a", os::OpenMode::create);
  CHECK(os::process_usage().open_files == before.open_files + 1);
}

TEST_CASE("this machine has a processor, memory and a kernel") {
  const auto machine = os::machine();
  CHECK_FALSE(machine.processor.empty());
  CHECK(machine.cores >= 1);
  CHECK(machine.memory_bytes > 1'000'000);
  CHECK(machine.kernel.starts_with("Linux "));
}

TEST_CASE("the share of stolen time is that between two looks") {
  CHECK(os::steal_percent({1000, 10}, {1200, 30}) == 10.0);
  CHECK(os::steal_percent({1000, 10}, {1000, 10}) == 0.0);
  CHECK(os::steal_percent({1000, 10}, {900, 5}) == 0.0);
  const auto times = os::cpu_times();
  CHECK(times.total > 0);
  CHECK(times.steal <= times.total);
}

TEST_CASE("a data directory is held by one, who is named to the other") {
  const test::TemporaryDirectory directory;
  auto lock = DirectoryLock::acquire(directory.path());
  REQUIRE(lock.ok());
  const auto second = DirectoryLock::acquire(directory.path());
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().kind == ErrorKind::conflict);
  CHECK(second.error().message.find("process " + std::to_string(::getpid())) != std::string::npos);
  CHECK(second.error().message.find(directory.path()) != std::string::npos);
  lock.value().reset();
  CHECK(DirectoryLock::acquire(directory.path()).ok());
}

TEST_CASE("readers share a lock, keep writers out, and are kept out by them; they write nothing") {
  const test::TemporaryDirectory directory;
  // Where nobody ever locked there is no file, and none is made.
  REQUIRE(DirectoryLock::acquire_shared(directory.path()).ok());
  CHECK_FALSE(std::filesystem::exists(directory / "LOCK"));
  auto writer = DirectoryLock::acquire(directory.path());
  REQUIRE(writer.ok());
  const auto refused = DirectoryLock::acquire_shared(directory.path());
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == ErrorKind::conflict);
  CHECK(refused.error().message.find("process " + std::to_string(::getpid())) != std::string::npos);
  writer.value().reset();
  const auto written = std::filesystem::last_write_time(directory / "LOCK");
  auto one = DirectoryLock::acquire_shared(directory.path());
  auto two = DirectoryLock::acquire_shared(directory.path());
  REQUIRE(one.ok());
  REQUIRE(two.ok());
  CHECK(std::filesystem::last_write_time(directory / "LOCK") == written);
  const auto kept_out = DirectoryLock::acquire(directory.path());
  REQUIRE_FALSE(kept_out.ok());
  CHECK(kept_out.error().message.find("is being read by another process") != std::string::npos);
  one.value().reset();
  two.value().reset();
  CHECK(DirectoryLock::acquire(directory.path()).ok());
}

TEST_CASE("the lock falls with the process that held it") {
  const test::TemporaryDirectory directory;
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = DirectoryLock::acquire(directory.path());
    const char held = lock.ok() ? 'y' : 'n';
    if (::write(pipe[1], &held, 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char held = 'n';
  REQUIRE(::read(pipe[0], &held, 1) == 1);
  REQUIRE(held == 'y');
  const auto refused = DirectoryLock::acquire(directory.path());
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.find("process " + std::to_string(child)) != std::string::npos);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(DirectoryLock::acquire(directory.path()).ok());
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST_CASE("a directory that is not there cannot be locked") {
  CHECK(DirectoryLock::acquire("/nowhere/at/all").error().kind == ErrorKind::not_found);
}

TEST_CASE("stop signals are waited for, and a closed pipe is an error and not the end") {
  const pid_t child = ::fork();
  if (child == 0) {
    os::block_stop_signals();
    std::array<int, 2> pipe{};
    if (::pipe(pipe.data()) != 0) ::_exit(10);
    ::close(pipe[0]);
    if (::write(pipe[1], "x", 1) != -1 || errno != EPIPE) ::_exit(11);
    ::kill(::getpid(), SIGTERM);
    if (os::wait_for_stop_signal() != SIGTERM) ::_exit(12);
    ::kill(::getpid(), SIGINT);
    ::_exit(os::wait_for_stop_signal() == SIGINT ? 0 : 13);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("random bytes have the length asked for and do not repeat") {
  CHECK(os::random_bytes(0).empty());
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(os::random_bytes(16));
  CHECK(seen.size() == 100);
  CHECK(os::random_bytes(100'000).size() == 100'000);
}

TEST_CASE("the system's clocks run, the manual one when told") {
  os::Clock& clock = os::system_clock();
  CHECK(clock.now().us > 1'700'000'000'000'000);
  const auto before = clock.monotonic_ns();
  CHECK(clock.monotonic_ns() >= before);
  os::ManualClock manual({5});
  manual.advance(Duration::milliseconds(1));
  CHECK(manual.now() == Timestamp{1005});
  CHECK(manual.monotonic_ns() == 1'005'000);
  manual.jump(Duration{-700});
  CHECK(manual.now() == Timestamp{305});
  CHECK(manual.monotonic_ns() == 1'005'000);
}
