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

TEST_CASE("UTF-8 is checked as RFC 3629 says") {
  for (const char* good : {"", "plain ascii of some length", "é", "€", "\xF0\x9F\x9A\x97", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF"})
    CHECK(valid_utf8(good));
  for (const char* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
                          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "abcdefgh\xE2\x82", "\xE2\x82", "abcdefg\xC3"}) {
    CHECK_FALSE(valid_utf8(bad));
  }
}

TEST_CASE("base64 is read back, and refused when it is none") {
  for (const std::string text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"})
    CHECK(base64_decode(base64_encode(text)) == text);
  CHECK(base64_encode("foobar") == "Zm9vYmFy");
  CHECK(base64_encode("fo") == "Zm8=");
  CHECK_FALSE(base64_decode("Zm9v!"));
  CHECK_FALSE(base64_decode("A"));
}

TEST_CASE("a comma-separated list contains a token, ignoring case and blanks") {
  CHECK(list_contains("keep-alive, Upgrade", "upgrade"));
  CHECK(list_contains("upgrade", "Upgrade"));
  CHECK_FALSE(list_contains("upgraded, x", "upgrade"));
  CHECK_FALSE(list_contains("", "upgrade"));
}

TEST_CASE("a secret equals only itself") {
  CHECK(equals_in_constant_time("secret", "secret"));
  CHECK_FALSE(equals_in_constant_time("secret", "secreT"));
  CHECK_FALSE(equals_in_constant_time("secret", "secret "));
  CHECK(equals_in_constant_time("", ""));
}
