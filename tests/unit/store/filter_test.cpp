// Filters asked of SQLite against the same filters tested in memory, event by event.
#include <random>

#include "store/event_scan.hpp"
#include "store/filter_sql.hpp"
#include "support/random.hpp"
#include "unit/store/history_fixture.hpp"

namespace iotstream::store::test {

using V = OwnedValue;
using iotstream::test::between;

namespace {

constexpr std::int64_t beyond_double = 9'007'199'254'740'993;  // 2^53 + 1

template <class T, std::size_t N>
const T& one_of(std::mt19937_64& random, const T (&choices)[N]) {
  return choices[random() % N];
}

/// Values of every class, among them those that compare in surprising ways.
OwnedValue any_value(std::mt19937_64& random) {
  switch (random() % 10) {
    case 0:
    case 1:
      return V::of(between(random, -3, 3));
    case 2:
      return V::of(beyond_double - between<std::int64_t>(random, 0, 2));
    case 3:
      return V::of(static_cast<double>(between(random, -6, 6)) / 2);
    case 4:
      return V::of(random() % 2 == 0);
    case 5:
      return V::decimal(random() % 2 == 0 ? "1e400" : "0.1000000000000000055");
    case 6:
      return V::json(random() % 2 == 0 ? "[1]" : "{\"a\":2}");
    case 7:
      return V::null();
    default: {
      static const std::string texts[] = {"",    "1", "-1.5", "Eco mode", "eco", "ÉCO", "a'b\"c", "😀", std::string("n\0l", 3),
                                          "true"};
      return V::of(one_of(random, texts));
    }
  }
}

const std::vector<std::string>& field_names() {
  static const std::vector<std::string> names = {
      "a", "A", "two words", "it's \"quoted\"", "drop table events_1; --", "😀", "time ", std::string(1000, 'n')};
  return names;
}

std::string in_quotes(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    out += c;
    if (c == quote) out += c;
  }
  return out + quote;
}

std::string any_literal(std::mt19937_64& random) {
  static const std::string literals[] = {"0",
                                         "1",
                                         "-1",
                                         "2.5",
                                         "-1.5",
                                         "1e3",
                                         "9007199254740993",
                                         "9007199254740992.0",
                                         "true",
                                         "false",
                                         "''",
                                         "'1'",
                                         "'eco'",
                                         "eco",
                                         "'O M'",
                                         "'é'",
                                         "'😀'",
                                         "'\"'",
                                         "1e999",
                                         "-9223372036854775808",
                                         "9223372036854775808"};
  return one_of(random, literals);
}

std::string any_test(std::mt19937_64& random) {
  static const std::string compares[] = {" = ", " != ", " < ", " <= ", " > ", " >= "};
  static const std::string matches[] = {" contains ", " starts with ", " ends with "};
  switch (random() % 8) {
    case 0:
      return "time" + one_of(random, compares) + std::to_string(between(random, 0, 40));
    case 1:
      return (random() % 2 == 0 ? "_offset" : "_partition") + one_of(random, compares) + std::to_string(between(random, 0, 30));
    case 2:
      return "device" + one_of(random, compares) + "'d" + std::to_string(between(random, 0, 5)) + "'";
    case 3:
      return "device" + one_of(random, matches) + "'D" + std::to_string(between(random, 0, 5)) + "'";
    default:
      break;
  }
  const std::string field = in_quotes(field_names()[random() % field_names().size()], '"');
  switch (random() % 6) {
    case 0:
      return field + one_of(random, matches) + any_literal(random);
    case 1:
      return field + (random() % 2 == 0 ? " exists" : " missing");
    case 2:
      return field + (random() % 2 == 0 ? " not in (" : " in (") + any_literal(random) + ", " + any_literal(random) + ")";
    case 3:
      return field + " between " + any_literal(random) + " and " + any_literal(random);
    default:
      return field + one_of(random, compares) + any_literal(random);
  }
}

std::string any_filter(std::mt19937_64& random, int depth) {
  if (depth == 0 || random() % 4 == 0) return any_test(random);
  std::string text = random() % 4 == 0 ? "not (" : "(";
  text += any_filter(random, depth - 1);
  for (auto more = random() % 3; more != 0; --more) {
    text += (random() % 2 == 0 ? ") and (" : ") or (") + any_filter(random, depth - 1);
  }
  return text + ")";
}

std::shared_ptr<const query::Bound> compiled(HistoryFixture& f, const std::string& text) {
  const query::Scope scope{*f.schemas.current("1"), {}, f.clock.now()};
  auto bound = query::compile(text, scope);
  if (!bound) FAIL(text << ": " << bound.error().message);
  return std::make_shared<const query::Bound>(std::move(*bound));
}

/// The events that pass in memory, in history's order.
std::vector<OwnedEvent> passing(HistoryFixture& f, const query::Bound& filter) {
  std::vector<OwnedEvent> result;
  EventQuery all;
  all.dataset = "1";
  all.newest_first = false;
  all.limit = 1'000'000;
  const auto page = f.history->events(all, [&](const Event& event) {
    if (filter.matches(Seen(event))) result.emplace_back(event);
    return true;
  });
  REQUIRE(page.ok());
  return result;
}

std::vector<OwnedEvent> found(HistoryFixture& f, std::shared_ptr<const query::Bound> filter) {
  EventQuery query;
  query.dataset = "1";
  query.newest_first = false;
  query.limit = 1'000'000;
  query.where = std::move(filter);
  return f.read(query);
}

void check_filter(HistoryFixture& f, const std::string& text, std::size_t& chosen) {
  const auto filter = compiled(f, text);
  const std::vector<OwnedEvent> wanted = passing(f, *filter);
  const std::vector<OwnedEvent> by_sql = found(f, filter);
  chosen += wanted.size();
  if (by_sql == wanted) return;
  FAIL_CHECK("'" << text << "' finds " << by_sql.size() << " events, in memory " << wanted.size());
}

}  // namespace

TEST_CASE("SQLite finds the events that pass in memory, whatever the data and the filter") {
  IOTSTREAM_SEEDED(random);
  HistoryFixture f;
  f.open();
  for (int i = 0; i < 400; ++i) {
    Members members;
    for (const std::string& name : field_names()) {
      if (random() % 4 != 0) members.emplace_back(name, any_value(random));
    }
    f.send("1", between(random, 0, 40), "d" + std::to_string(random() % 6), members, 2);
  }
  f.drain();
  std::size_t chosen = 0;
  for (int i = 0; i < 1500; ++i) check_filter(f, any_filter(random, between(random, 0, 4)), chosen);
  CHECK(chosen > 10'000);
}

TEST_CASE("fields without a column of their own are tested in memory, and only they") {
  IOTSTREAM_SEEDED(random);
  HistoryFixture f;
  f.open();
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < column_fields_max + 3; ++i) names.push_back("f" + std::to_string(i));
  Members all;
  for (const std::string& name : names) all.emplace_back(name, V::of(1));
  f.send("1", 0, "d0", all);
  for (int i = 1; i < 200; ++i) {
    Members members{{names[0], any_value(random)}};
    if (random() % 2 == 0) members.emplace_back(names.back(), any_value(random));
    f.send("1", i, "d" + std::to_string(i % 3), members);
  }
  f.drain();
  const std::string more = names.back();
  std::size_t chosen = 0;
  for (const std::string& text :
       {more + " = 1", "not " + more + " = 1", more + " exists and f0 > 0", "f0 > 0 or " + more + " contains 'eco'",
        "not (f0 > 0 or not " + more + " missing)", "not (not " + more + " > 0 and f0 exists)"}) {
    check_filter(f, text, chosen);
    // Asked for a field that the filter does not look at, an event has that one alone.
    EventQuery query;
    query.dataset = "1";
    query.where = compiled(f, text);
    query.fields = {FieldId(0)};
    query.limit = 1000;
    for (const OwnedEvent& event : f.read(query)) {
      for (const auto& [field, value] : event.values) CHECK(field == FieldId(0));
    }
  }
  CHECK(chosen > 100);
}

TEST_CASE("a filter of a thousand terms is no deeper than SQLite takes") {
  HistoryFixture f;
  f.open();
  for (int i = 0; i < 10; ++i) f.send("1", i, "d", {{"a", V::of(i)}});
  f.drain();
  std::string text = "a=1";
  for (std::size_t i = 1; i < query::filter_literals_max; ++i) text += " or a=7";
  CHECK(found(f, compiled(f, text)).size() == 2);
  std::string deep = "a = 3";
  for (unsigned i = 1; i < query::filter_depth_max; ++i) deep = "not " + deep;
  CHECK(found(f, compiled(f, deep)).size() == 9);
}

TEST_CASE("times of a filter narrow the range that is read, also at the ends of all times") {
  HistoryFixture f;
  f.open();
  for (int i = 0; i < 100; ++i) f.send("1", i, "d", {{"a", V::of(i)}});
  f.drain();
  ScanRange range;
  narrow(range, *compiled(f, "time >= 10 and a exists and time < 20"));
  CHECK(range.from == Timestamp{10});
  CHECK(range.to <= Timestamp{21});
  range = {};
  narrow(range, *compiled(f, "time >= 10 or time < 5"));
  CHECK_FALSE(range.from);
  for (const char* const text : {"time <= 9223372036854775807", "time >= -9223372036854775808", "time > 9223372036854775807"}) {
    std::size_t chosen = 0;
    check_filter(f, text, chosen);
  }
}

TEST_CASE("series sums up the events that pass a filter, and no others") {
  HistoryFixture f;
  f.open();
  for (int i = 0; i < 100; ++i) f.send("1", i, "d" + std::to_string(i % 2), {{"a", V::of(i)}, {"b", V::of(i % 5)}});
  f.drain();
  SeriesQuery query;
  query.dataset = "1";
  query.fields = {FieldId(0)};
  query.aggregates = {Aggregate::sum, Aggregate::count};
  query.from = Timestamp{0};
  query.to = Timestamp{100};
  query.interval = Duration{50};
  query.where = compiled(f, "b = 2 and device = 'd1'");
  const auto series = f.history->series(query);
  REQUIRE(series.ok());
  // 7, 17, 27, 37, 47 and 57, …, 97.
  CHECK(series->columns[0].values == std::vector<double>{135, 385});
  CHECK(series->columns[1].values == std::vector<double>{5, 5});
}

TEST_CASE("nothing that a filter says becomes a part of a statement") {
  HistoryFixture f;
  f.open();
  const std::string evil[] = {"\"; drop table events_1; --",
                              "' or 1=1 --",
                              "x\" = 1) or (1=1",
                              "?1",
                              ":a",
                              "@a",
                              "$a",
                              "a\0b",
                              "/*",
                              "*/",
                              "\\",
                              "%_",
                              "[a]",
                              "`a`",
                              "events_1.\"time\"",
                              "😀\"'",
                              std::string(1000, '"'),
                              std::string(1000, '\'')};
  int number = 0;
  for (const std::string& name : evil) f.send("1", number++, name, {{name, V::of(name)}, {"n", V::of(number)}});
  f.drain();
  for (const std::string& text : evil) {
    for (const std::string& filter : {in_quotes(text, '"') + " = " + in_quotes(text, '\''), "device = " + in_quotes(text, '\''),
                                      in_quotes(text, '`') + " contains " + in_quotes(text, '"'),
                                      "not " + in_quotes(text, '"') + " in (" + in_quotes(text, '\'') + ", 1)"}) {
      std::size_t chosen = 0;
      check_filter(f, filter, chosen);
      CHECK(chosen > 0);
    }
  }
  CHECK(f.sql("SELECT count(*) FROM events_1") == std::to_string(std::size(evil)));
  CHECK(f.sql("PRAGMA integrity_check") == "ok");
}

}  // namespace iotstream::store::test
