#include "live/control.hpp"

#include <random>

#include <catch2/catch.hpp>

#include "support/random.hpp"

namespace iotstream::live::test {
namespace {

ClientMessage taken(std::string_view text) {
  auto read = read_message(text);
  if (const auto* refusal = std::get_if<Refusal>(&read)) FAIL(refusal->detail);
  return std::get<ClientMessage>(read);
}

std::string refused(std::string_view text) {
  const auto read = read_message(text);
  REQUIRE(std::holds_alternative<Refusal>(read));
  const auto& refusal = std::get<Refusal>(read);
  return (refusal.id ? fmt::format("{}: ", *refusal.id) : "") + refusal.detail;
}

TEST_CASE("a subscription is read with all its members") {
  const auto message = taken(
      R"({"op":"subscribe","id":3,"dataset":"1","device":"X46789","fields":["gpsSpeed","é"],"window":"-15m","pixels":1200,"rate":30})");
  CHECK(message.id == 3);
  const auto& subscribe = std::get<Subscribe>(message.what);
  CHECK(subscribe.dataset == "1");
  CHECK(subscribe.device == "X46789");
  CHECK(subscribe.fields == std::vector<std::string>{"gpsSpeed", "é"});
  CHECK(subscribe.window == Duration::seconds(900));
  CHECK(subscribe.pixels == 1200);
  CHECK(subscribe.rate == 30);
}

TEST_CASE("what is not said has its default") {
  const auto subscribe =
      std::get<Subscribe>(taken(R"({"op":"subscribe","id":1,"dataset":"1","device":"*","fields":["*"]})").what);
  CHECK(subscribe.device.empty());
  CHECK(subscribe.fields.empty());
  CHECK(subscribe.window == Duration::seconds(300));
  CHECK(subscribe.pixels == 800);
  CHECK(subscribe.rate == 20);
}

TEST_CASE("the other operations are read") {
  CHECK(std::get<Ack>(taken(R"({"op":"ack","id":1,"seq":42})").what).seq == 42);
  CHECK(std::holds_alternative<Park>(taken(R"({"op":"park","id":2147483647})").what));
  CHECK(std::holds_alternative<Resume>(taken(R"({"op":"resume","id":1})").what));
  CHECK(std::holds_alternative<Unsubscribe>(taken(R"({"op":"unsubscribe","id":1})").what));
}

TEST_CASE("what cannot be taken is refused with one sentence and its id") {
  CHECK(refused("").starts_with("The message is not JSON"));
  CHECK(refused("{\"op\":").starts_with("The message is not JSON"));
  CHECK(refused("[1]") == "The message must be a JSON object.");
  CHECK(refused(R"({"op":"ack","seq":1})") == "`id` is missing.");
  CHECK(refused(R"({"op":"ack","id":0})") == "`id` must be an integer from 1 to 2147483647, not 0.");
  CHECK(refused(R"({"op":"ack","id":"1"})") == "`id` must be an integer from 1 to 2147483647, not \"1\".");
  CHECK(refused(R"({"op":"ack","id":2})") == "2: `seq` is missing.");
  CHECK(refused(R"({"op":"dance","id":2})") == "2: `op` must be subscribe, ack, park, resume or unsubscribe, not 'dance'.");
  CHECK(refused(R"({"id":2})") == "2: `op` must be subscribe, ack, park, resume or unsubscribe, not ''.");
  CHECK(refused(R"({"op":"subscribe","id":2})") == "2: `dataset` is missing.");
  CHECK(refused(R"({"op":"subscribe","id":2,"dataset":7})") == "2: `dataset` must be a text, not 7.");
  CHECK(refused(R"({"op":"subscribe","id":2,"dataset":"1","fields":"a"})") ==
        "2: `fields` must be an array of names, not \"a\".");
  CHECK(refused(R"({"op":"subscribe","id":2,"dataset":"1","fields":[]})") ==
        "2: `fields` is empty; name fields, or [\"*\"] for all.");
  CHECK(refused(R"({"op":"subscribe","id":2,"dataset":"1","fields":["a",1]})") ==
        "2: `fields` must be an array of names, not 1.");
  CHECK(refused(R"({"op":"subscribe","id":2,"dataset":"1","pixels":0})") ==
        "2: `pixels` must be an integer from 16 to 16384, not 0.");
  CHECK(refused(R"({"op":"subscribe","id":2,"dataset":"1","rate":61})") ==
        "2: `rate` must be a number of frames a second from 0.1 to 60, not 61.");
  for (const char* window : {"5m", "-0s", "-8d", "-", "-five", "now"})
    CHECK(refused(fmt::format(R"({{"op":"subscribe","id":2,"dataset":"1","window":"{}"}})", window)) ==
          fmt::format("2: `window` must be a relative start from -1s to -7d, not '{}'.", window));
}

TEST_CASE("messages cut, flipped and stirred are refused or read, never more") {
  const auto seed = ::iotstream::test::seed();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  const std::string whole =
      R"({"op":"subscribe","id":3,"dataset":"1","device":"*","fields":["a"],"window":"-5m","pixels":800,"rate":20})";
  std::size_t read = 0;
  for (int i = 0; i != 20'000; ++i) {
    std::string text = whole;
    for (auto flips = ::iotstream::test::between(random, 1, 4); flips != 0; --flips)
      text[::iotstream::test::between<std::size_t>(random, 0, text.size() - 1)] =
          static_cast<char>(::iotstream::test::between(random, 0, 255));
    if (i % 3 == 0) text.resize(::iotstream::test::between<std::size_t>(random, 0, text.size()));
    const auto result = read_message(text);
    if (const auto* refusal = std::get_if<Refusal>(&result))
      CHECK_FALSE(refusal->detail.empty());
    else
      ++read;
  }
  CHECK(read < 20'000);
}

}  // namespace
}  // namespace iotstream::live::test
