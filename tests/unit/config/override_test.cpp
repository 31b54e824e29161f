// `--set KEY=VALUE`.
#include <fstream>

#include <catch2/catch.hpp>

#include <iotstream/config/config.hpp>

#include "support/temporary_directory.hpp"

using namespace iotstream;

namespace {

config::Loaded load(const std::string& text, const std::vector<std::string>& overrides) {
  const test::TemporaryDirectory directory;
  std::ofstream(directory / "c.toml") << text;
  return config::load(directory / "c.toml", overrides);
}

std::string only_problem(const config::Loaded& loaded) {
  REQUIRE(loaded.problems.size() == 1);
  return loaded.problems[0].text();
}

}  // namespace

TEST_CASE("an override wins over the file, and the last over the first") {
  const auto loaded = load("[log]\npartitions = 2\n", {"log.partitions=8", "log.partitions = 16", "data_dir=/tmp/some dir"});
  CHECK(loaded.problems.empty());
  CHECK(loaded.config.log.partitions == 16);
  CHECK(loaded.config.data_dir == "/tmp/some dir");
}

TEST_CASE("values are TOML, and bare words are texts") {
  const auto loaded =
      load("[[prototype]]\ncode = 'X'\n[[simulation]]\nprototype = 'X'\n",
           {"server.listen=[\"127.0.0.1:0\"]", "log.segment_size=1MiB", "log.sync=none", "log.retention={ size = 0 }",
            "simulation.0.period=recorded", "simulation.0.loop=false", "simulation.0.speed=2.5", "prototype.0.label='P p'",
            "prototype.0.version=2", "prototype.0.brand=2022-01-01", "store.retention.\"1s\"=3d", "store.retention.1h=1y"});
  for (const auto& problem : loaded.problems) UNSCOPED_INFO(problem.text());
  CHECK(loaded.problems.empty());
  CHECK(loaded.config.server.listen.at(0).text() == "127.0.0.1:0");
  CHECK(loaded.config.log.segment_size == 1u << 20);
  CHECK(loaded.config.log.sync == config::Sync::none);
  CHECK(loaded.config.log.retention_size == 0);
  CHECK_FALSE(loaded.config.simulations.at(0).period.has_value());
  CHECK_FALSE(loaded.config.simulations.at(0).loop);
  CHECK(loaded.config.simulations.at(0).speed == 2.5);
  CHECK(loaded.config.prototypes.at(0).label == "P p");
  CHECK(loaded.config.prototypes.at(0).version == "2");
  CHECK(loaded.config.prototypes.at(0).brand == "2022-01-01");
  CHECK(loaded.config.store.retention_1s == Duration::seconds(3 * 86'400));
  CHECK(loaded.config.store.retention_1h == Duration::seconds(365 * 86'400));
}

TEST_CASE("an address needs no quotes") { CHECK(load("", {"server.listen=127.0.0.1:0"}).config.server.listen.at(0).port == 0); }

TEST_CASE("lists grow by one element at their end") {
  const auto loaded = load("", {"prototype.0.code=A", "prototype.1.code=B", "simulation.0.prototype=B", "topic.0.name=t"});
  CHECK(loaded.problems.empty());
  CHECK(loaded.config.topics.at(0).name == "t");
  CHECK(loaded.config.prototypes.at(1).code == "B");
  CHECK(loaded.config.simulations.at(0).prototype == "B");
  CHECK(only_problem(load("", {"prototype.3.code=A"}))
            .starts_with("--set prototype.3.code: '3' must be a number from 0 to 0 here"));
  CHECK(only_problem(load("[[prototype]]\ncode='A'\n", {"prototype.x.code=A"})).find("must be a number from 0 to 1") !=
        std::string::npos);
}

TEST_CASE("problems of an override are told at it") {
  CHECK(only_problem(load("", {"log.partitons=8"})) ==
        "--set log.partitons: unknown key 'log.partitons'; did you mean 'log.partitions'?");
  CHECK(
      only_problem(load("", {"log.partitions=x"})).starts_with("--set log.partitions: log.partitions must be a whole number"));
  CHECK(only_problem(load("", {"log.partitions"})).find("write it as KEY=VALUE") != std::string::npos);
  CHECK(only_problem(load("", {"=8"})).find("write it as KEY=VALUE") != std::string::npos);
  CHECK(only_problem(load("", {"log..partitions=8"})).find("write it as KEY=VALUE") != std::string::npos);
  CHECK(only_problem(load("", {"log.\"partitions=8"})).find("write it as KEY=VALUE") != std::string::npos);
  CHECK(only_problem(load("", {"log.partitions=["})).find("is no TOML value") != std::string::npos);
  CHECK(only_problem(load("", {"data_dir="})).find("is no TOML value") != std::string::npos);
  CHECK(only_problem(load("data_dir = 'x'\n", {"data_dir.x=8"})).find("there is nothing below the text \"x\"") !=
        std::string::npos);
}

TEST_CASE("a value cannot smuggle in other keys") {
  const auto loaded = load("", {"log.partitions=8\ndata_dir = 'stolen'"});
  CHECK(loaded.config.data_dir == "var");
  CHECK(only_problem(loaded).starts_with("--set log.partitions: "));
}
