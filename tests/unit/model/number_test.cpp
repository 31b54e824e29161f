#include <limits>
#include <string>

#include <catch2/catch.hpp>

#include <iotstream/model/number.hpp>

using namespace iotstream::model;

namespace {

ValueKind kind_of(std::string_view literal) {
  Value value;
  return read_number(literal, value) ? value.kind : ValueKind::missing;
}

}  // namespace

TEST_CASE("a literal becomes the narrowest kind that keeps it") {
  Value value;
  REQUIRE(read_number("9223372036854775807", value));
  CHECK((value.kind == ValueKind::integer && value.integer == std::numeric_limits<std::int64_t>::max()));
  REQUIRE(read_number("-9223372036854775808", value));
  CHECK((value.kind == ValueKind::integer && value.integer == std::numeric_limits<std::int64_t>::min()));
  REQUIRE(read_number("8.620000000000001", value));
  CHECK((value.kind == ValueKind::real && value.real == 8.620000000000001));
  REQUIRE(read_number("12.382000", value));
  CHECK((value.kind == ValueKind::real && value.real == 12.382));
  REQUIRE(read_number("9007199254740993", value));
  CHECK((value.kind == ValueKind::integer && value.integer == 9007199254740993));

  CHECK(kind_of("9223372036854775808") == ValueKind::decimal);
  CHECK(kind_of("-9223372036854775809") == ValueKind::decimal);
  CHECK(kind_of("9007199254740993.0") == ValueKind::decimal);  // no double is this number
  CHECK(kind_of("9007199254740992.0") == ValueKind::real);
  CHECK(kind_of("0.10000000000000000555") == ValueKind::decimal);
  CHECK(kind_of("1e400") == ValueKind::decimal);
  CHECK(kind_of("1e3") == ValueKind::real);
  CHECK(kind_of("0.000000") == ValueKind::real);
  CHECK(kind_of("5e-324") == ValueKind::real);
  CHECK(kind_of("4e-324") == ValueKind::decimal);
}

TEST_CASE("what is no JSON number is refused") {
  for (const std::string_view text :
       {"", "-", "+1", ".5", "5.", "01", "1e", "1e+", "0x10", "1 ", " 1", "1,5", "--1", "NaN", "1.2.3", "∞", "1-2"}) {
    INFO(text);
    CHECK(kind_of(text) == ValueKind::missing);
  }
}

TEST_CASE("no text at all is no number") {
  Value value;
  CHECK_FALSE(read_number(std::string_view(), value));
  CHECK(take_number(std::string_view(), value) == 0);
  CHECK(value.kind == ValueKind::missing);
}

TEST_CASE("of a number within a text as much is taken as read_number takes of it alone") {
  for (const std::string_view literal : {"0", "-0", "7", "-12.5", "123456789012345", "1234567890123456", "0.123456789012345",
                                         "12345678901234567", "1e3", "1.5E-7", "9223372036854775808", "0.1000000000000000055",
                                         "99999999999999999999999999999999", "1.50000000000000000000000000001"}) {
    Value alone;
    REQUIRE(read_number(literal, alone));
    for (const std::string_view behind : {"", ",", "}", " 1", "\n", "x"}) {
      Value taken;
      const std::string text = std::string(literal) + std::string(behind);
      INFO(text);
      CHECK(take_number(text, taken) == literal.size());
      CHECK((taken.kind == alone.kind && taken.text == alone.text));
      CHECK((taken.kind == ValueKind::decimal || taken.as_double() == alone.as_double()));
    }
  }
  for (const std::string_view none : {"", "-", "01", "1.", ".5", "1.5.2", "1e", "+1", "x", "-x", "1-2", "1.e5", "00"}) {
    INFO(none);
    Value value;
    CHECK(take_number(none, value) == 0);
  }
}
