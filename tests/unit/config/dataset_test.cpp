// Datasets' compatibility and prototypes' facts.
#include <algorithm>
#include <fstream>

#include <catch2/catch.hpp>

#include <iotstream/config/config.hpp>

#include "support/temporary_directory.hpp"

using namespace iotstream;
using config::Compatibility;

namespace {

config::Loaded loaded(const std::string& text) {
  static const test::TemporaryDirectory directory;
  static int number = 0;
  const std::string path = directory / std::to_string(++number);
  std::ofstream(path) << text;
  return config::load(path, {});
}

/// Messages of all problems, one a line.
std::string problems(const std::string& text) {
  std::string all;
  for (const auto& problem : loaded(text).problems) all += problem.message + "\n";
  return all;
}

}  // namespace

TEST_CASE("a dataset's compatibility, by itself or with a prototype") {
  const auto config = loaded(R"(
[[dataset]]
name = "a"
compatibility = "strict"
[[prototype]]
code = "P"
dataset = "b"
compatibility = "additive"
[[prototype]]
code = "Q"
dataset = "b"
[[prototype]]
code = "R"
dataset = "a"
compatibility = "strict"
)");
  REQUIRE(config.problems.empty());
  REQUIRE(config.config.datasets.size() == 2);
  CHECK((config.config.datasets[0].name == "a" && config.config.datasets[0].compatibility == Compatibility::strict));
  CHECK((config.config.datasets[1].name == "b" && config.config.datasets[1].compatibility == Compatibility::additive));
}

TEST_CASE("what cannot be said of a dataset") {
  const std::string two =
      "[[dataset]]\nname = 'a'\ncompatibility = 'strict'\n[[prototype]]\ncode = 'a'\ncompatibility = 'additive'\n";
  CHECK(problems(two).find("dataset 'a' has another compatibility already, at ") == 0);
  CHECK(problems("[[dataset]]\nname = 'a'\n") == "compatibility must be adaptive, additive or strict\n");
  CHECK(problems("[[dataset]]\ncompatibility = 'strict'\n") == "name must not be empty\n");
  CHECK(problems("[[dataset]]\nname = '_a'\ncompatibility = 'strict'\n") ==
        "datasets that begin with _ are the server's own\n");
  CHECK(problems("[[dataset]]\nname = 'a'\ncompatibility = 'loose'\n").find("adaptive") != std::string::npos);
  CHECK(problems("[[dataset]]\nname = 'a'\ncompatibility = 'strict'\ncompatible = 1\n").find("compatib") != std::string::npos);
}

TEST_CASE("facts are JSON scalars, by name") {
  const auto config =
      loaded("[[prototype]]\ncode = 'P'\nfacts = { site = \"Ly\\\"on\", floor = 3, on = true, height = 2.5 }\n");
  REQUIRE(config.problems.empty());
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"floor", "3"}, {"height", "2.5"}, {"on", "true"}, {"site", "\"Ly\\\"on\""}};
  CHECK(config.config.prototypes.at(0).facts == expected);
  const std::string wrong = problems("[[prototype]]\ncode = 'P'\nfacts = { list = [1], far = inf }\n");
  CHECK(wrong.find("the fact 'list' must be a text, a number, true or false\n") != std::string::npos);
  CHECK(wrong.find("the fact 'far' must be a text, a number, true or false\n") != std::string::npos);
  CHECK(problems("[[prototype]]\ncode = 'P'\nfacts = 'x'\n").find("facts must be a table") == 0);
}
