#include <limits>

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
