#include "store/names.hpp"

#include "unit/store/history_fixture.hpp"

namespace iotstream::store::test {

using V = OwnedValue;

TEST_CASE("names that differ only in case get numbers, others stay") {
  NameSet names;
  CHECK(names.take("Speed") == "Speed");
  CHECK(names.take("speed") == "speed_2");
  CHECK(names.take("SPEED") == "SPEED_3");
  CHECK(names.take("speed_2") == "speed_2_2");
  CHECK(names.take("Ä") == "Ä");
  CHECK(names.take("ä") == "ä");
  CHECK(names.take("") == "_");
  CHECK(names.take(std::string_view("a\0b\n", 4)) == "a_b_");
  names.reserve("Time");
  CHECK(names.take("time") == "time_2");
}

TEST_CASE("long names are cut at a character and still told apart") {
  NameSet names;
  const std::string word(119, 'x');
  CHECK(names.take(word + "é one") == word);
  CHECK(names.take(word + "é two") == word + "_2");
  for (int i = 0; i < 5000; ++i) names.take("same");
  CHECK(names.take("same") == "same_5001");
}

TEST_CASE("any name of a field or dataset is stored and read back") {
  const std::vector<std::string> hostile = {"time",
                                            "Time",
                                            "device",
                                            "partition",
                                            "offset",
                                            "facts",
                                            "flags",
                                            "_kinds",
                                            "_more",
                                            "rowid",
                                            "oid",
                                            "_rowid_",
                                            "Speed",
                                            "speed",
                                            "SPEED",
                                            "select",
                                            "\"",
                                            "a\"b",
                                            "'); DROP TABLE devices; --",
                                            "`x`",
                                            "[x]",
                                            "",
                                            " ",
                                            "🔑",
                                            "a.b",
                                            "%s",
                                            "?",
                                            ":name",
                                            "sqlite_x",
                                            "temp.x",
                                            "a\nb",
                                            "null",
                                            std::string("nul\0nul", 7),
                                            std::string(1000, 'n'),
                                            std::string(1000, 'n') + "2",
                                            "speed_2",
                                            "\\",
                                            "main"};
  HistoryFixture f;
  f.open();
  std::vector<std::string> datasets = hostile;
  datasets.emplace_back("x_readable");
  datasets.emplace_back("x");
  datasets.emplace_back("X");
  for (std::string& dataset : datasets) {
    dataset.resize(std::min<std::size_t>(dataset.size(), 200));
    if (dataset.empty() || dataset.starts_with('_')) dataset = "d" + dataset;
    Members members;
    for (std::size_t i = 0; i < hostile.size(); ++i) members.emplace_back(hostile[i], V::of(static_cast<int>(i)));
    f.send(dataset, 5, "'; DROP TABLE \"devices\"; --", members);
  }
  f.drain();
  for (const std::string& dataset : datasets) {
    INFO(dataset);
    f.check_equals_log(dataset);
    EventQuery query;
    query.dataset = dataset;
    query.device = "'; DROP TABLE \"devices\"; --";
    query.fields = {FieldId(12), FieldId(16)};
    CHECK_FALSE(f.read(query).empty());
  }
  // Every view can be read.
  auto database = sqlite::Database::open(f.path(), sqlite::OpenMode::read_only);
  REQUIRE(database.ok());
  auto views = database->prepare("SELECT view_name FROM datasets");
  REQUIRE(views.ok());
  for (;;) {
    auto row = views->step();
    REQUIRE(row.ok());
    if (!*row) break;
    auto read = database->prepare("SELECT * FROM " + sqlite::quote_identifier(views->text(0)));
    REQUIRE(read.ok());
    auto first = read->step();
    REQUIRE(first.ok());
    CHECK(*first);
    CHECK(read->text(1) == "'; DROP TABLE \"devices\"; --");
  }
}

TEST_CASE("beyond 2,000 columns fields go on in _more, with their kinds, and count and sum as others") {
  HistoryFixture f;
  f.open();
  const std::vector<OwnedValue> values = {V::of(1),
                                          V::of(8.0),
                                          V::of("te\"xt 🔑"),
                                          V::of(true),
                                          V::decimal("1e400"),
                                          V::json("[1,{}]"),
                                          V::null(),
                                          V::of(false),
                                          V::of(std::string("a\0b", 3)),
                                          V::of(std::int64_t{9'007'199'254'740'993}),
                                          V::decimal("12345678901234567890")};
  Members members;
  for (int i = 0; i < 3000; ++i)
    members.emplace_back("field " + std::to_string(i), values[static_cast<std::size_t>(i) % values.size()]);
  // The last columns come by growth, and some of what comes then has none.
  f.send("wide", 0, "d", Members(members.begin(), members.begin() + 1980));
  f.drain();
  f.send("wide", 1, "d", members);
  f.drain();
  f.check_equals_log("wide");
  const std::uint32_t number = 2992;  // 2992 % 11 == 0: an integer
  REQUIRE(f.schemas.current("wide")->find("field 2992") == FieldId(number));
  CHECK(f.history->datasets().at(0).fields.at(number).count == 1);
  CHECK(f.sql("SELECT column_name FROM fields WHERE id = 1991") == "field 1991");
  CHECK(f.sql("SELECT column_name IS NULL FROM fields WHERE id = 1992") == "1");
  SeriesQuery series;
  series.dataset = "wide";
  series.fields = {FieldId(number), FieldId(0), FieldId(2994)};
  series.aggregates = {Aggregate::sum, Aggregate::count};
  series.from = Timestamp{0};
  series.to = Timestamp{10};
  series.interval = Duration{10};
  const auto result = f.history->series(series);
  REQUIRE(result.ok());
  CHECK(result->columns[0].values == std::vector<double>{1});
  CHECK(result->columns[1].values == std::vector<double>{1});
  CHECK(result->columns[2].values == std::vector<double>{2});
  CHECK(std::isnan(result->columns[4].values[0]));  // a text
  CHECK(result->columns[5].values == std::vector<double>{1});
  EventQuery query;
  query.dataset = "wide";
  query.fields = {FieldId(number), FieldId(2)};
  CHECK(f.read(query).at(0).values.size() == 2);
  f.reopen();
  f.check_equals_log("wide");
}

}  // namespace iotstream::store::test
