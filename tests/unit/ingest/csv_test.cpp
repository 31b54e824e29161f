// CSV bodies.
#include <iotstream/ingest/batch.hpp>

#include "unit/ingest/fixture.hpp"

using namespace iotstream;
using ingest::BodyFormat;
using test::GateFixture;

TEST_CASE("rows of a CSV body are events, typed column by column") {
  GateFixture fixture;
  const auto outcome = fixture.taken("d",
                                     "device;dateHour;speed;gear;open;note\n"
                                     "a;2018-01-19 05:37:0.612611;8.620000000000001;94;true;\"x;\"\"y\"\n"
                                     "a;2018-01-19 05:37:1.5;-;95;false;\n",
                                     BodyFormat::csv);
  CHECK(outcome.accepted == 2);
  CHECK_FALSE(outcome.single);
  CHECK(
      fixture.events("d") ==
      std::vector<std::string>{
          R"({"device":"a","dateHour":"2018-01-19 05:37:0.612611","speed":8.620000000000001,"gear":94,"open":true,"note":"x;\"y"})",
          R"({"device":"a","dateHour":"2018-01-19 05:37:1.5","gear":95,"open":false})"});
  CHECK(fixture.log.records("d")[0].time == Timestamp{1'516'340'220'612'611});
}

TEST_CASE("a time column of any name is the events' time and stays a field") {
  GateFixture fixture;
  fixture.taken("d", "Device Time,v\n23-Feb-2022 06:34:27.403,1\n23-Feb-2022 06:34:28.403,2\n", BodyFormat::csv);
  CHECK(fixture.log.records("d")[0].time == Timestamp{1'645'598'067'403'000});
  CHECK(fixture.events("d")[0] == R"({"Device Time":"23-Feb-2022 06:34:27.403","v":1})");
}

TEST_CASE("CSV is recognised by its first line") {
  GateFixture fixture;
  CHECK(fixture.taken("d", "\xEF\xBB\xBFv,w\n1,2\n").accepted == 1);
  CHECK(fixture.event("d") == R"({"v":1,"w":2})");
  const auto neither = fixture.submit("d", "hello");
  REQUIRE_FALSE(neither.ok());
  CHECK(neither.error().kind == ErrorKind::invalid);
}

TEST_CASE("of two byte order marks the second one is text, whole and in pieces") {
  // UTF-16's mark behind UTF-8's: once, only the whole body was read as UTF-16.
  const std::string body = "\xEF\xBB\xBF\xFF\xFEv;w\n1;2\n";
  GateFixture whole;
  CHECK(whole.taken("d", body, BodyFormat::csv).accepted == 1);
  GateFixture pieces;
  ingest::Submission submission;
  submission.dataset = "d";
  submission.format = BodyFormat::csv;
  submission.body = body;
  const auto batch = ingest::open_batch(*pieces.gate, submission);
  REQUIRE(batch);
  CHECK(batch->take(body));
  batch->finish([](const Result<ingest::Outcome>& outcome) { CHECK(outcome->accepted == 1); });
  CHECK(whole.event("d") == pieces.event("d"));
}

TEST_CASE("a row that cannot be taken is told with its line, and the rest is taken") {
  GateFixture fixture;
  const auto outcome = fixture.taken("d", "v,w\n1,2\n3,4,5\n6,7\n", BodyFormat::csv);
  CHECK(outcome.accepted == 2);
  REQUIRE(outcome.errors.size() == 1);
  CHECK(outcome.errors[0].line == 3);
  fixture.check_balance();
}

TEST_CASE("CSV without a header, and CSV without a dataset, are refused as a whole") {
  GateFixture fixture;
  const auto values = fixture.submit("d", "1,2\n3,4\n", BodyFormat::csv);
  REQUIRE_FALSE(values.ok());
  CHECK(values.error().kind == ErrorKind::invalid);
  CHECK_FALSE(fixture.submit("", "v,w\n1,2\n", BodyFormat::csv).ok());
  fixture.check_balance();
}

TEST_CASE("a refusal in the middle of a CSV body counts the rest as refused") {
  GateFixture fixture;
  fixture.log.refuse_after(1, log::AppendStatus::back_pressured);
  const auto outcome = fixture.taken("d", "v\n1\n2\n3\n", BodyFormat::csv);
  CHECK(outcome.accepted == 1);
  CHECK(outcome.refused == 2);
  fixture.check_balance();
}
