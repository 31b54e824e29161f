#include <charconv>
#include <cmath>
#include <limits>

#include <catch2/catch.hpp>

#include <iotstream/base/json.hpp>
#include <iotstream/base/text.hpp>

#include "support/random.hpp"

using namespace iotstream;

namespace {

std::string quoted(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

template <class Number>
std::string written(Number number) {
  std::string out;
  json::append_number(out, number);
  return out;
}

double read_double(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  REQUIRE((error == std::errc() && end == text.data() + text.size()));
  return number;
}

}  // namespace

TEST_CASE("text is quoted and escaped") {
  CHECK(quoted("") == "\"\"");
  CHECK(quoted("plain text") == "\"plain text\"");
  CHECK(quoted("a\"b\\c/d<e") == "\"a\\\"b\\\\c/d<e\"");
  CHECK(quoted("\b\f\n\r\t") == "\"\\b\\f\\n\\r\\t\"");
  CHECK(quoted(std::string_view("\0\x01\x1f\x7f", 4)) == "\"\\u0000\\u0001\\u001f\x7f\"");
  CHECK(quoted("é €😀\u2028") == "\"é €😀\u2028\"");
}

TEST_CASE("bytes that are not UTF-8 become U+FFFD, and what follows stays") {
  CHECK(quoted("a\xff"
               "b") == "\"a\uFFFDb\"");
  CHECK(quoted("\x80") == "\"\uFFFD\"");
  CHECK(quoted("\xc3") == "\"\uFFFD\"");
  CHECK(quoted("\xc3\"") == "\"\uFFFD\\\"\"");
  CHECK(quoted("\xc0\xaf") == "\"\uFFFD\uFFFD\"");            // overlong slash
  CHECK(quoted("\xed\xa0\x80") == "\"\uFFFD\uFFFD\uFFFD\"");  // surrogate
  CHECK(quoted("\xf4\x90\x80\x80x") == "\"\uFFFD\uFFFD\uFFFD\uFFFDx\"");
  CHECK(quoted("\xf0\x9f\x98") == "\"\uFFFD\uFFFD\uFFFD\"");
}

TEST_CASE("every code point is well-formed in its one encoding, and cut ones are not") {
  unsigned wrong = 0;
  for (unsigned point = 0; point <= 0x10ffff; ++point) {
    std::string text;
    if (point < 0x80) {
      text = {static_cast<char>(point)};
    } else if (point < 0x800) {
      text = {static_cast<char>(0xc0 | point >> 6), static_cast<char>(0x80 | (point & 0x3f))};
    } else if (point < 0x10000) {
      text = {static_cast<char>(0xe0 | point >> 12), static_cast<char>(0x80 | (point >> 6 & 0x3f)),
              static_cast<char>(0x80 | (point & 0x3f))};
    } else {
      text = {static_cast<char>(0xf0 | point >> 18), static_cast<char>(0x80 | (point >> 12 & 0x3f)),
              static_cast<char>(0x80 | (point >> 6 & 0x3f)), static_cast<char>(0x80 | (point & 0x3f))};
    }
    const bool surrogate = point >= 0xd800 && point < 0xe000;
    if (utf8_length(text) != (surrogate ? 0 : text.size())) ++wrong;
    if (text.size() > 1 && utf8_length(std::string_view(text).substr(0, text.size() - 1)) != 0) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("doubles are written with their shortest digits") {
  CHECK(written(8.0) == "8");
  CHECK(written(-0.0) == "-0");
  CHECK(written(0.0) == "0");
  CHECK(written(8.620000000000001) == "8.620000000000001");
  CHECK(written(0.1) == "0.1");
  CHECK(written(100000.0) == "100000");
  CHECK(written(0.0001) == "0.0001");
  CHECK(written(9007199254740993.0) == "9007199254740992");
  CHECK(written(1e22) == "1e+22");
  CHECK(written(5e-324) == "5e-324");
  CHECK(written(std::numeric_limits<double>::max()) == "1.7976931348623157e+308");
}

TEST_CASE("numbers that JSON does not know are null") {
  CHECK(written(std::numeric_limits<double>::quiet_NaN()) == "null");
  CHECK(written(std::numeric_limits<double>::infinity()) == "null");
  CHECK(written(-std::numeric_limits<double>::infinity()) == "null");
}

TEST_CASE("every double reads back as itself") {
  IOTSTREAM_SEEDED(random);
  for (int round = 0; round < 10'000; ++round) {
    const double any = test::any_double(random);
    const double ordinary = static_cast<double>(test::between<std::int64_t>(random, -1'000'000'000'000, 1'000'000'000'000)) /
                            std::pow(10.0, test::between(random, 0, 9));
    for (const double number : {any, ordinary}) {
      const std::string text = written(number);
      CHECK(std::bit_cast<std::uint64_t>(read_double(text)) == std::bit_cast<std::uint64_t>(number));
    }
  }
}

TEST_CASE("integers are written in full") {
  CHECK(written(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(written(std::numeric_limits<std::int64_t>::max()) == "9223372036854775807");
  CHECK(written(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
}

TEST_CASE("the writer puts commas where they belong") {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  writer.key("a")
      .value(1)
      .key("b")
      .value("x")
      .key("c")
      .begin_array()
      .value(1.5)
      .value(true)
      .null()
      .begin_object()
      .end_object()
      .end_array();
  writer.key("d").begin_array().end_array().key("e").raw("[1,2]").key("f").value(7u).key("g\n").value(std::string_view("y"));
  writer.key("h").value(std::int64_t{-1}).key("i").value(std::uint64_t{1}).key("j").value(false);
  writer.end_object();
  CHECK(out == R"({"a":1,"b":"x","c":[1.5,true,null,{}],"d":[],"e":[1,2],"f":7,"g\n":"y","h":-1,"i":1,"j":false})");
}

TEST_CASE("the writer appends to what is there") {
  std::string out = "data: ";
  json::Writer(out).begin_array().value(1).value(2).end_array();
  CHECK(out == "data: [1,2]");
}
