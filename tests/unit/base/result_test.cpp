#include <memory>
#include <string>

#include <catch2/catch.hpp>

#include <iotstream/base/ids.hpp>
#include <iotstream/base/result.hpp>

using namespace iotstream;

TEST_CASE("a result holds a value or an error") {
  const Result<int> good = 7;
  CHECK(good.ok());
  CHECK(good.value() == 7);
  const Result<int> bad = Error{ErrorKind::not_found, "no"};
  CHECK_FALSE(static_cast<bool>(bad));
  CHECK(bad.error().kind == ErrorKind::not_found);
  CHECK(bad.error().message == "no");
}

TEST_CASE("a result of an error's own type of content keeps the two apart") {
  const Result<std::string> text = std::string("no");
  CHECK(text.ok());
}

TEST_CASE("what a result holds can be moved out") {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  const std::unique_ptr<int> value = std::move(result).value();
  CHECK(*value == 7);
}

TEST_CASE("a status is well until it holds an error") {
  const Status good;
  CHECK(good.ok());
  const Status bad = Error{ErrorKind::io, "x"};
  CHECK(bad.error().kind == ErrorKind::io);
}

TEST_CASE("ids of different tags are different types, count, subtract and print") {
  static_assert(!std::is_convertible_v<Offset, PartitionId>);
  static_assert(!std::is_convertible_v<std::uint64_t, Offset>);
  Offset offset(41);
  ++offset;
  CHECK(offset == Offset(42));
  CHECK(offset + 2 - Offset(40) == 4);
  CHECK(fmt::format("{:>4}", offset) == "  42");
  CHECK(std::hash<Offset>()(Offset(7)) == std::hash<std::uint64_t>()(7));
}
