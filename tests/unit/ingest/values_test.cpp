// What becomes of the values of an event.
#include "unit/ingest/fixture.hpp"

using namespace iotstream;
using test::GateFixture;

TEST_CASE("every kind of value is read back as it was sent") {
  GateFixture fixture;
  const std::string body =
      R"({"i":-42,"max":9223372036854775807,"min":-9223372036854775808,"beyond":18446744073709551615,"r":8.620000000000001,)"
      R"("t":"é \"q\" \\ \n","yes":true,"no":false,"nothing":null,"a":[1,{"b":[]},"x",1e400],"tiny":1e-400,"long":0.1000000000000000055})";
  CHECK(fixture.taken("d", body).accepted == 1);
  CHECK(fixture.event("d") == body);
  CHECK(fixture.type("d", "beyond") == model::FieldType::real);
  CHECK(fixture.type("d", "a") == model::FieldType::json);
  CHECK(fixture.type("d", "nothing") == model::FieldType::boolean);
}

TEST_CASE("a real that is whole is read back as the same number") {
  GateFixture fixture;
  fixture.taken("d", R"({"a":1.0,"b":1e2,"c":-0.0,"d":1.50,"e":-0})");
  CHECK(fixture.event("d") == R"({"a":1.0,"b":100.0,"c":-0.0,"d":1.5,"e":0})");
  CHECK(fixture.type("d", "a") == model::FieldType::real);
}

TEST_CASE("nested objects are flattened with dots, arrays keep their JSON without blanks") {
  GateFixture fixture;
  fixture.taken("d",
                "{\"tyre\": {\"front\": {\"left\": 1}, \"rear\": {} }, \"list\": [ 1 , { \"x y\" : \" b \" } ], \"n\": []}");
  CHECK(fixture.event("d") == R"({"tyre.front.left":1,"tyre.rear":{},"list":[1,{"x y":" b "}],"n":[]})");
}

TEST_CASE("of a member sent twice the last value stays") {
  GateFixture fixture;
  fixture.taken("d", R"({"a":1,"b":2,"a":3})");
  CHECK(fixture.event("d") == R"({"a":3,"b":2})");
}

TEST_CASE("a name with dots and a nested object are the same field") {
  GateFixture fixture;
  fixture.taken("d", R"({"a.b":1,"a":{"b":2}})");
  CHECK(fixture.event("d") == R"({"a.b":2})");
}

TEST_CASE("names and texts in any script, escaped or not, are the same names and texts") {
  GateFixture fixture;
  fixture.taken("d", "{\"λ\":\"\\u00e9\\ud83d\\ude00\",\"q\\\"\":\"\\u0000\",\"t\\u00e9\":1}\n{\"\\u03bb\":2,\"té\":2}",
                ingest::BodyFormat::ndjson);
  CHECK(fixture.events("d") == std::vector<std::string>{"{\"λ\":\"é😀\",\"q\\\"\":\"\\u0000\",\"té\":1}", "{\"λ\":2,\"té\":2}"});
}

TEST_CASE("an event without members, and one that is only a time, are taken") {
  GateFixture fixture;
  CHECK(fixture.taken("d", "{}").accepted == 1);
  CHECK(fixture.taken("d", R"({"@timestamp":"2022-02-23T06:34:27.403Z"})").accepted == 1);
  CHECK(fixture.events("d") == std::vector<std::string>{"{}", "{}"});
  CHECK(fixture.log.records("d")[1].time == Timestamp{1'645'598'067'403'000});
}

TEST_CASE("the order of members may change from event to event") {
  GateFixture fixture;
  fixture.taken(
      "d", "{\"a\":1,\"b\":2,\"c\":{\"x\":3,\"y\":4}}\n{\"c\":{\"y\":5,\"x\":6},\"b\":7}\n{\"b\":8,\"a\":9,\"c\":{\"x\":10}}");
  CHECK(fixture.events("d") == std::vector<std::string>{R"({"a":1,"b":2,"c.x":3,"c.y":4})", R"({"b":7,"c.x":6,"c.y":5})",
                                                        R"({"a":9,"b":8,"c.x":10})"});
}

TEST_CASE("a name that begins like the expected one is not taken for it") {
  GateFixture fixture;
  fixture.taken("d", "{\"speed\":1,\"a\\\\b\":2}\n{\"speedo\":3,\"a\\\\b\":4}\n{\"spee\":5,\"a\\u005cb\":6}");
  CHECK(fixture.events("d") ==
        std::vector<std::string>{R"({"speed":1,"a\\b":2})", R"({"a\\b":4,"speedo":3})", R"({"a\\b":6,"spee":5})"});
}

TEST_CASE("a value of another type widens the field and loses nothing") {
  GateFixture fixture;
  fixture.taken("d",
                "{\"v\":true}\n{\"v\":7}\n{\"v\":1.5}\n{\"v\":\"hot\"}\n{\"v\":[1]}\n{\"v\":false}\n{\"v\":8}\n{\"v\":null}");
  CHECK(fixture.events("d") == std::vector<std::string>{"{\"v\":true}", "{\"v\":7}", "{\"v\":1.5}", "{\"v\":\"hot\"}",
                                                        "{\"v\":[1]}", "{\"v\":false}", "{\"v\":8}", "{\"v\":null}"});
  CHECK(fixture.type("d", "v") == model::FieldType::json);
  CHECK(fixture.schemas.current("d")->version() == SchemaVersion(5));
}

TEST_CASE("the record's key is the first of the device's names that is a text or an integer") {
  GateFixture fixture;
  const auto device_of = [&](const std::string& body) {
    static int number = 0;
    const std::string dataset = "d" + std::to_string(++number);
    fixture.taken(dataset, body);
    return fixture.log.records(dataset).at(0).key;
  };
  CHECK(device_of(R"({"code":"C","clienID":"L","clientid":"l","device_id":"I","device":"D"})") == "D");
  CHECK(device_of(R"({"code":"C","clienID":"L","clientid":"l","device_id":"I"})") == "I");
  CHECK(device_of(R"({"code":"C","clienID":"L","clientid":"l"})") == "l");
  CHECK(device_of(R"({"code":"C","clienID":"L"})") == "L");
  CHECK(device_of(R"({"code":"C","device":"","device_id":null,"clientid":1.5,"clienID":{"device":"x"}})") == "C");
  CHECK(device_of(R"({"device":17,"code":"C"})") == "17");
  CHECK(device_of(R"({"a":{"device":"x"}})") == "d7");
}

TEST_CASE("a text equal to the device takes no space and is read back") {
  GateFixture fixture;
  fixture.taken("d", R"({"device":"X46789_1","clienID":"X46789_1","note":"X46789_2"})");
  CHECK(fixture.event("d") == R"({"device":"X46789_1","clienID":"X46789_1","note":"X46789_2"})");
  const auto records = fixture.log.records("d");
  const auto row = model::RowView::open(records[0].value);
  REQUIRE(row.ok());
  CHECK(row->kind(FieldId(0)) == model::ValueKind::key);
  CHECK(row->kind(FieldId(1)) == model::ValueKind::key);
  CHECK(row->kind(FieldId(2)) == model::ValueKind::text);
}

TEST_CASE("the time is that of @timestamp, else of dateHour, else of arrival") {
  GateFixture fixture;
  const Timestamp arrival = fixture.clock.now();
  const std::string lines = R"({"n":0,"dateHour":"2018-01-19 05:37:00.612611","@timestamp":"2022-02-23T06:34:27.403Z"})"
                            "\n"
                            R"({"n":1,"dateHour":"2018-01-19 05:37:0.612611"})"
                            "\n"
                            R"({"n":2,"dateHour":"2018-01-19 05:37:00.612611"})"
                            "\n"
                            R"({"n":3})"
                            "\n"
                            R"({"n":4,"@timestamp":1645598067403})"
                            "\n"
                            R"({"n":5,"@timestamp":1645598067.403})"
                            "\n"
                            R"({"n":6,"@timestamp":"yesterday","dateHour":"soon"})"
                            "\n"
                            R"({"n":7,"@timestamp":"2022-02-23T06:34:27.403Z","dateHour":"2022-02-23 06:34:27.403000"})";
  CHECK(fixture.taken("d", lines).accepted == 8);
  const auto records = fixture.log.records("d");
  const Timestamp stamp{1'645'598'067'403'000};
  const Timestamp hour{1'516'340'220'612'611};
  const std::vector<Timestamp> expected = {stamp, hour, hour, arrival, stamp, stamp, arrival, stamp};
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(records.at(i).time == expected[i]);
  CHECK(fixture.events("d") ==
        std::vector<std::string>{
            R"({"n":0,"dateHour":"2018-01-19 05:37:00.612611"})", R"({"n":1,"dateHour":"2018-01-19 05:37:0.612611"})",
            R"({"n":2,"dateHour":"2018-01-19 05:37:00.612611"})", R"({"n":3})", R"({"n":4})", R"({"n":5})",
            R"({"n":6,"dateHour":"soon","@timestamp":"yesterday"})", R"({"n":7,"dateHour":"2022-02-23 06:34:27.403000"})"});
  const auto flags = [&](std::size_t i) { return model::RowView::open(records.at(i).value)->flags(); };
  CHECK(flags(0) == 0);
  CHECK(flags(1) == 0);
  CHECK(flags(2) == model::row_has_date_hour);
  CHECK(flags(7) == model::row_has_date_hour);
}

TEST_CASE("an event refers to the facts of its code") {
  GateFixture fixture;
  const auto one = fixture.schemas.set_facts("1", "X46789", {{"libelle", "\"Pipo\""}});
  const auto two = fixture.schemas.set_facts("1", "X46791", {{"libelle", "\"Deluxe\""}});
  REQUIRE(one.ok());
  REQUIRE(two.ok());
  fixture.taken(
      "1",
      "{\"device\":\"a\",\"code\":\"X46789\"}\n{\"device\":\"a\",\"code\":\"X46791\"}\n{\"device\":\"a\",\"code\":\"X46789\"}");
  const auto records = fixture.log.records("1");
  const auto facts = [&](std::size_t i) { return model::RowView::open(records.at(i).value)->facts(); };
  CHECK(facts(0) == *one);
  CHECK(facts(1) == *two);
  CHECK(facts(2) == *one);
  const auto newer = fixture.schemas.set_facts("1", "X46789", {{"libelle", "\"Pipo 2\""}});
  REQUIRE(newer.ok());
  fixture.taken("1", R"({"device":"a","code":"X46789"})");
  CHECK(model::RowView::open(fixture.log.records("1").back().value)->facts() == *newer);
}
