// Clocks that jump: forwards by years, backwards by hours, and at the ends of what clocks can say.
#include <limits>

#include "hand_driven.hpp"
#include "log/retention_clock.hpp"
#include "support/random.hpp"

using namespace iotstream;
using namespace iotstream::log;
using iotstream::log::test::HandDriven;
using iotstream::log::test::LogFixture;

namespace {

constexpr Duration day = Duration::seconds(86'400);
constexpr Duration hour = Duration::seconds(3'600);
constexpr Duration ten_years{day.us * 3'653};

/// A week of records, one an hour, kept for a week.
void week(HandDriven& h) {
  h.options.topic_defaults.retention_age = {7 * day.us};
  h.create();
  for (int i = 0; i != 7 * 24; ++i) {
    h.put(i);
    h.clock.advance(hour);
    h.topic->retain(h.clock.now());
  }
  REQUIRE(h.partition().watermarks().earliest == Offset(0));
}

std::uint64_t kept(HandDriven& h) {
  h.topic->retain(h.clock.now());
  const auto marks = h.partition().watermarks();
  return marks.durable - marks.earliest;
}

}  // namespace

TEST_CASE("append times and offsets go on whatever the clock does, to its ends and back") {
  HandDriven h;
  h.create();
  IOTSTREAM_SEEDED(random);
  // Before 1970, the end of 32-bit seconds in 2038, of 64-bit nanoseconds in 2262, the years 9999 and 200000.
  const std::int64_t places[] = {-1'000'000'000'000'000,  0,
                                 2'147'483'647'000'000,   2'147'483'648'000'000,
                                 9'223'372'036'854'776,   9'223'372'036'854'775,
                                 253'402'300'799'999'999, 6'000'000'000'000'000'000};
  std::int64_t last = std::numeric_limits<std::int64_t>::min();
  for (std::uint64_t i = 0; i != 200; ++i) {
    const std::int64_t place = places[random() % (i < 150 ? 6 : 8)];
    h.clock.jump(Timestamp{place} - h.clock.now());
    h.put(place);
    if (random() % 10 == 0) h.reopen();
    h.topic->retain(h.clock.now());
    const auto batch = h.partition().read(Offset(i), 1, Watermark::durable);
    REQUIRE(batch);
    REQUIRE(batch->records().size() == 1);
    CHECK(batch->records()[0].offset == Offset(i));
    CHECK(batch->records()[0].append_time.us >= last);
    last = batch->records()[0].append_time.us;
  }
}

TEST_CASE("event times at the ends of 64 bits are kept and found") {
  HandDriven h;
  h.create();
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  const std::int64_t times[] = {0, least, 5, most, -1, 2'147'483'648'000'000, least + 1};
  for (const std::int64_t time : times) h.put(time);
  for (int start = 0; start != 2; ++start) {
    CHECK(*h.partition().seek(Timestamp{least}) == Offset(0));
    CHECK(*h.partition().seek(Timestamp{1}) == Offset(2));
    CHECK(*h.partition().seek(Timestamp{6}) == Offset(3));
    CHECK(*h.partition().seek(Timestamp{most}) == Offset(3));
    const auto seen = LogFixture::read_all(h.partition());
    for (std::size_t i = 0; i != std::size(times); ++i) CHECK(seen.at(i).time_us == times[i]);
    h.reopen();
  }
}

TEST_CASE("the clock jumps ahead by ten years: what this process wrote is as old as it is") {
  HandDriven h;
  week(h);
  h.clock.jump(ten_years);
  h.put(0);
  CHECK(kept(h) == 7 * 24 + 1);
  // A day passes: a day's worth goes, as it would have without the jump, give or take a segment.
  h.clock.advance(day);
  const auto left = kept(h);
  CHECK(left <= 6 * 24 + 24);
  CHECK(left >= 6 * 24 - 24);
  h.clock.advance(Duration{8 * day.us});
  h.put(0);
  h.clock.advance(day);
  CHECK(kept(h) <= 2);
}

TEST_CASE("the clock jumps ahead by ten years, and the process is started again: there are hours to notice") {
  HandDriven h;
  week(h);
  h.clock.jump(ten_years);
  const bool has_written = GENERATE(false, true);
  if (has_written) h.put(0);
  h.reopen();
  CHECK(kept(h) >= 5 * 24);
  h.clock.advance(hour);
  CHECK(kept(h) >= 4 * 24);
  h.clock.jump(Duration{-ten_years.us});  // noticed, and set right
  const auto before = kept(h);
  h.clock.advance(hour);
  CHECK(kept(h) + 25 >= before);
}

TEST_CASE("the clock jumps back by an hour: nothing goes that would not have gone, and everything goes in its time") {
  HandDriven h;
  week(h);
  h.clock.jump(Duration{-hour.us});
  h.put(0);
  CHECK(kept(h) == 7 * 24 + 1);
  h.clock.advance(Duration{9 * day.us});
  h.put(0);
  CHECK(kept(h) <= 2);
}

TEST_CASE("a machine that was off for three weeks: what is overdue goes within two days, not at once") {
  HandDriven h;
  week(h);
  h.clock.jump(Duration{21 * day.us});
  h.reopen();
  h.put(0);
  CHECK(kept(h) > 5 * 24);
  std::uint64_t left = kept(h);
  for (int i = 0; i != 48; ++i) {
    h.clock.advance(hour);
    const auto now = kept(h);
    CHECK(left - now <= 40);  // a tenth of the age, an hour, and what segments round it up to
    left = now;
  }
  CHECK(left <= 25);
}

TEST_CASE("records from a future that was none do not stay for ever") {
  HandDriven h;
  h.options.topic_defaults.retention_age = {7 * day.us};
  h.create();
  h.clock.jump(ten_years);
  h.put(0);
  h.clock.jump(Duration{-ten_years.us});
  h.reopen();
  h.put(0);  // its append time cannot go back
  h.clock.advance(day);
  h.put(0);  // closes the segment
  CHECK(kept(h) == 3);
  h.clock.advance(Duration{8 * day.us});
  h.put(0);
  CHECK(kept(h) <= 2);
}

TEST_CASE("the present of retention: never ahead of the wall clock, never behind what passed") {
  IOTSTREAM_SEEDED(random);
  for (int round = 0; round != 200; ++round) {
    std::int64_t wall = static_cast<std::int64_t>(random() >> 12);
    std::int64_t monotonic = static_cast<std::int64_t>(random() >> 20);
    const std::int64_t newest = wall - static_cast<std::int64_t>(random() >> 14);
    const Duration age{static_cast<std::int64_t>(random() >> 20)};
    RetentionClock clock({wall}, monotonic, {newest});
    Duration last = clock.age_of(newest, 0);
    CHECK(last.us == 0);
    for (int step = 0; step != 50; ++step) {
      const auto passed = static_cast<std::int64_t>(random() >> 28);
      monotonic += passed * 1000;
      wall += passed;
      if (random() % 5 == 0) wall += static_cast<std::int64_t>(random() >> 14) - (std::int64_t{1} << 49);
      clock.look({wall}, monotonic, age);
      const Duration now = clock.age_of(newest, 0);
      CHECK(now.us + newest <= wall);
      CHECK((now.us + newest == wall || now.us >= last.us + passed));
      last = now;
    }
  }
}
