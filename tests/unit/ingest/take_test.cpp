// Gate::take: many small bodies of one sender at once.
#include "unit/ingest/fixture.hpp"

using namespace iotstream;
using namespace iotstream::test;

namespace {

ingest::Submission message(std::string_view dataset, std::string_view device, std::string_view body) {
  ingest::Submission submission;
  submission.dataset = dataset;
  submission.device = device;
  submission.body = body;
  submission.format = ingest::BodyFormat::json;
  submission.kind = ingest::SourceKind::mqtt;
  return submission;
}

}  // namespace

TEST_CASE("take: each body has its outcome, and one acknowledgement is for all", "[ingest]") {
  GateFixture fixture;
  const std::vector<ingest::Submission> submissions{
      message("a", "d1", R"({"n":1})"), message("b", "d2", R"([{"n":2},{"n":3}])"), message("a", "d1", "{"),
      message("", "", R"({"DatasetType":"c","data":{}})"), message("", "", R"({"n":1})")};
  unsigned acknowledged = 0;
  const auto outcomes = fixture.gate->take(submissions, ingest::Acks::durable, [&](const Status& status) {
    CHECK(status.ok());
    ++acknowledged;
  });
  CHECK(acknowledged == 1);
  REQUIRE(outcomes.size() == 5);
  CHECK(outcomes[0]->accepted == 1);
  CHECK(outcomes[1]->accepted == 2);
  CHECK_FALSE(outcomes[2].ok());
  CHECK(outcomes[3]->accepted == 1);
  CHECK(outcomes[4]->rejected == 1);
  CHECK(fixture.log.records("a").front().key == "d1");
  CHECK(fixture.log.records("b").front().key == "d2");
  CHECK(fixture.count("accepted", "mqtt") == 4);
  CHECK(fixture.count("rejected", "mqtt") == 2);
  fixture.check_balance();
}

TEST_CASE("take: the topic's device counts, and the payload's stays a field", "[ingest]") {
  GateFixture fixture;
  const ingest::Submission one = message("a", "from the topic", R"({"device":"from the payload","n":1})");
  static_cast<void>(fixture.gate->take(std::span(&one, 1), ingest::Acks::none, [](const Status&) {}));
  CHECK(fixture.log.records("a").front().key == "from the topic");
  CHECK(fixture.event("a") == R"({"device":"from the payload","n":1})");
  const std::string long_name(ingest::name_size_max + 1, 'x');
  const ingest::Submission two = message("a", long_name, R"({"n":1})");
  const auto outcomes = fixture.gate->take(std::span(&two, 1), ingest::Acks::none, [](const Status&) {});
  CHECK(outcomes.front()->rejected == 1);
}

TEST_CASE("take: what stands behind the first refusal is not tried, and a repetition goes on where it stopped", "[ingest]") {
  GateFixture fixture;
  std::vector<ingest::Submission> submissions{
      message("a", "d", R"({"n":1})"), message("a", "d", R"([{"n":2},{"n":3},{"n":4}])"), message("a", "d", R"({"n":5})")};
  fixture.log.refuse_after(3, log::AppendStatus::back_pressured);
  auto outcomes = fixture.gate->take(submissions, ingest::Acks::durable, [](const Status&) {});
  REQUIRE(outcomes.size() == 2);
  CHECK(outcomes[1]->accepted == 2);
  CHECK(outcomes[1]->refused == 1);
  fixture.log.clear_sky();
  submissions.erase(submissions.begin());
  submissions[0].skip = 2;
  outcomes = fixture.gate->take(submissions, ingest::Acks::durable, [](const Status&) {});
  REQUIRE(outcomes.size() == 2);
  CHECK(fixture.events("a") == std::vector<std::string>{R"({"n":1})", R"({"n":2})", R"({"n":3})", R"({"n":4})", R"({"n":5})"});
  fixture.check_balance();
}

TEST_CASE("take: a token stands in every row, with the reading's number; known readings are duplicates", "[ingest]") {
  GateFixture fixture;
  ingest::Submission one = message("a", "d", R"([{"n":1},{"n":2},{"n":3}])");
  const std::vector<std::uint32_t> known{2};
  one.token = "token";
  one.known = known;
  const auto outcomes = fixture.gate->take(std::span(&one, 1), ingest::Acks::none, [](const Status&) {});
  CHECK(outcomes.front()->accepted == 2);
  CHECK(outcomes.front()->duplicates == 1);
  const auto records = fixture.log.records("a");
  REQUIRE(records.size() == 2);
  const auto row = model::RowView::open(records[1].value);
  REQUIRE(row);
  REQUIRE(row->token().size() == 9);
  CHECK(row->token().starts_with("token"));
  CHECK(row->token()[5] == 3);
  CHECK(fixture.events("a") == std::vector<std::string>{R"({"n":1})", R"({"n":3})"});
  fixture.check_balance();
}
