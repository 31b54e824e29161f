#include <random>

#include <catch2/catch.hpp>

#include <iotstream/query/filter.hpp>

#include "support/random.hpp"

using namespace iotstream;
using namespace iotstream::query;

namespace {

std::string plain(std::string_view text) {
  const Parsed parsed = parse(text);
  if (!parsed.filter) return "! " + parsed.problem.text();
  return to_text(*parsed.filter);
}

bool same(const Node& a, const Node& b) {
  if (a.kind != b.kind || a.field != b.field || a.children.size() != b.children.size() ||
      a.literals.size() != b.literals.size())
    return false;
  if (a.kind == Node::Kind::test && a.op != b.op) return false;
  for (std::size_t i = 0; i != a.literals.size(); ++i)
    if (a.literals[i].text != b.literals[i].text || a.literals[i].quoted != b.literals[i].quoted) return false;
  for (std::size_t i = 0; i != a.children.size(); ++i)
    if (!same(a.children[i], b.children[i])) return false;
  return true;
}

}  // namespace

TEST_CASE("filters are read and written in their plainest form") {
  CHECK(plain("") == "");
  CHECK(plain("  \n ") == "");
  CHECK(plain("oil_temperature > 95 and gear = 126 and device in ('a',\"b\", c)") ==
        "oil_temperature > 95 and gear = 126 and device in ('a', 'b', c)");
  CHECK(plain("a==1 OR b<>2") == "a = 1 or b != 2");
  CHECK(plain("a=1 or b=2 and c=3") == "a = 1 or (b = 2 and c = 3)");
  CHECK(plain("(a=1 or b=2) and c=3") == "(a = 1 or b = 2) and c = 3");
  CHECK(plain("not a = 1 and b = 2") == "not a = 1 and b = 2");
  CHECK(plain("not (a = 1 and b = 2)") == "not (a = 1 and b = 2)");
  CHECK(plain("a between 1 and 5 and b = 2") == "(a >= 1 and a <= 5) and b = 2");
  CHECK(plain("a not in (1)") == "not a in (1)");
  CHECK(plain("a not between 1 and 2") == "not (a >= 1 and a <= 2)");
  CHECK(plain("a Starts With x and b ENDS WITH 'y' and c contains z") ==
        "a starts with x and b ends with 'y' and c contains z");
  CHECK(plain("a exists and b missing") == "a exists and not b exists");
  CHECK(plain("\"Speed (OBD)(km/h)\" >= 50") == "\"Speed (OBD)(km/h)\" >= 50");
  CHECK(plain("\"and\" = 1") == "\"and\" = 1");
  CHECK(plain("time >= -15m and time < 2024-03-05T06:00:00Z") == "time >= -15m and time < 2024-03-05T06:00:00Z");
  CHECK(plain("engine.oil.temp<1e-3") == "engine.oil.temp < 1e-3");
  CHECK(plain("größe = 'ß😀'") == "größe = 'ß😀'");
}

TEST_CASE("a quote is written twice inside of itself, in every kind of quote") {
  const Parsed parsed = parse("'it''s' = \"say \"\"yes\"\"\" and `b` = 'x\"y'");
  REQUIRE(parsed.filter);
  const Node& all = *parsed.filter->root;
  CHECK(all.children[0].field == "it's");
  CHECK(all.children[0].literals[0].text == "say \"yes\"");
  CHECK(all.children[1].field == "b");
  CHECK(all.children[1].literals[0].text == "x\"y");
}

TEST_CASE("what is wrong is told with its place and what could stand there") {
  struct Case {
    const char* text;
    Span span;
    const char* expected;
  };
  for (const Case& c :
       {Case{"a >", {3, 0}, "value"}, Case{"a 5", {2, 1}, "="}, Case{"a = 1 b = 2", {6, 1}, "and"}, Case{"(a = 1", {6, 0}, ")"},
        Case{"a in 1", {5, 1}, "("}, Case{"a in (1 2)", {8, 1}, ","}, Case{"a starts 1", {9, 1}, "with"},
        Case{"a between 1 or 2", {12, 2}, "and"}, Case{"and a = 1", {0, 3}, "field"}, Case{"a = 1 and", {9, 0}, "field"},
        Case{"größe ! 1", {6, 1}, nullptr}, Case{"ä = 'open", {4, 5}, nullptr}, Case{"a not exists", {6, 6}, "in"}}) {
    CAPTURE(c.text);
    const Parsed parsed = parse(c.text);
    REQUIRE_FALSE(parsed.filter);
    CHECK(parsed.problem.span == c.span);
    CHECK_FALSE(parsed.problem.message.empty());
    const auto& expected = parsed.problem.expected;
    if (c.expected != nullptr) CHECK(std::find(expected.begin(), expected.end(), c.expected) != expected.end());
  }
  CHECK(parse("a = 1 und b = 2").problem.text() == "at character 7: 'und' is not expected here; expected: and, or, or the end");
}

TEST_CASE("size, depth and number of values are bounded") {
  CHECK_FALSE(parse(std::string(filter_size_max + 1, ' ')).filter);
  std::string deep;
  for (unsigned i = 0; i != filter_depth_max - 1; ++i) deep += "(";
  CHECK(parse(deep + "a=1" + std::string(filter_depth_max - 1, ')')).filter);
  CHECK_FALSE(parse(deep + "(a=1)" + std::string(filter_depth_max - 1, ')')).filter);
  std::string nots;
  for (int i = 0; i != 4000; ++i) nots += "not ";
  CHECK_FALSE(parse(nots + "a=1").filter);
  std::string many = "a in (0";
  for (std::size_t i = 1; i != filter_literals_max; ++i) many += ",1";
  CHECK(parse(many + ")").filter);
  CHECK_FALSE(parse(many + ",1)").filter);
}

TEST_CASE("any text is read without harm, and what was read comes back as the same tree") {
  const std::uint64_t seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  static constexpr const char* pieces[] = {"a",       "b.c",      "\"x y\"", "'",    "\"", "`", "(",   ")",
                                           ",",       "=",        "!=",      "<",    ">=", " ", "and", "or",
                                           "not",     "in",       "between", "1",    "-5", "é", "😀",   "exists",
                                           "missing", "contains", "starts",  "with", "\n", "!", "--",  ";drop"};
  int good = 0;
  for (int round = 0; round != 20'000; ++round) {
    std::string text;
    for (auto n = random() % 14; n != 0; --n) {
      text += pieces[random() % std::size(pieces)];
      if (random() % 2 == 0) text += ' ';
    }
    const Parsed parsed = parse(text);
    if (!parsed.filter) {
      CHECK_FALSE(parsed.problem.message.empty());
      continue;
    }
    ++good;
    const Parsed again = parse(to_text(*parsed.filter));
    CAPTURE(text, to_text(*parsed.filter));
    REQUIRE(again.filter);
    CHECK(parsed.filter->root.has_value() == again.filter->root.has_value());
    if (parsed.filter->root) CHECK(same(*parsed.filter->root, *again.filter->root));
  }
  CHECK(good > 100);
}

TEST_CASE("random bytes are read without harm, in bounded time") {
  const std::uint64_t seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  static constexpr std::string_view likely = " ()'\"`,=<>!andornti05.-\n";
  for (int round = 0; round != 20'000; ++round) {
    std::string text;
    for (auto n = random() % (round % 100 == 0 ? 20'000 : 60); n != 0; --n) {
      const auto byte = random();
      text += byte % 3 == 0 ? static_cast<char>(byte >> 8) : likely[(byte >> 8) % likely.size()];
    }
    const Parsed parsed = parse(text);
    if (!parsed.filter) {
      CHECK_FALSE(parsed.problem.message.empty());
      CHECK(parsed.problem.span.position <= text.size());
    } else {
      REQUIRE(parse(to_text(*parsed.filter)).filter);
    }
  }
}
