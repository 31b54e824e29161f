#include "net/text.hpp"

#include <catch2/catch.hpp>

using namespace iotstream::net;

TEST_CASE("percent escapes are undone strictly") {
  CHECK(percent_decode("/a%20b", false) == "/a b");
  CHECK(percent_decode("/%C3%A9%e2%82%ac", false) == "/é€");
  CHECK(percent_decode("a+b", false) == "a+b");
  CHECK(percent_decode("a+b", true) == "a b");
  for (const char* bad : {"%", "%2", "%zz", "%-1", "a%2g", "%00", "%0d", "%0A", "%ff", "%c3", "%ed%a0%80", "%c0%af"}) {
    INFO(bad);
    CHECK_FALSE(percent_decode(bad, false));
  }
}

TEST_CASE("a query is split before it is decoded, in order, with repeated names") {
  const auto pairs = parse_query("a=1&b=%26%3D&a=2&c&&d=x=y&e=a%0Ab");
  REQUIRE(pairs);
  const std::vector<std::pair<std::string, std::string>> expected{{"a", "1"}, {"b", "&="},  {"a", "2"},
                                                                  {"c", ""},  {"d", "x=y"}, {"e", "a\nb"}};
  CHECK(*pairs == expected);
  CHECK(parse_query("")->empty());
  for (const char* bad : {"a=%", "%0a=1", "a=%00", "a=%ff"}) {
    INFO(bad);
    CHECK_FALSE(parse_query(bad));
  }
}

TEST_CASE("a comma-separated list contains a token, ignoring case and blanks") {
  CHECK(list_contains("keep-alive, Upgrade", "upgrade"));
  CHECK(list_contains("upgrade", "Upgrade"));
  CHECK_FALSE(list_contains("upgraded, x", "upgrade"));
  CHECK_FALSE(list_contains("", "upgrade"));
}
