// The same body under the same key.
#include "ingest/idempotency.hpp"

#include "unit/ingest/fixture.hpp"

using namespace iotstream;
using ingest::Outcome;
using test::GateFixture;

namespace {

ingest::Submission keyed(std::string_view body, std::string_view key, std::string_view dataset = "d") {
  ingest::Submission submission;
  submission.dataset = dataset;
  submission.body = body;
  submission.idempotency_key = key;
  return submission;
}

}  // namespace

TEST_CASE("a repeated body is not taken again: what was accepted are duplicates then") {
  GateFixture fixture;
  const auto first = fixture.submit(keyed("{\"n\":1}\n{\n{\"n\":2}", "k"));
  REQUIRE(first.ok());
  CHECK(first->accepted == 2);
  for (int i = 0; i < 3; ++i) {
    const auto again = fixture.submit(keyed("{\"n\":1}\n{\n{\"n\":2}", "k"));
    REQUIRE(again.ok());
    CHECK(again->accepted == 0);
    CHECK(again->duplicates == 2);
    CHECK(again->rejected == 1);
    CHECK(again->errors.size() == 1);
    CHECK(again->last->offset == first->last->offset);
  }
  CHECK(fixture.log.records("d").size() == 2);
  CHECK(fixture.count("received") == 12);
  CHECK(fixture.count("duplicates") == 6);
  fixture.check_balance();
}

TEST_CASE("a key belongs to its dataset, and to its body") {
  GateFixture fixture;
  CHECK(fixture.submit(keyed("{\"n\":1}", "k"))->accepted == 1);
  CHECK(fixture.submit(keyed("{\"n\":1}", "k", "e"))->accepted == 1);
  CHECK(fixture.submit(keyed("{\"n\":1}", "other"))->accepted == 1);
  const auto wrong = fixture.submit(keyed("{\"n\":2}", "k"));
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().kind == ErrorKind::unprocessable);
  fixture.check_balance();
}

TEST_CASE("after a refusal in the middle the next try takes only what is left") {
  GateFixture fixture;
  const std::string body = "{\"n\":1}\n{\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}";
  fixture.log.refuse_after(2, log::AppendStatus::back_pressured);
  CHECK(fixture.submit(keyed(body, "k"))->refused == 2);
  fixture.log.refuse_after(1, log::AppendStatus::back_pressured);
  const auto second = fixture.submit(keyed(body, "k"));
  CHECK(second->accepted == 1);
  CHECK(second->duplicates == 2);
  CHECK(second->rejected == 1);
  CHECK(second->refused == 1);
  CHECK(second->refusal);
  fixture.log.clear_sky();
  const auto third = fixture.submit(keyed(body, "k"));
  CHECK(third->accepted == 1);
  CHECK(third->duplicates == 3);
  CHECK(third->rejected == 1);
  CHECK_FALSE(third->refusal);
  CHECK(fixture.submit(keyed(body, "k"))->duplicates == 4);
  CHECK(fixture.events("d") == std::vector<std::string>{"{\"n\":1}", "{\"n\":2}", "{\"n\":3}", "{\"n\":4}"});
  fixture.check_balance();
}

TEST_CASE("a repetition that comes while the first is on its way gets the same answer") {
  GateFixture fixture;
  fixture.taken("d", "{}");
  auto& partition = fixture.log.find("d")->partition(fixture.log.find("d")->partition_of("d"));
  partition.hold();
  std::vector<Result<Outcome>> answers;
  const auto done = [&](Result<Outcome> result) { answers.push_back(std::move(result)); };
  fixture.gate->submit(keyed("{\"n\":1}", "k"), done);
  fixture.gate->submit(keyed("{\"n\":1}", "k"), done);
  CHECK(answers.empty());
  CHECK(fixture.log.records("d").size() == 2);
  SECTION("when it was acknowledged") {
    partition.release({});
    REQUIRE(answers.size() == 2);
    CHECK(answers[0]->accepted + answers[1]->accepted == 1);
    CHECK(answers[0]->duplicates + answers[1]->duplicates == 1);
  }
  SECTION("when it was not: the next try finds in the log what came there") {
    partition.release(Error{ErrorKind::io, "the sync failed"});
    REQUIRE(answers.size() == 2);
    CHECK((answers[0]->refusal && answers[1]->refusal));
    CHECK(fixture.submit(keyed("{\"n\":1}", "k"))->duplicates == 1);
    CHECK(fixture.log.records("d").size() == 2);
  }
  fixture.check_balance();
}

TEST_CASE("a body that could not be read may be sent mended under the same key") {
  GateFixture fixture;
  CHECK_FALSE(fixture.submit(keyed("{", "k")).ok());
  CHECK(fixture.submit(keyed("{}", "k"))->accepted == 1);
}

TEST_CASE("outcomes are forgotten after ten minutes, and the oldest when there are too many; the log still knows the key") {
  GateFixture fixture;
  CHECK(fixture.submit(keyed("{}", "k"))->accepted == 1);
  fixture.clock.advance(Duration::seconds(599));
  CHECK(fixture.submit(keyed("{}", "k"))->duplicates == 1);
  fixture.clock.advance(Duration::seconds(2));
  CHECK(fixture.submit(keyed("{}", "k"))->duplicates == 1);
  fixture.clock.advance(Duration::seconds(601));
  const auto other = fixture.submit(keyed("{\"n\":1}", "k"));  // of what came to the log, its body is known
  REQUIRE(other.ok());
  CHECK(other->rejected == 1);
  CHECK_THAT(other->errors.front().reason, Catch::Contains("another body"));
  for (std::size_t i = 0; i < ingest::Idempotency::keys_max; ++i)
    CHECK(fixture.submit(keyed("{}", "k" + std::to_string(i)))->accepted == 1);
  CHECK(fixture.submit(keyed("{}", "k"))->duplicates == 1);
}
