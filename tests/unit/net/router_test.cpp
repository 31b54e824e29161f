#include <algorithm>

#include <catch2/catch.hpp>

#include <iotstream/net/http.hpp>

using namespace iotstream;
using namespace iotstream::net;

namespace {

Handler handler() {
  return [](Request, Respond) {};
}

std::string matched(const Router& router, Method method, std::string_view path) {
  const auto match = router.match(method, path);
  return match.handler != nullptr ? *match.pattern : std::string();
}

}  // namespace

TEST_CASE("literal parts come before names, names before the rest, in whatever order they were added") {
  Router router;
  router.add(Method::get, "/{path...}", handler());
  router.add(Method::get, "/api/v1/datasets/{dataset}", handler());
  router.add(Method::get, "/api/v1/datasets", handler());
  router.add(Method::get, "/api/v1/datasets/all", handler());
  router.add(Method::get, "/api/v1/{other}/all", handler());
  router.add(Method::get, "/api/{rest...}", handler());
  CHECK(matched(router, Method::get, "/api/v1/datasets") == "/api/v1/datasets");
  CHECK(matched(router, Method::get, "/api/v1/datasets/all") == "/api/v1/datasets/all");
  CHECK(matched(router, Method::get, "/api/v1/datasets/7") == "/api/v1/datasets/{dataset}");
  CHECK(matched(router, Method::get, "/api/v1/groups/all") == "/api/v1/{other}/all");
  CHECK(matched(router, Method::get, "/api/v1/groups/one") == "/api/{rest...}");
  CHECK(matched(router, Method::get, "/") == "/{path...}");
  CHECK(matched(router, Method::get, "/assets/x.js") == "/{path...}");
}

TEST_CASE("names are decoded, and an escaped slash stays inside its part") {
  Router router;
  router.add(Method::get, "/topics/{topic}/at/{offset}", handler());
  router.add(Method::get, "/files/{path...}", handler());
  auto match = router.match(Method::get, "/topics/a%2Fb%20c/at/%C3%A9");
  REQUIRE(match.handler != nullptr);
  const std::vector<std::pair<std::string, std::string>> expected{{"topic", "a/b c"}, {"offset", "é"}};
  CHECK(match.params == expected);
  match = router.match(Method::get, "/files/a/b/c.txt");
  REQUIRE(match.params.size() == 1);
  CHECK(match.params[0] == std::pair<std::string, std::string>("path", "a/b/c.txt"));
}

TEST_CASE("what no pattern fits is not found: an empty name, a part too many, a closing slash") {
  Router router;
  router.add(Method::get, "/topics/{topic}", handler());
  for (const char* path : {"/", "/topics", "/topics/", "/topics/a/b", "/topics/a/", "/Topics/a", "//topics/a", ""}) {
    INFO(path);
    const auto match = router.match(Method::get, path);
    CHECK(match.handler == nullptr);
    CHECK(match.pattern == nullptr);
    CHECK(match.allowed.empty());
  }
}

TEST_CASE("a known path with another method says which it takes, and is not left to the catch-all") {
  Router router;
  router.add(Method::get, "/{path...}", handler());
  router.add(Method::get, "/topics", handler());
  router.add(Method::post, "/topics", handler());
  router.add(Method::post, "/search/results", handler());
  auto match = router.match(Method::put, "/topics");
  CHECK(match.handler == nullptr);
  std::sort(match.allowed.begin(), match.allowed.end());
  CHECK(match.allowed == std::vector<Method>{Method::get, Method::head, Method::post});
  match = router.match(Method::get, "/search/results");
  CHECK(match.handler == nullptr);
  CHECK(match.allowed == std::vector<Method>{Method::post});
  match = router.match(Method::post, "/unknown");
  CHECK(match.allowed == std::vector<Method>{Method::get, Method::head});
}

TEST_CASE("HEAD is answered by the GET route unless it has its own") {
  Router router;
  router.add(Method::get, "/a/{name}", handler());
  router.add(Method::get, "/b", handler());
  router.add(Method::head, "/b", handler());
  const auto match = router.match(Method::head, "/a/x");
  REQUIRE(match.handler != nullptr);
  CHECK(match.params.size() == 1);
  CHECK(match.handler == router.match(Method::get, "/a/y").handler);
  CHECK(router.match(Method::head, "/b").handler != router.match(Method::get, "/b").handler);
}

TEST_CASE("a WebSocket's route is a GET route of its own kind") {
  Router router;
  router.add_websocket("/live",
                       [](const Request&, std::shared_ptr<WebSocket>) -> Result<WebSocketEvents> { return WebSocketEvents(); });
  const auto match = router.match(Method::get, "/live");
  CHECK(match.websocket != nullptr);
  CHECK(match.handler == nullptr);
  CHECK(router.match(Method::post, "/live").websocket == nullptr);
  CHECK(router.routes() == std::vector<std::pair<Method, std::string>>{{Method::get, "/live"}});
}
