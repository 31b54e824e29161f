// Readings that look like the one before are read another way, and nothing of that shows: a gate that has seen the pattern
// takes, stores and refuses what a gate does that sees the reading first.
#include <fmt/format.h>

#include "support/random.hpp"
#include "unit/ingest/fixture.hpp"

using namespace iotstream;
using test::GateFixture;

namespace {

constexpr std::string_view pattern =
    R"({"device":"a","n":12,"x":-1.5,"on":true,"off":false,"no":null,"text":"plain text, more than a word","deep":{"y":1,"deeper":{"z":"é"}},"last":0})";

/// What became of one reading: how it is stored, or why it is not.
std::string told(GateFixture& fixture, std::string_view reading) {
  const std::size_t before = fixture.events("d").size();
  const auto result = fixture.submit("d", reading, ingest::BodyFormat::json);
  if (!result) return "refused: " + result.error().message;
  if (result->accepted == 0) return "rejected: " + result->errors.at(0).reason;
  std::string text;
  // Partition after partition: the last one of the device's is not the last of all.
  const auto all = fixture.events("d");
  REQUIRE(all.size() == before + 1);
  for (const std::string& event : all) text += event + "\n";
  return text;
}

/// The pattern first, so that its members and their order are known, and a schema that has every field.
std::string told_after_pattern(std::string_view reading) {
  GateFixture fixture;
  fixture.taken("d", pattern, ingest::BodyFormat::json);
  fixture.taken("d", pattern, ingest::BodyFormat::json);
  return told(fixture, reading);
}

/// The same rows before it, but members in another order as the last ones seen, so that nothing of the pattern is expected.
std::string told_after_others(std::string_view reading) {
  GateFixture fixture;
  fixture.taken("d", pattern, ingest::BodyFormat::json);
  fixture.taken("d", pattern, ingest::BodyFormat::json);
  // Refused at its last member, so that it leaves no row; those before have been looked at.
  constexpr std::string_view others = R"({"last":0,"deep":{"deeper":{"z":1},"y":1},"on":true,"n":1,"device":"a","x":01})";
  REQUIRE_FALSE(fixture.submit("d", others, ingest::BodyFormat::json).ok());
  return told(fixture, reading);
}

}  // namespace

TEST_CASE("a reading like the one before is stored as another one") {
  for (const std::string_view value : {"1",
                                       "-0",
                                       "0.5",
                                       "01",
                                       "1.",
                                       ".5",
                                       "1.5.2",
                                       "1e3",
                                       "1E+3",
                                       "-",
                                       "+1",
                                       "123456789012345678",
                                       "12345678901234567890",
                                       "0.1000000000000000055",
                                       "1 ",
                                       "\"\"",
                                       R"("a\"b")",
                                       R"("\u00e9")",
                                       "\"\xC3\xA9 and more than eight bytes\"",
                                       "\"\xC3\"",
                                       "\"\x80\"",
                                       "\"a\tb\"",
                                       "\"0123456\x01\"",
                                       "\"open",
                                       "true",
                                       "tru",
                                       "truex",
                                       "null",
                                       "nul",
                                       "{}",
                                       "[]",
                                       "[1,2]",
                                       R"({"new":1})",
                                       "",
                                       " 1",
                                       "  1",
                                       "NaN",
                                       R"("ab\ncdefghijklmnopq")",
                                       R"("ab\"cdefghijklmnopq")",
                                       R"("ab\qcdefghijklmnopq")",
                                       "\"ab\tcdefghijklmnopq\"",
                                       "\"ab\xC3 cdefghijklmnopq\"",
                                       "\"12345678\"",
                                       "\"1234567\"",
                                       "\"a\x7F\""}) {
    const std::string reading = fmt::format(R"({{"device":"a","n":12,"x":{},"on":true}})", value);
    INFO(reading);
    CHECK(told_after_pattern(reading) == told_after_others(reading));
    const std::string last = fmt::format(R"({{"device":"a","n":{}}})", value);
    INFO(last);
    CHECK(told_after_pattern(last) == told_after_others(last));
  }
}

TEST_CASE("what stands behind a reading like the one before is seen") {
  for (const std::string_view behind : {"x", "}", "{}", ",", "\"", "1"}) {
    const std::string reading = std::string(pattern) + std::string(behind);
    INFO(reading);
    CHECK(told_after_pattern(reading) == told_after_others(reading));
    CHECK(told_after_pattern(reading).starts_with("refused: "));
  }
}

TEST_CASE("a reading that resembles the one before, changed at random, is taken or refused as by itself") {
  const std::uint64_t seed = test::seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  constexpr std::string_view bytes = "{}[],:\"\\ 0123456789.-+eEtrufalsn\xC3\xA9\x01\n";
  for (int i = 0; i < 400; ++i) {
    std::string reading(pattern);
    for (std::size_t changes = 1 + random() % 3; changes > 0; --changes) {
      const std::size_t at = random() % reading.size();
      const char byte = bytes[random() % bytes.size()];
      if (random() % 3 == 0)
        reading.erase(at, 1 + random() % 4);
      else if (random() % 2 == 0)
        reading.insert(at, 1, byte);
      else
        reading[at] = byte;
      if (reading.empty()) reading = "{";
    }
    INFO(reading);
    CHECK(told_after_pattern(reading) == told_after_others(reading));
  }
}

TEST_CASE("members in blanks, doubled or nested are read as they are after their like") {
  GateFixture fixture;
  const std::string_view blanks = R"({"a": 1, "b": {"c": 2.5, "d": "x"}, "a": 3})";
  for (int i = 0; i < 3; ++i) fixture.taken("d", blanks);
  for (const std::string& event : fixture.events("d")) CHECK(event == R"({"a":3,"b.c":2.5,"b.d":"x"})");
}

TEST_CASE("a stream without a pattern is read, and one that finds its pattern again as well") {
  GateFixture fixture;
  std::string body;
  for (int i = 0; i < 300; ++i)
    body += i < 200 && i % 2 == 0 ? fmt::format("{{\"a\":{},\"b\":2}}\n", i) : fmt::format("{{\"b\":2,\"a\":{}}}\n", i);
  CHECK(fixture.taken("d", body, ingest::BodyFormat::ndjson).accepted == 300);
  CHECK(fixture.events("d").size() == 300);
}
