#include <iotstream/catalog/dashboards.hpp>

#include "catalog/fixture.hpp"

namespace iotstream::catalog {

struct DashboardsFixture : CatalogFixture {
  std::unique_ptr<Dashboards> dashboards;

  DashboardsFixture() { start(); }
  /// As a new process does.
  void start() {
    dashboards.reset();
    auto opened = Dashboards::open(folder.path() + "/data", clock);
    REQUIRE(opened.ok());
    dashboards = std::move(*opened);
  }
};

TEST_CASE_METHOD(DashboardsFixture, "dashboards are listed by name, with time and size of the document") {
  CHECK(dashboards->list()->empty());
  const auto second = dashboards->create("b", R"({"é":1})");
  REQUIRE(second.ok());
  clock.advance(Duration{5});
  const auto first = dashboards->create("A", "{}");
  REQUIRE(first.ok());
  CHECK(first->id.size() == 16);
  CHECK(first->id != second->id);
  const auto lines = dashboards->list();
  REQUIRE(lines->size() == 2);
  CHECK((*lines)[0].id == first->id);
  CHECK((*lines)[0].name == "A");
  CHECK((*lines)[0].changed == Timestamp{1'700'000'000'000'005});
  // Bytes, not characters: é has two.
  CHECK((*lines)[1].bytes == std::string_view(R"({"é":1})").size());
}

TEST_CASE_METHOD(DashboardsFixture, "a dashboard is changed and kept") {
  const auto made = dashboards->create("a", "{}");
  REQUIRE(made.ok());
  clock.advance(Duration{7});
  REQUIRE(dashboards->change(made->id, "b", R"({"x":1})").ok());
  start();
  const auto found = dashboards->find(made->id);
  REQUIRE(found.ok());
  CHECK(found->name == "b");
  CHECK(found->document == R"({"x":1})");
  CHECK(found->changed == Timestamp{1'700'000'000'000'007});
  CHECK(dashboards->list()->size() == 1);
}

TEST_CASE_METHOD(DashboardsFixture, "a dashboard is removed once; what is not there is not found") {
  const auto made = dashboards->create("a", "{}");
  REQUIRE(made.ok());
  CHECK(dashboards->remove(made->id).ok());
  CHECK(dashboards->remove(made->id).error().kind == ErrorKind::not_found);
  CHECK(dashboards->find(made->id).error().kind == ErrorKind::not_found);
  CHECK(dashboards->change(made->id, "a", "{}").error().kind == ErrorKind::not_found);
  CHECK(dashboards->list()->empty());
}

TEST_CASE_METHOD(DashboardsFixture, "names and documents have limits, and so has their number") {
  CHECK(dashboards->create("", "{}").error().kind == ErrorKind::unprocessable);
  CHECK(dashboards->create(" \t", "{}").error().kind == ErrorKind::unprocessable);
  CHECK(dashboards->create(std::string(200, 'n'), "{}").ok());
  CHECK(dashboards->create(std::string(201, 'n'), "{}").error().kind == ErrorKind::unprocessable);
  CHECK(dashboards->create("a", std::string(262'144, ' ')).ok());
  CHECK(dashboards->create("a", std::string(262'145, ' ')).error().kind == ErrorKind::too_large);
  for (std::size_t i = 2; i < Dashboards::count_max; ++i) REQUIRE(dashboards->create("a", "{}").ok());
  const auto refused = dashboards->create("a", "{}");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message == "there are 500 dashboards already; delete one first");
  // The limit is on new ones: those that are there can still be changed.
  CHECK(dashboards->change(dashboards->list()->front().id, "z", "{}").ok());
}

TEST_CASE_METHOD(DashboardsFixture, "names are text, whatever is in them") {
  const std::string name = "'); DROP TABLE dashboards; --";
  const auto made = dashboards->create(name, "{}");
  REQUIRE(made.ok());
  CHECK(dashboards->find(made->id)->name == name);
  CHECK(dashboards->find("' OR '1'='1").error().kind == ErrorKind::not_found);
}

}  // namespace iotstream::catalog
