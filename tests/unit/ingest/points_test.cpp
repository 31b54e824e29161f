// InfluxDB's line protocol.
#include <algorithm>

#include <iotstream/ingest/batch.hpp>

#include "ingest/point_reader.hpp"
#include "unit/ingest/fixture.hpp"

using namespace iotstream;
using ingest::BodyFormat;
using test::GateFixture;

namespace {

struct PointsFixture : GateFixture {
  ingest::PointRules rules{1, "", "", {"device", "host"}};

  ingest::Submission submission(std::string_view body) const {
    ingest::Submission submission;
    submission.body = body;
    submission.format = BodyFormat::points;
    submission.points = std::make_shared<const ingest::PointRules>(rules);
    submission.kind = ingest::SourceKind::influx;
    return submission;
  }
  ingest::Outcome write(std::string_view body) {
    auto result = submit(submission(body));
    REQUIRE(result.ok());
    return std::move(*result);
  }
  std::string reason(std::string_view line) {
    const auto outcome = write(line);
    REQUIRE(outcome.errors.size() == 1);
    const std::string& text = outcome.errors[0].reason;
    const std::size_t colon = text.rfind("': ");
    return colon == std::string::npos ? text : text.substr(colon + 3);
  }
};

}  // namespace

TEST_CASE("a point becomes an event: tags, types, time, device") {
  PointsFixture fixture;
  CHECK(fixture.write("cpu,host=a,core=0 load=0.5,n=12i,u=7u,on=t,off=FALSE,note=\"x\" 1700000000123456789").accepted == 1);
  CHECK(fixture.event("cpu") == R"({"host":"a","core":"0","load":0.5,"n":12,"u":7,"on":true,"off":false,"note":"x"})");
  const auto record = fixture.log.records("cpu").at(0);
  CHECK(record.key == "a");
  CHECK(record.time == Timestamp{1'700'000'000'123'456});
}

TEST_CASE("numbers are what InfluxDB takes them for") {
  for (const auto& [text, json] :
       std::initializer_list<std::pair<const char*, const char*>>{{"1", "1.0"},
                                                                  {"-0.5", "-0.5"},
                                                                  {".5", "0.5"},
                                                                  {"5.", "5.0"},
                                                                  {"1e3", "1000.0"},
                                                                  {"1E-2", "0.01"},
                                                                  {"8.620000000000001", "8.620000000000001"},
                                                                  {"9223372036854775807i", "9223372036854775807"},
                                                                  {"-9223372036854775808i", "-9223372036854775808"},
                                                                  {"18446744073709551615u", "18446744073709551615"},
                                                                  {"0u", "0"}}) {
    PointsFixture fixture;
    fixture.write(std::string("m v=") + text);
    CHECK(fixture.event("m") == std::string("{\"v\":") + json + "}");
  }
}

TEST_CASE("escapes: commas, blanks and equals signs in names and tags, quotes and backslashes in texts, line breaks in texts") {
  PointsFixture fixture;
  CHECK(fixture.write("my\\ cpu\\,2,host\\ name=a\\=b\\,c f\\,1=1i,t=\"say \\\"hi\\\", a \\\\ b\n=two\\n\" 1000").accepted ==
        1);
  CHECK(fixture.event("my cpu,2") == R"({"host name":"a=b,c","f,1":1,"t":"say \"hi\", a \\ b\n=two\\n"})");
  PointsFixture plain;
  plain.write("m,t=back\\slash v=\"\\n\"");
  CHECK(plain.event("m") == R"({"t":"back\\slash","v":"\\n"})");
}

TEST_CASE("blank lines and comments are nothing, and every other line counts by its number") {
  PointsFixture fixture;
  const auto outcome = fixture.write("# a note\n\nm v=1i\r\n  \nm v=\"two\nlines\"\nbroken\nm v=3i");
  CHECK(outcome.accepted == 3);
  REQUIRE(outcome.errors.size() == 1);
  CHECK(outcome.errors[0].line == 7);
  CHECK(fixture.events("m").size() == 3);
  CHECK(fixture.count("received", "influx") == 4);
  fixture.check_balance();
}

TEST_CASE("what is wrong with a point, in the words of InfluxDB") {
  for (const auto& [line, reason] :
       std::initializer_list<std::pair<const char*, const char*>>{{"m", "missing fields"},
                                                                  {"m ", "missing fields"},
                                                                  {",t=1 v=1", "missing measurement"},
                                                                  {"m, v=1", "missing tag key"},
                                                                  {"m,t v=1", "missing tag value"},
                                                                  {"m,t= v=1", "missing tag value"},
                                                                  {"m,t=a=b v=1", "invalid tag format"},
                                                                  {"m,t=a,t=b v=1", "duplicate tags"},
                                                                  {"m =1", "missing field key"},
                                                                  {"m v", "invalid field format"},
                                                                  {"m v=", "missing field value"},
                                                                  {"m v=1,", "missing field key"},
                                                                  {"m v=1,,w=2", "missing field key"},
                                                                  {"m v=one", "invalid number"},
                                                                  {"m v=1.5i", "invalid number"},
                                                                  {"m v=-1u", "invalid number"},
                                                                  {"m v=9223372036854775808i", "invalid number"},
                                                                  {"m v=1e400", "invalid number"},
                                                                  {"m v=1e", "invalid number"},
                                                                  {"m v=tru", "invalid boolean"},
                                                                  {"m v=NaN", "invalid number"},
                                                                  {"m v=\"open", "unbalanced quotes"},
                                                                  {"m v=\"a\"b", "invalid field format"},
                                                                  {"m v=1 soon", "bad timestamp"},
                                                                  {"m v=1 1 2", "bad timestamp"},
                                                                  {"m v=1 99999999999999999999", "time outside range"},
                                                                  {"m v=\"\xff\"", "a byte that is not UTF-8"}}) {
    PointsFixture fixture;
    INFO(line);
    CHECK(fixture.reason(line) == reason);
    fixture.check_balance();
  }
}

TEST_CASE("times have the precision that was said; before 1970 they are cut to the microsecond below") {
  for (const auto& [unit, text, us] : std::initializer_list<std::tuple<std::int64_t, const char*, std::int64_t>>{
           {1, "1999", 1},
           {1, "-1", -1},
           {1'000, "7", 7},
           {1'000'000, "7", 7'000},
           {1'000'000'000, "1700000000", 1'700'000'000'000'000},
           {3'600'000'000'000, "2", 7'200'000'000}}) {
    PointsFixture fixture;
    fixture.rules.unit_ns = unit;
    fixture.write(std::string("m v=1 ") + text);
    CHECK(fixture.log.records("m").at(0).time == Timestamp{us});
  }
  PointsFixture now;
  now.write("m v=1");
  CHECK(now.log.records("m").at(0).time == now.clock.now());
}

TEST_CASE("the device is the first tag of the list, else all tags, else what the dataset's name gives") {
  PointsFixture fixture;
  fixture.write("a,room=1,host=h,device=d v=1\n");
  fixture.write("b,room=1,wall=2 v=1\n");
  fixture.write("c v=1\n");
  CHECK(fixture.log.records("a").at(0).key == "d");
  CHECK(fixture.log.records("b").at(0).key == "room=1,wall=2");
  CHECK(fixture.log.records("c").at(0).key == "c");
}

TEST_CASE("a field with the name of a tag is kept beside it, and the dataset's name may have more than the measurement") {
  PointsFixture fixture;
  fixture.rules.prefix = "plant.";
  fixture.rules.suffix = "!";
  fixture.write("m,host=a host=\"b\",v=1i");
  CHECK(fixture.event("plant.m!") == R"({"host":"a","host_field":"b","v":1})");
  CHECK(fixture.write("_m v=1").accepted == 1);
  fixture.rules.prefix.clear();
  CHECK(fixture.reason("_m v=1").find("begins with _") != std::string::npos);
}

TEST_CASE("points cut at any byte are what they are as a whole, also within a text with line breaks") {
  const std::string body =
      "m,host=a v=1i 1000\n# note\nm,host=b t=\"one\n\\\"two\\\"\nthree\",w=2 2000\nbroken\nm,host=a v=\"open\nm,host=c v=3i "
      "3000";
  PointsFixture whole;
  const auto expected = whole.write(body);
  CHECK(expected.accepted == 3);
  CHECK(expected.rejected == 2);
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    PointsFixture fixture;
    auto batch = ingest::open_batch(*fixture.gate, fixture.submission(body));
    REQUIRE(batch);
    REQUIRE(batch->take(std::string_view(body).substr(0, cut)));
    REQUIRE(batch->take(std::string_view(body).substr(cut)));
    batch->finish([&](const Result<ingest::Outcome>& outcome) {
      REQUIRE(outcome.ok());
      INFO("cut at " << cut);
      CHECK(outcome->accepted == expected.accepted);
      REQUIRE(outcome->errors.size() == expected.errors.size());
      for (std::size_t i = 0; i < expected.errors.size(); ++i) CHECK(outcome->errors[i].line == expected.errors[i].line);
    });
    CHECK(fixture.events("m") == whole.events("m"));
    fixture.check_balance();
  }
}

TEST_CASE("a rejected point is a letter that can be sent again, by the rules it came with") {
  PointsFixture fixture;
  fixture.rules.unit_ns = 1'000'000'000;
  fixture.write("m,host=a v=1i 5\nm,host=a v=oops 6\n");
  auto page = fixture.gate->dead_letters().list({"m", {}, {}, 100, {}});
  REQUIRE(page.ok());
  REQUIRE(page->letters.size() == 1);
  ingest::DeadLetter letter = page->letters[0];
  CHECK(letter.form == ingest::LetterForm::point);
  CHECK(letter.raw == "m,host=a v=oops 6");
  CHECK(letter.kind == "influx");
  letter.raw = "m,host=a v=2i 6";
  const auto again = ingest::resend(*fixture.gate, "m", {letter});
  REQUIRE(again.ok());
  CHECK(again->accepted == 1);
  const auto records = fixture.log.records("m");
  REQUIRE(records.size() == 2);
  CHECK(records[1].time == Timestamp{6'000'000});
  CHECK(records[1].key == "a");
}
