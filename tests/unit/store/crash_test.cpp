// Exactly once: whatever stops the writer, wherever, history is the log.
#include <csignal>
#include <random>
#include <thread>
#include <unistd.h>

#include <sys/wait.h>

#include "support/random.hpp"
#include "unit/store/history_fixture.hpp"
#include "unit/store/rollups.hpp"

namespace iotstream::store::test {

using V = OwnedValue;

namespace {

/// The same records in the log of every process that calls it with the same seed.
void fill(HistoryFixture& f, unsigned seed, int count) {
  std::mt19937 random(seed);
  for (int i = 0; i < count; ++i) {
    Members members{{"i", V::of(i)}, {"x", V::of(static_cast<double>(random()) / 7)}};
    if (i > count / 2) members.emplace_back("late", random() % 2 == 0 ? V::of("text") : V::of(true));
    f.send(i % 3 == 0 ? "a" : "b", static_cast<std::int64_t>(random() % 1'000'000), "d" + std::to_string(random() % 9), members,
           2);
  }
}

/// Runs a history on the directory in a process of its own and kills it after `life`.
void run_and_kill(HistoryFixture& f, std::chrono::microseconds life) {
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(ready[0]);
    auto opened = History::open(f.directory, f.options, f.log, f.schemas, f.clock, f.metrics);
    const char answer = opened.ok() ? 'y' : 'n';
    if (::write(ready[1], &answer, 1) != 1) ::_exit(3);
    for (;;) ::pause();
  }
  ::close(ready[1]);
  char answer = 0;
  const auto got = ::read(ready[0], &answer, 1);
  std::this_thread::sleep_for(life);  // the moment of the kill is what is random here
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  REQUIRE(got == 1);
  REQUIRE(answer == 'y');
}

}  // namespace

// element-hq/dendrite, issue 300: a consumer's offset was written and its rows were not, or the other way round, and after a
// crash events were missing or doubled. Here both are one transaction: after any kill there are as many rows as offsets, each
// once.
TEST_CASE("a process killed at any moment leaves rows and offsets that agree, and the next goes on there") {
  IOTSTREAM_SEEDED(seeds);
  const auto seed = static_cast<unsigned>(seeds());
  std::mt19937 random(seed);
  HistoryFixture f;
  fill(f, seed, 30'000);
  for (int i = 0; i < 15; ++i) {
    run_and_kill(f, std::chrono::microseconds(random() % 20'000));
    // After every kill: as many rows as offsets consumed, each offset once.
    const std::string tables = f.sql("SELECT count(*) FROM datasets");
    if (tables != "2") continue;
    for (const char* const name : {"a", "b"}) {
      const std::string rows =
          f.sql(std::string("SELECT count(*) || ' ' || count(DISTINCT partition || '/' || \"offset\") FROM events_") + name);
      const std::string next =
          f.sql(std::string("SELECT sum(next) || ' ' || sum(next) FROM offsets JOIN datasets ON dataset = id "
                            "WHERE name = '") +
                name + "'");
      CHECK(rows == next);
      CHECK(f.sql(std::string("SELECT count(*) || ' ' || count(*) FROM events_") + name) == rows);
      CHECK(f.sql(std::string("SELECT events FROM datasets WHERE name = '") + name + "'") == rows.substr(0, rows.find(' ')));
    }
  }
  f.open();
  f.drain();
  f.check_equals_log("a");
  f.check_equals_log("b");
  CHECK(f.sql("PRAGMA integrity_check") == "ok");
  check_rollups(f, "a");
  check_rollups(f, "b");
}

TEST_CASE("a history stopped and opened again and again while records arrive is the log") {
  IOTSTREAM_SEEDED(seeds);
  const auto seed = static_cast<unsigned>(seeds());
  std::mt19937 random(seed);
  HistoryFixture f;
  for (int round = 0; round < 12; ++round) {
    f.open();
    fill(f, seed + static_cast<unsigned>(round), static_cast<int>(random() % 300));
    if (random() % 2 == 0) f.drain();
    f.history.reset();
  }
  f.open();
  f.drain();
  if (f.log.find("a") != nullptr) f.check_equals_log("a");
  if (f.log.find("b") != nullptr) f.check_equals_log("b");
}

}  // namespace iotstream::store::test
