// What cannot be taken: each reading alone, with its place and reason, and never its neighbours.
#include "unit/ingest/fixture.hpp"

using namespace iotstream;
using ingest::BodyFormat;
using test::GateFixture;

namespace {

struct Bad {
  std::string text;
  ErrorKind kind;
  std::string reason;  ///< with the column in a line
};

std::string nested(int levels, const char* open, const char* close) {
  std::string text;
  for (int i = 0; i < levels; ++i) text += open;
  text += '1';
  for (int i = 0; i < levels; ++i) text += close;
  return text;
}

std::vector<Bad> bad_readings() {
  const auto invalid = ErrorKind::invalid;
  const auto unprocessable = ErrorKind::unprocessable;
  return {
      {R"({"a":1)", invalid, "column 7: an object or array is not closed"},
      {R"({"a":1}})", invalid, "something follows the reading"},
      {R"({"a":1} x)", invalid, "column 8: something follows the reading"},
      {R"({"a":1}{"a":2})", invalid, "something follows the reading"},
      {R"({"a" 1})", invalid, "malformed JSON"},
      {R"({"a":})", invalid, "malformed JSON"},
      {R"({"a":1,})", invalid, "malformed JSON"},
      {R"({,"a":1})", invalid, "malformed JSON"},
      {R"({a:1})", invalid, "malformed JSON"},
      {R"({'a':1})", invalid, "malformed JSON"},
      {R"({"a":1 "b":2})", invalid, "malformed JSON"},
      {R"({"a":NaN})", invalid, "malformed JSON"},
      {R"({"a":Infinity})", invalid, "malformed JSON"},
      {R"({"a":nul})", invalid, "neither true, false nor null"},
      {R"({"a":nulll})", invalid, "neither true, false nor null"},
      {R"({"a":tru})", invalid, "neither true, false nor null"},
      {R"({"a":falsey})", invalid, "neither true, false nor null"},
      {R"({"a":01})", invalid, "not a number as JSON writes them"},
      {R"({"a":1.})", invalid, "not a number as JSON writes them"},
      {R"({"a":.5})", invalid, "malformed JSON"},
      {R"({"a":+1})", invalid, "malformed JSON"},
      {R"({"a":1e})", invalid, "not a number as JSON writes them"},
      {R"({"a":0x10})", invalid, "not a number as JSON writes them"},
      {R"({"a":-})", invalid, "not a number as JSON writes them"},
      {R"({"a":1_000})", invalid, "not a number as JSON writes them"},
      {R"({"a":"x)", invalid, "a string is not closed"},
      {R"({"a":"\x"})", invalid, "a wrong escape in a string"},
      {R"({"a":"\u12"})", invalid, "a wrong escape in a string"},
      {R"({"a":"\ud800"})", invalid, ""},
      {R"({"a":"\udc00"})", invalid, ""},
      {R"({"a":["\udc00"]})", invalid, ""},
      {R"({"a":[{"\udc00":1}]})", invalid, ""},
      {R"({"\udc00":1})", invalid, "a wrong escape in a string"},
      {"{\"a\":\"\t\"}", invalid, "a control character in a string must be escaped"},
      {"{\"a\":\"\xff\"}", invalid, "column 7: a byte that is not UTF-8"},
      {"{\"a\":\"\xc0\xaf\"}", invalid, "a byte that is not UTF-8"},
      {"{\"a\":\"\xed\xa0\x80\"}", invalid, "a byte that is not UTF-8"},
      {"{\"\xe9\":1}", invalid, "a byte that is not UTF-8"},
      {R"({"a":[1 2]})", invalid, "malformed JSON"},
      {R"({"a":[1,]})", invalid, "malformed JSON"},
      {R"({"a":[1,{"b":tru}]})", invalid, "neither true, false nor null"},
      {R"({"a":[01]})", invalid, "not a number as JSON writes them"},
      {R"({"a":{"b":1,}})", invalid, "malformed JSON"},
      {R"({"a":[1})", invalid, ""},
      {R"({"a":{"b":1])", invalid, ""},
      {R"(// {"a":1})", invalid, "malformed JSON"},
      {R"(tru)", invalid, "malformed JSON"},
      {R"(["a":1])", unprocessable, "a reading must be a JSON object"},
      {R"("text")", unprocessable, "a reading must be a JSON object"},
      {R"(17)", unprocessable, "a reading must be a JSON object"},
      {R"(null)", unprocessable, "a reading must be a JSON object"},
      {R"({"":1})", unprocessable, "column 3: a member has an empty name"},
      {R"({"a":{"":1}})", unprocessable, "a member has an empty name"},
      {R"({"a\nb":1})", unprocessable, "control character"},
      {R"({"a\u007f":1})", unprocessable, "control character"},
      {"{\"" + std::string(201, 'n') + "\":1}", unprocessable, "longer than 200 bytes"},
      {"{\"" + std::string(100, 'n') + "\":{\"" + std::string(100, 'n') + "\":1}}", unprocessable, "longer than 200 bytes"},
      {"{\"device\":\"" + std::string(201, 'd') + "\"}", unprocessable, "device's name is longer"},
      {"{\"a\":" + nested(64, "[", "]") + "}", unprocessable, "nested deeper than 64 levels"},
      {nested(65, "{\"a\":", "}"), unprocessable, "nested deeper than 64 levels"},
      {"{\"a\":" + nested(100'000, "[", "]") + "}", unprocessable, "nested deeper than 64 levels"},
      {nested(100'000, "{\"a\":", "}"), unprocessable, "nested deeper than 64 levels"},
      {"{\"a\":" + nested(500'000, "[{\"a\":", "}]") + "}", ErrorKind::too_large, "more than 1048576 bytes"},
      {"{\"a\":\"" + std::string(ingest::reading_size_max, 'x') + "\"}", ErrorKind::too_large, "more than 1048576 bytes"},
  };
}

}  // namespace

TEST_CASE("a line that cannot be taken is told with its number and reason, and its neighbours are taken") {
  for (const Bad& bad : bad_readings()) {
    INFO(bad.text.substr(0, 100));
    GateFixture fixture;
    const auto outcome = fixture.taken("d", "{\"n\":1}\n\n" + bad.text + "\r\n{\"n\":2}\n", BodyFormat::ndjson);
    CHECK(outcome.accepted == 2);
    CHECK(outcome.rejected == 1);
    REQUIRE(outcome.errors.size() == 1);
    CHECK(outcome.errors[0].line == 3);
    CHECK(outcome.errors[0].kind == bad.kind);
    CHECK_THAT(outcome.errors[0].reason, Catch::Contains(bad.reason));
    CHECK(fixture.events("d") == std::vector<std::string>{"{\"n\":1}", "{\"n\":2}"});
    CHECK(fixture.schemas.current("d")->fields().size() == 1);
    fixture.check_balance();
  }
}

TEST_CASE("the same readings alone are refused as a whole, or rejected with their reason") {
  for (const Bad& bad : bad_readings()) {
    INFO(bad.text.substr(0, 100));
    GateFixture fixture;
    auto result = fixture.submit("d", bad.text, BodyFormat::json);
    if (bad.kind == ErrorKind::invalid) {
      REQUIRE_FALSE(result.ok());
      CHECK(result.error().kind == ErrorKind::invalid);
    } else if (bad.text[0] != '[') {
      REQUIRE(result.ok());
      CHECK(result->single);
      CHECK(result->rejected == 1);
      CHECK(result->errors.at(0).kind == bad.kind);
    }
    CHECK(fixture.log.records("d").empty());
    CHECK(fixture.count("rejected") == 1);
    fixture.check_balance();
  }
}

TEST_CASE("as elements of an array they are rejected alone, unless they hide where the next begins") {
  for (const Bad& bad : bad_readings()) {
    INFO(bad.text.substr(0, 100));
    GateFixture fixture;
    const auto outcome = fixture.taken("d", "[{\"n\":1}, " + bad.text + " , {\"n\":2}]", BodyFormat::json);
    CHECK(outcome.accepted >= 1);
    CHECK(outcome.rejected >= 1);
    CHECK(outcome.errors.at(0).line == 2);
    CHECK(fixture.events("d").at(0) == "{\"n\":1}");
    fixture.check_balance();
  }
}

TEST_CASE("the place of a mistake is told in line and column of the body") {
  GateFixture fixture;
  const auto result = fixture.submit("d", "{\n  \"a\": 1,\n  \"b\": tru\n}", BodyFormat::json);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().message == "line 3, column 8: neither true, false nor null");
  const auto element = fixture.taken("d", "[\n{\"a\": 1},\n{\"b\": 01}\n]", BodyFormat::json);
  REQUIRE(element.errors.size() == 1);
  CHECK(element.errors[0].line == 2);
  CHECK(element.errors[0].reason == "line 3, column 7: not a number as JSON writes them");
}

TEST_CASE("an array that is not closed gives what came before") {
  GateFixture fixture;
  const auto outcome = fixture.taken("d", "[{\"n\":1},{\"n\":2},{\"n\":", BodyFormat::json);
  CHECK(outcome.accepted == 2);
  CHECK(outcome.rejected == 1);
  REQUIRE(outcome.errors.size() == 1);
  CHECK(outcome.errors[0].line == 3);
  CHECK(outcome.errors[0].reason == "line 1, column 23: the array is not closed");
  const auto followed = fixture.taken("d", "[{\"n\":3}] [", BodyFormat::json);
  CHECK(followed.accepted == 1);
  CHECK(followed.rejected == 1);
  for (const char* hopeless : {"[", "[1", "[{\"a\":[}"}) {
    INFO(hopeless);
    const auto refused = fixture.submit("d", hopeless, BodyFormat::json);
    CHECK_FALSE(refused.ok());
  }
  fixture.check_balance();
}

TEST_CASE("an empty array is nothing, an empty body a mistake") {
  GateFixture fixture;
  CHECK(fixture.taken("d", " [ ] ").accepted == 0);
  for (const char* empty : {"", " \r\n", "\xEF\xBB\xBF"}) {
    const auto refused = fixture.submit("d", empty);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().kind == ErrorKind::invalid);
  }
  fixture.check_balance();
}

TEST_CASE("the first hundred errors are listed, all are counted") {
  GateFixture fixture;
  std::string body;
  for (int i = 0; i < 250; ++i) body += "{\n{\"n\":1}\n";
  const auto outcome = fixture.taken("d", body, BodyFormat::ndjson);
  CHECK(outcome.accepted == 250);
  CHECK(outcome.rejected == 250);
  CHECK(outcome.errors.size() == 100);
  CHECK(outcome.errors.back().line == 199);
}

TEST_CASE("an envelope needs its dataset and its data") {
  const std::vector<Bad> envelopes = {
      {R"({"data":{"a":1}})", ErrorKind::unprocessable, "no DatasetType"},
      {R"({"DatasetType":"","data":{"a":1}})", ErrorKind::unprocessable, "no DatasetType"},
      {R"({"DatasetType":"1"})", ErrorKind::unprocessable, "no data"},
      {R"({"DatasetType":"1","data":[1]})", ErrorKind::unprocessable, "data must be an object"},
      {R"({"DatasetType":"1","data":"{}"})", ErrorKind::unprocessable, "data must be an object"},
      {R"({"DatasetType":"1","data":null})", ErrorKind::unprocessable, "data must be an object"},
      {R"({"DatasetType":1.5,"data":{}})", ErrorKind::unprocessable, "DatasetType must be a text"},
      {R"({"DatasetType":null,"data":{}})", ErrorKind::unprocessable, "DatasetType must be a text"},
      {R"({"DatasetType":"_schemas","data":{}})", ErrorKind::unprocessable, "begins with _"},
      {R"({"DatasetType":"a\nb","data":{}})", ErrorKind::unprocessable, "control character"},
      {"{\"DatasetType\":\"" + std::string(201, 'd') + "\",\"data\":{}}", ErrorKind::unprocessable, "longer than 200 bytes"},
      {R"({"DatasetType":"1","data":{"a":tru}})", ErrorKind::invalid, "column 32"},
      {R"({"data":{"a":tru},"DatasetType":"1"})", ErrorKind::invalid, "column 14"},
      {R"({"DatasetType":"1","x":[1 2],"data":{}})", ErrorKind::invalid, "malformed"},
      {R"({"DatasetType":"1","data":{}} {)", ErrorKind::invalid, "follows"},
  };
  for (const Bad& bad : envelopes) {
    INFO(bad.text.substr(0, 100));
    GateFixture fixture;
    const auto outcome = fixture.taken("", bad.text + "\n{\"DatasetType\":\"ok\",\"data\":{\"n\":1}}", BodyFormat::ndjson);
    CHECK(outcome.accepted == 1);
    REQUIRE(outcome.errors.size() == 1);
    CHECK(outcome.errors[0].kind == bad.kind);
    CHECK_THAT(outcome.errors[0].reason, Catch::Contains(bad.reason));
    CHECK(fixture.event("ok") == "{\"n\":1}");
    fixture.check_balance();
  }
}

TEST_CASE("names beyond what a schema holds reject the event that brings them, and no other") {
  GateFixture fixture;
  std::string wide = "{\"n\":0";
  for (int i = 0; i < 4998; ++i) wide += ",\"f" + std::to_string(i) + "\":1";
  CHECK(fixture.taken("d", wide + "}").accepted == 1);
  const auto outcome = fixture.taken("d", "{\"last\":1}\n{\"n\":1,\"over\":1,\"more\":1}\n{\"n\":2}");
  CHECK(outcome.accepted == 2);
  REQUIRE(outcome.errors.size() == 1);
  CHECK(outcome.errors[0].line == 2);
  CHECK(outcome.errors[0].kind == ErrorKind::too_large);
}

TEST_CASE("a flood of foreign names and codes does not stop the known ones") {
  GateFixture fixture;
  fixture.taken("d", "{\"n\":1}");
  fixture.log.refuse_internal(log::AppendStatus::disk_full);
  for (int round = 0; round < 60; ++round) {
    std::string body = "{\"n\":1";
    for (int i = 0; i < 500; ++i) body += ",\"x" + std::to_string(round * 500 + i) + "\":1";
    CHECK(fixture.taken("d", body + "}").refusal);
    CHECK(fixture.taken("d", "{\"n\":2}").accepted == 1);
  }
  fixture.check_balance();
}
