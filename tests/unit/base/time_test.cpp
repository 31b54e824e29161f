// Writing times, the API's times, durations and sizes.
#include <limits>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <iotstream/base/time.hpp>

#include "support/random.hpp"

using namespace iotstream;

TEST_CASE("times are written so that their texts sort as they do") {
  CHECK(format_rfc3339({0}) == "1970-01-01T00:00:00.000000Z");
  CHECK(format_rfc3339({1'645'598'067'403'000}) == "2022-02-23T06:34:27.403000Z");
  CHECK(format_rfc3339({-1}) == "1969-12-31T23:59:59.999999Z");
  CHECK(format_date_hour({1'645'598'067'403'000}) == "2022-02-23 06:34:27.403000");
}

TEST_CASE("years that have not four digits are written with a sign and six") {
  CHECK(format_rfc3339({253'402'300'800'000'000}) == "+010000-01-01T00:00:00.000000Z");
  CHECK(format_rfc3339({-62'167'219'200'000'001}) == "-000001-12-31T23:59:59.999999Z");
  CHECK(format_rfc3339({std::numeric_limits<std::int64_t>::max()}) == "+294247-01-10T04:00:54.775807Z");
  CHECK(format_rfc3339({std::numeric_limits<std::int64_t>::min()}) == "-290308-12-21T19:59:05.224192Z");
}

TEST_CASE("the API's times: now, distances from now, epoch µs, and every recorded form") {
  const Timestamp now{1'000'000'000'000'000};
  CHECK(parse_query_time("now", now).value() == now);
  CHECK(parse_query_time("-15m", now).value() == now - Duration::seconds(900));
  CHECK(parse_query_time("-2h", now).value() == now - Duration::seconds(7200));
  CHECK(parse_query_time("+5s", now).value() == now + Duration::seconds(5));
  CHECK(parse_query_time("now-15m", now).value() == now - Duration::seconds(900));
  CHECK(parse_query_time(" now+1.5s ", now).value() == now + Duration::milliseconds(1500));
  CHECK(parse_query_time("1645598067", now).value() == Timestamp{1'645'598'067});
  CHECK(parse_query_time("-5", now).value() == Timestamp{-5});
  CHECK(parse_query_time("2022-02-23T06:34:27Z", now).value() == Timestamp{1'645'598'067'000'000});
}

TEST_CASE("a whole number is the time that its text is") {
  for (const std::int64_t number :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1'600'000'000}, std::int64_t{1'600'000'000'000},
        std::int64_t{1'600'000'000'000'000}, std::int64_t{1'600'000'000'000'000'001}, std::int64_t{-62'167'219'201},
        std::int64_t{253'402'300'800}, INT64_MAX, INT64_MIN}) {
    INFO(number);
    CHECK(timestamp_from_epoch(number) == parse_timestamp(fmt::format("{}", number)));
  }
  CHECK(timestamp_from_epoch(1'600'000'000) == Timestamp{1'600'000'000'000'000});
}

TEST_CASE("the API refuses what is no time, and says how to write one") {
  const Timestamp now{0};
  for (const char* text :
       {"", "nowhere", "now5s", "now-", "now-5", "-", "-m", "-5x", "- 5s", "yesterday", "9223372036854775808"}) {
    CAPTURE(text);
    const auto time = parse_query_time(text, now);
    REQUIRE_FALSE(time.ok());
    CHECK(time.error().kind == ErrorKind::invalid);
    CHECK(time.error().message.find("2022-02-23T06:34:27Z") != std::string::npos);
  }
}

TEST_CASE("distances that leave the range of times are refused") {
  CHECK_FALSE(parse_query_time("-1us", {std::numeric_limits<std::int64_t>::min()}).ok());
  CHECK_FALSE(parse_query_time("+1us", {std::numeric_limits<std::int64_t>::max()}).ok());
}

TEST_CASE("durations are read exactly") {
  CHECK(parse_duration("100ms")->us == 100'000);
  CHECK(parse_duration("5us")->us == 5);
  CHECK(parse_duration("5µs")->us == 5);
  CHECK(parse_duration("1.5s")->us == 1'500'000);
  CHECK(parse_duration("0.1s")->us == 100'000);
  CHECK(parse_duration("15m")->us == 900'000'000);
  CHECK(parse_duration("1min")->us == 60'000'000);
  CHECK(parse_duration("2h")->us == 7'200'000'000);
  CHECK(parse_duration("7d")->us == 604'800'000'000);
  CHECK(parse_duration("1w")->us == 604'800'000'000);
  CHECK(parse_duration("1y")->us == 31'536'000'000'000);
  CHECK(parse_duration("0.000000001y")->us == 31'536);
  CHECK(parse_duration(" 5 s ")->us == 5'000'000);
  CHECK(parse_duration("0")->us == 0);
  CHECK(parse_duration("0s")->us == 0);
}

TEST_CASE("durations that are none are refused") {
  for (const char* text : {"", "5", "s", "-5s", "+5s", "5 minutes", "1.s", ".5s", "1..5s", "1.5us", "0.0001ms", "0.000000001d",
                           "1e3s", "5S", "ms5", "99999999999999999999s", "292472y", "1.0000000001s"}) {
    CAPTURE(text);
    CHECK(parse_duration(text).error().kind == ErrorKind::invalid);
  }
  CHECK(parse_duration("292471y").ok());
  CHECK(parse_duration("9223372036854775807us")->us == std::numeric_limits<std::int64_t>::max());
  CHECK_FALSE(parse_duration("9223372036854775808us").ok());
}

TEST_CASE("durations are written in the largest unit that divides them") {
  CHECK(format_duration(Duration::milliseconds(100)) == "100ms");
  CHECK(format_duration(Duration::seconds(900)) == "15min");
  CHECK(format_duration(Duration::seconds(7 * 86'400)) == "7d");
  CHECK(format_duration(Duration::seconds(365 * 86'400)) == "1y");
  CHECK(format_duration(Duration::milliseconds(1500)) == "1500ms");
  CHECK(format_duration({1}) == "1us");
  CHECK(format_duration({0}) == "0s");
  CHECK(format_duration(Duration::seconds(-60)) == "-1min");
  CHECK(format_duration({std::numeric_limits<std::int64_t>::min()}) == "-9223372036854775808us");
}

TEST_CASE("a duration that was written is read back") {
  IOTSTREAM_SEEDED(random);
  for (int round = 0; round < 10'000; ++round) {
    const Duration duration{test::between<std::int64_t>(random, 0, INT64_MAX) >> test::between(random, 0, 62)};
    CHECK(parse_duration(format_duration(duration)).value() == duration);
  }
}

TEST_CASE("sizes are read exactly") {
  CHECK(parse_size("64MiB").value() == 67'108'864);
  CHECK(parse_size("2GiB").value() == 2'147'483'648);
  CHECK(parse_size("512KiB").value() == 524'288);
  CHECK(parse_size("1.5KiB").value() == 1536);
  CHECK(parse_size("10MB").value() == 10'000'000);
  CHECK(parse_size("1kB").value() == 1000);
  CHECK(parse_size("7").value() == 7);
  CHECK(parse_size("7 B").value() == 7);
  CHECK(parse_size("18446744073709551615").value() == UINT64_MAX);
}

TEST_CASE("sizes that are none are refused") {
  for (const char* text :
       {"", "MiB", "-1", "1.5", "0.3KiB", "64 mib", "64M", "18446744073709551616", "16777216TiB", "1e6", "5 5"}) {
    CAPTURE(text);
    CHECK(parse_size(text).error().kind == ErrorKind::invalid);
  }
}

TEST_CASE("sizes are written for people") {
  CHECK(format_size(0) == "0 B");
  CHECK(format_size(1023) == "1023 B");
  CHECK(format_size(64u << 20) == "64 MiB");
  CHECK(format_size(3u << 29) == "1.5 GiB");
  CHECK(format_size((1u << 20) - 1) == "1 MiB");
  CHECK(format_size(UINT64_MAX) == "16 EiB");
}
