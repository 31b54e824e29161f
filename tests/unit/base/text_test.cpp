#include <catch2/catch.hpp>

#include <iotstream/base/text.hpp>

using namespace iotstream;

TEST_CASE("UTF-8 is checked as RFC 3629 says") {
  for (const char* good : {"", "plain ascii of some length", "é", "€", "\xF0\x9F\x9A\x97", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF"})
    CHECK(is_utf8(good));
  for (const char* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
                          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "abcdefgh\xE2\x82", "\xE2\x82", "abcdefg\xC3"}) {
    CHECK_FALSE(is_utf8(bad));
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

TEST_CASE("a secret equals only itself") {
  CHECK(equals_in_constant_time("secret", "secret"));
  CHECK_FALSE(equals_in_constant_time("secret", "secreT"));
  CHECK_FALSE(equals_in_constant_time("secret", "secret "));
  CHECK(equals_in_constant_time("", ""));
}
