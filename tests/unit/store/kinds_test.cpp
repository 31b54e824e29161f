// Every value comes back with the kind it arrived with, whatever its field widened to before or after.
#include <limits>
#include <random>

#include "unit/store/history_fixture.hpp"

namespace iotstream::store::test {

namespace {

using V = OwnedValue;

/// Values of every kind, among them those that SQLite would convert if it were asked to.
std::vector<OwnedValue> samples(model::FieldType type) {
  switch (type) {
    case model::FieldType::boolean:
      return {V::of(true), V::of(false)};
    case model::FieldType::integer:
      return {V::of(0),
              V::of(1),
              V::of(2),
              V::of(-1),
              V::of(std::numeric_limits<std::int64_t>::min()),
              V::of(std::numeric_limits<std::int64_t>::max()),
              V::of(std::int64_t{9'007'199'254'740'993})};
    case model::FieldType::real:
      return {V::of(8.0),
              V::of(0.0),
              V::of(-0.0),
              V::of(1.0),
              V::of(8.620000000000001),
              V::of(5e-324),
              V::of(1.7976931348623157e308),
              V::of(9007199254740993.0),
              V::decimal("12345678901234567890"),
              V::decimal("0.1000000000000000055"),
              V::decimal("1e400"),
              V::decimal("-1e400"),
              V::decimal("1e-400")};
    case model::FieldType::text:
      return {V::of(""),
              V::of("12"),
              V::of("8.0"),
              V::of("1e3"),
              V::of("true"),
              V::of("x"),
              V::of(std::string("a\0b", 3)),
              V::of("it's \"quoted\""),
              V::of("ключ 🔑"),
              V::of("d")};
    case model::FieldType::json:
      return {V::json("[]"), V::json("{\"a\" : [1, 2.50, null]}"), V::json("[\"x\"]")};
  }
  return {};
}

constexpr model::FieldType types[] = {model::FieldType::boolean, model::FieldType::integer, model::FieldType::real,
                                      model::FieldType::text, model::FieldType::json};

}  // namespace

TEST_CASE("a field of each type that widens to each other one keeps all values, before and after") {
  for (const model::FieldType first : types) {
    for (const model::FieldType second : types) {
      HistoryFixture f;
      f.open();
      std::int64_t time = 0;
      const auto send_all = [&](model::FieldType type) {
        for (const OwnedValue& value : samples(type)) f.send("1", ++time, "d", {{"v", value}});
        f.send("1", ++time, "d", {{"v", OwnedValue::null()}});
        f.send("1", ++time, "d", {});
        f.drain();
      };
      send_all(first);
      send_all(second);
      send_all(first);
      INFO("from " << model::name_of(first) << " to " << model::name_of(second));
      f.check_equals_log("1");
      f.reopen();
      f.check_equals_log("1");
    }
  }
}

TEST_CASE("SQL calculates with what a column holds: a decimal as its nearest number, booleans as 0 and 1") {
  HistoryFixture f;
  f.open();
  f.send("1", 0, "d", {{"v", V::decimal("0.1000000000000000055")}, {"b", V::of(true)}, {"big", V::decimal("1e400")}});
  f.drain();
  CHECK(f.sql("SELECT v, typeof(v), b, typeof(b), big, _kinds FROM events_1") ==
        "0.1|real|1|integer|Inf|0d0.1000000000000000055,2d1e400");
}

TEST_CASE("rows without exceptions have no list of kinds") {
  HistoryFixture f;
  f.open();
  f.send("1", 0, "d", {{"i", V::of(1)}, {"r", V::of(8.0)}, {"t", V::of("12")}, {"b", V::of(true)}, {"j", V::json("[1]")}});
  f.drain();
  CHECK(f.sql("SELECT _kinds IS NULL, typeof(i), typeof(r), typeof(t), typeof(b), typeof(j) FROM events_1") ==
        "1|integer|real|text|integer|text");
}

TEST_CASE("random events of drifting fields are in history as they are in the log") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  HistoryFixture f;
  f.open();
  for (int i = 0; i < 2000; ++i) {
    Members members;
    for (int field = 0; field < 12; ++field) {
      if (random() % 3 == 0) continue;
      // Fields appear and widen as time goes on.
      const auto reach = std::min<std::size_t>(std::size(types), 1 + static_cast<std::size_t>(i) / 300);
      const auto values = samples(types[random() % reach]);
      members.emplace_back("f" + std::to_string(field * (i / 500 + 1)),
                           random() % 10 == 0 ? OwnedValue::null() : values[random() % values.size()]);
    }
    f.send("1", static_cast<std::int64_t>(random() % 1'000'000) - 500'000, "device " + std::to_string(random() % 5), members,
           3);
    if (i % 400 == 0) f.drain();
  }
  f.drain();
  f.check_equals_log("1");
}

TEST_CASE("a row that cannot be decoded is left out, counted, and stops nothing") {
  HistoryFixture f;
  f.open();
  f.send("1", 0, "d", {{"a", V::of(1)}});
  ScriptedPartition& partition = f.log.make("1", 1).partition(PartitionId(0));
  partition.append(Timestamp{1}, "d", as_bytes("no row"));
  // A row with a field that no schema has.
  f.builder.begin(SchemaVersion(1), FactsId(0), 0);
  f.builder.set_integer(FieldId(40), 1);
  partition.append(Timestamp{2}, "d", f.builder.finish());
  f.send("1", 3, "d", {{"a", V::of(2)}});
  f.drain();
  CHECK(f.read_all("1").size() == 2);
  CHECK(f.history->consumed("1") == std::vector<Offset>{Offset(4)});
  CHECK(f.metrics.counter("iotstream_store_records_rejected_total", "").value() == 2);
}

TEST_CASE("a topic whose schema was lost is consumed, not waited for") {
  HistoryFixture f;
  f.log.make("orphan", 1).partition(PartitionId(0)).append(Timestamp{1}, "d", as_bytes("no row"));
  f.open();
  f.drain();
  CHECK(f.history->consumed("orphan") == std::vector<Offset>{Offset(1)});
  // Its schema appears later: history goes on with it.
  f.send("orphan", 2, "d", {{"a", V::of(7)}});
  f.drain();
  CHECK(f.read_all("orphan").size() == 1);
}

}  // namespace iotstream::store::test
