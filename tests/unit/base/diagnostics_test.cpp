#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <unistd.h>

#include <catch2/catch.hpp>

#include <iotstream/base/diagnostics.hpp>

#include "support/temporary_directory.hpp"

using namespace iotstream;

namespace {

/// What `speak` prints on stderr.
template <class Speak>
std::string printed(Speak speak) {
  const test::TemporaryDirectory directory;
  const std::string path = directory / "stderr";
  std::fflush(stderr);
  const int before = ::dup(STDERR_FILENO);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT, 0600);
  REQUIRE(::dup2(file, STDERR_FILENO) >= 0);
  speak();
  std::fflush(stderr);
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  ::close(file);
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

struct LevelGuard {
  ~LevelGuard() { diagnostics::set_level(diagnostics::Level::info); }
};

}  // namespace

TEST_CASE("a line has time, level, room and message") {
  const std::string line = printed([] { diagnostics::warning("log", "partition {} is {}", 3, "full"); });
  CHECK(std::regex_match(line, std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warning log: partition 3 is full\n)")));
}

TEST_CASE("a message cannot forge a line or drive a terminal") {
  const std::string line =
      printed([] { diagnostics::info("net", "{}", std::string_view("a\nb\x1b[31m\x7f\0\xc2\x9b\xff é", 17)); });
  CHECK(line.find("net: a\\nb\\x1b[31m\\x7f\\x00\\xc2\\x9b\\xff é") != std::string::npos);
  CHECK(std::count(line.begin(), line.end(), '\n') == 1);
}

TEST_CASE("braces in a message are only text") {
  CHECK(printed([] { diagnostics::write(diagnostics::Level::info, "x", "{} {0:d}"); }).find("x: {} {0:d}\n") !=
        std::string::npos);
}

TEST_CASE("messages below the level are not printed") {
  const LevelGuard guard;
  CHECK(printed([] { diagnostics::debug("x", "hidden"); }).empty());
  REQUIRE(diagnostics::set_level("debug"));
  CHECK_FALSE(printed([] { diagnostics::debug("x", "shown"); }).empty());
  REQUIRE(diagnostics::set_level("error"));
  CHECK(printed([] { diagnostics::warning("x", "hidden"); }).empty());
  CHECK_FALSE(printed([] { diagnostics::error("x", "shown"); }).empty());
  REQUIRE(diagnostics::set_level("off"));
  CHECK(printed([] { diagnostics::error("x", "hidden"); }).empty());
  CHECK_FALSE(diagnostics::set_level("loud"));
  CHECK_FALSE(diagnostics::enabled(diagnostics::Level::error));
}
