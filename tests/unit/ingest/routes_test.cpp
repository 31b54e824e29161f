// The two routes, as values.
#include <future>

#include "unit/ingest/fixture.hpp"
#include "unit/ingest/packed.hpp"

using namespace iotstream;
using test::GateFixture;
using test::gzip;
using test::zstd;

namespace {

struct RoutesFixture : GateFixture {
  os::WorkerPool workers{"test", 1, 4};
  net::Router router;
  RoutesFixture() { ingest::add_routes(router, *gate, workers, 100'000); }

  net::Response post(const std::string& path, std::string body, net::Headers headers = {}, const std::string& acks = {}) {
    auto match = router.match(net::Method::post, path);
    REQUIRE(match.handler);
    net::Request request;
    request.method = net::Method::post;
    request.path = path;
    request.params = match.params;
    request.headers = std::move(headers);
    request.body = std::move(body);
    if (!acks.empty()) request.query.emplace_back("acks", acks);
    const auto answer = std::make_shared<std::promise<net::Response>>();
    auto future = answer->get_future();
    (*match.handler)(std::move(request), [answer](net::Response response) { answer->set_value(std::move(response)); });
    return future.get();
  }
};

std::string header(const net::Response& response, std::string_view name) {
  std::string found;
  for (const auto& [key, value] : response.headers)
    if (key == name) found += value;
  return found;
}

const std::string events = "/api/v1/datasets/d/events";

}  // namespace

TEST_CASE("the reference endpoint answers with topic, partition and offset") {
  RoutesFixture fixture;
  const auto first =
      fixture.post("/search/results", R"({"DatasetType":"1","data":{"code":"X"}})", {{"content-type", "application/json"}});
  CHECK(first.status == 200);
  CHECK(first.content_type == "application/json");
  const auto partition = fixture.log.find("1")->partition_of("X").value;
  CHECK(first.body == "{\"topic\":\"1\",\"partition\":" + std::to_string(partition) + ",\"offset\":0}");
  const auto second = fixture.post("/search/results", R"({"DatasetType":"1","data":{"code":"X"}})");
  CHECK(second.body == "{\"topic\":\"1\",\"partition\":" + std::to_string(partition) + ",\"offset\":1}");
}

TEST_CASE("the events endpoint answers with counts and the lines that were not taken") {
  RoutesFixture fixture;
  CHECK(fixture.post(events, "{\"n\":1}").body == R"({"accepted":1,"rejected":0,"duplicates":0,"errors":[]})");
  const auto some = fixture.post(events, "{\"n\":1}\n{\"n\":\n{\"n\":2}", {{"content-type", "application/x-ndjson"}});
  CHECK(some.status == 200);
  CHECK_THAT(some.body,
             Catch::StartsWith(R"({"accepted":2,"rejected":1,"duplicates":0,"errors":[{"line":2,"reason":"column )"));
  const auto none = fixture.post(events, "nothing", {{"content-type", "application/x-ndjson"}});
  CHECK(none.status == 200);
  CHECK_THAT(none.body, Catch::StartsWith(R"({"accepted":0,"rejected":1,)"));
  CHECK(fixture.post(events, "[]", {{"content-type", "application/json"}}).status == 200);
  CHECK(fixture.post(events, "v;w\n1;2\n", {{"content-type", "text/csv; charset=utf-8"}}).status == 200);
  CHECK(fixture.post("/api/v1/datasets/other/events", "{}").status == 200);
  CHECK(fixture.log.records("other").size() == 1);
}

TEST_CASE("what cannot be taken has its status") {
  RoutesFixture fixture;
  const net::Headers json = {{"content-type", "application/json"}};
  struct Case {
    std::string path;
    std::string body;
    net::Headers headers;
    unsigned status;
    std::string detail;
  };
  const std::vector<Case> cases = {
      {events, "{\"n\":", json, 400, "line 1, column 6"},
      {events, "", json, 400, "empty"},
      {events, "17", json, 422, "must be a JSON object"},
      {events, "{\"\":1}", json, 422, "empty name"},
      {events, "{\"n\":\"" + std::string(1'100'000, 'x') + "\"}", json, 413, "more than 1048576 bytes"},
      {events, "{}", {{"content-type", "application/xml"}}, 415, "application/json"},
      {events, "{}", {{"content-type", "application/json; charset=iso-8859-1"}}, 415, "UTF-8"},
      {events, "{}", {{"content-encoding", "br"}}, 415, "gzip"},
      {events, "{}", {{"content-encoding", "gzip"}}, 400, "not valid gzip"},
      {events, gzip(std::string(200'000, ' ')), {{"content-encoding", "gzip"}}, 413, "more than 100000 bytes"},
      {events, "{}", {{"idempotency-key", std::string(256, 'k')}}, 400, "Idempotency-Key"},
      {events, "{}", {{"idempotency-key", ""}}, 400, "Idempotency-Key"},
      {events, "{}", {{"producer-id", "1"}}, 400, "come together"},
      {events, "{}", {{"producer-sequence", "1"}}, 400, "come together"},
      {events, "{}", {{"producer-id", "1"}, {"producer-sequence", "-1"}}, 400, "whole numbers"},
      {events, "{}", {{"producer-id", "9223372036854775808"}, {"producer-sequence", "1"}}, 400, "whole numbers"},
      {events, "{}", {{"producer-id", ""}, {"producer-sequence", "1"}}, 400, "whole numbers"},
      {events, "{}", {{"producer-id", "1"}, {"producer-sequence", "1"}, {"idempotency-key", "k"}}, 400, "not both"},
      {"/search/results", "{}", {{"producer-id", "1"}, {"producer-sequence", "1"}}, 400, "/events"},
      {"/search/results", "{\"DatasetType\":\"1\"", json, 400, "line 1"},
      {"/search/results", "{\"n\":1}", json, 422, "no DatasetType"},
      {"/search/results", "{\"DatasetType\":\"1\",\"data\":[]}", json, 422, "data must be an object"},
      {"/search/results", "{\"DatasetType\":\"_x\",\"data\":{}}", json, 422, "internal"},
      {"/search/results", "[]", json, 422, "no reading"},
      {"/search/results", "v;w\n1;2\n", {{"content-type", "text/csv"}}, 400, "DatasetType"},
  };
  for (const Case& one : cases) {
    INFO(one.body.substr(0, 60));
    RoutesFixture fresh;
    const auto response = fresh.post(one.path, one.body, one.headers);
    CHECK(response.status == one.status);
    CHECK(response.content_type == "application/problem+json");
    CHECK_THAT(response.body, Catch::Contains(one.detail));
    fresh.check_balance();
  }
  const auto acks = fixture.post(events, "{}", {}, "all");
  CHECK(acks.status == 400);
  CHECK(header(fixture.post(events, "{}", {{"content-encoding", "br"}}), "Accept-Encoding") == "gzip, zstd");
}

TEST_CASE("a refusal has its status, says when to try again, and how far it came") {
  const std::vector<std::pair<log::AppendStatus, unsigned>> statuses = {{log::AppendStatus::back_pressured, 429},
                                                                        {log::AppendStatus::read_only, 503},
                                                                        {log::AppendStatus::closed, 503},
                                                                        {log::AppendStatus::disk_full, 507}};
  for (const auto& [status, expected] : statuses) {
    RoutesFixture fixture;
    fixture.log.refuse_after(1, status);
    const auto some = fixture.post(events, "{\"n\":1}\n{\"n\":2}\n{\"n\":3}");
    CHECK(some.status == expected);
    CHECK(some.content_type == "application/problem+json");
    CHECK(header(some, "Retry-After") == (expected == 507 ? "" : "1"));
    CHECK_THAT(some.body, Catch::Contains("\"status\":" + std::to_string(expected)));
    CHECK_THAT(some.body, Catch::Contains("\"accepted\":1") && Catch::Contains("\"refused\":2"));
    const auto one = fixture.post("/search/results", R"({"DatasetType":"d","data":{"n":1}})");
    CHECK(one.status == expected);
    fixture.check_balance();
  }
}

TEST_CASE("compressed and large bodies are read on a worker") {
  RoutesFixture fixture;
  const auto packed = fixture.post(events, gzip("{\"n\":1}\n{\"n\":2}"), {{"content-encoding", "gzip"}});
  CHECK(packed.status == 200);
  CHECK(fixture.log.records("d").size() == 2);
  const std::string two = "{\"n\":3}\n{\"n\":4}";
  CHECK(fixture.post(events, zstd(two), {{"content-encoding", "zstd"}}).status == 200);
  CHECK(fixture.log.records("d").size() == 4);
  fixture.workers.stop();
  const auto full = fixture.post(events, gzip("{}"), {{"content-encoding", "gzip"}});
  CHECK(full.status == 429);
  RoutesFixture other;
  std::string large;
  while (large.size() < 70'000) large += "{\"n\":1}\n";
  CHECK(other.post(events, large).status == 200);
}

TEST_CASE("the same key and body are answered again without being taken again") {
  RoutesFixture fixture;
  const net::Headers key = {{"idempotency-key", "k"}};
  const std::string body = R"({"DatasetType":"1","data":{"code":"X"}})";
  const auto first = fixture.post("/search/results", body, key);
  CHECK(fixture.post("/search/results", body, key).body == first.body);
  CHECK(fixture.log.records("1").size() == 1);
  CHECK(fixture.post(events, "{}", key).body == R"({"accepted":1,"rejected":0,"duplicates":0,"errors":[]})");
  CHECK(fixture.post(events, "{}", key).body == R"({"accepted":0,"rejected":0,"duplicates":1,"errors":[]})");
  CHECK(fixture.post(events, "[]", key).status == 422);
}

TEST_CASE("numbered readings: repetitions are duplicates, a gap is 409 with the number that comes next") {
  RoutesFixture fixture;
  const auto numbered = [](std::string sequence) {
    return net::Headers{{"producer-id", "7"}, {"producer-sequence", std::move(sequence)}};
  };
  CHECK(fixture.post(events, "{\"n\":1}\n{\"n\":2}", numbered("1")).body ==
        R"({"accepted":2,"rejected":0,"duplicates":0,"errors":[]})");
  CHECK(fixture.post(events, "{\"n\":1}\n{\"n\":2}\n{\"n\":3}", numbered("1")).body ==
        R"({"accepted":1,"rejected":0,"duplicates":2,"errors":[]})");
  const auto gap = fixture.post(events, "{\"n\":5}", numbered("5"));
  CHECK(gap.status == 409);
  CHECK(gap.content_type == "application/problem+json");
  CHECK_THAT(gap.body, Catch::Contains("\"expected_sequence\":4") && Catch::Contains("goes on at sequence 4"));
  CHECK(fixture.post(events, "{\"n\":4}", numbered("4")).status == 200);
  CHECK(fixture.log.records("d").size() == 4);
  fixture.check_balance();
  // After a refusal the same body is sent again: what was taken is not taken twice.
  RoutesFixture rainy;
  rainy.log.refuse_after(1, log::AppendStatus::back_pressured);
  CHECK(rainy.post(events, "{\"n\":1}\n{\"n\":2}", numbered("1")).status == 429);
  rainy.log.clear_sky();
  CHECK(rainy.post(events, "{\"n\":3}", numbered("3")).status == 409);
  CHECK(rainy.post(events, "{\"n\":1}\n{\"n\":2}", numbered("1")).body ==
        R"({"accepted":1,"rejected":0,"duplicates":1,"errors":[]})");
}
