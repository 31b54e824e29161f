#include "live/activity.hpp"

#include <catch2/catch.hpp>

namespace iotstream::live::test {
namespace {

constexpr std::int64_t second = 1'000'000'000;

log::Record record(std::string_view device, std::int64_t time_us) { return {{}, {time_us}, {}, device, {}}; }

TEST_CASE("a steady stream has its rate, from the first seconds on and after an hour") {
  RateWindow window;
  for (std::int64_t tick = 0; tick != 36'000; ++tick) {
    window.add(tick * second / 10);
    if (tick == 50) CHECK(window.rate(5 * second) == Approx(10).epsilon(0.05));
  }
  CHECK(window.rate(36'000 * second / 10) == Approx(10).epsilon(0.12));
}

TEST_CASE("the rate of a stream that ended falls to nothing within ten seconds") {
  RateWindow window;
  window.add(100 * second, 50);
  CHECK(window.rate(100 * second) == 50);
  CHECK(window.rate(105 * second) == 10);
  CHECK(window.rate(110 * second) == 0);
  CHECK(window.rate(200 * second) == 0);
}

TEST_CASE("a stream that comes back after silence does not count its past") {
  RateWindow window;
  window.add(1 * second, 1000);
  window.add(100 * second, 9);
  CHECK(window.rate(100 * second) == Approx(1));
}

TEST_CASE("devices are numbered once, and their newest reading stays the newest") {
  Activity activity;
  auto& dataset = activity.add_dataset("1");
  std::vector<DeviceNumber> numbers;
  const std::vector<log::Record> first{record("a", 20), record("b", 5), record("a", 10)};
  CHECK(activity.note(dataset, first, {1000}, second, numbers));
  CHECK(numbers == std::vector<DeviceNumber>{0, 1, 0});
  CHECK_FALSE(activity.note(dataset, std::vector{record("b", 6)}, {2000}, 2 * second, numbers));
  CHECK(numbers == std::vector<DeviceNumber>{1});

  const auto devices = activity.devices(2 * second);
  REQUIRE(devices.size() == 2);
  CHECK(devices[0].device == "a");
  CHECK(devices[0].dataset == "1");
  CHECK(devices[0].last_seen == Timestamp{20});
  CHECK(devices[0].last_arrival == Timestamp{1000});
  CHECK(devices[0].events == 2);
  CHECK(devices[1].last_arrival == Timestamp{2000});
  const auto datasets = activity.datasets(2 * second);
  REQUIRE(datasets.size() == 1);
  CHECK(datasets[0].events == 4);
  CHECK(datasets[0].rate == Approx(4));
}

TEST_CASE("devices above the bound are counted in their dataset only") {
  Activity activity;
  auto& dataset = activity.add_dataset("1");
  std::vector<DeviceNumber> numbers;
  std::vector<std::string> names;
  for (std::size_t i = 0; i != devices_max + 10; ++i) names.push_back(fmt::format("{}", i));
  std::vector<log::Record> records;
  for (const std::string& name : names) records.push_back(record(name, 1));
  activity.note(dataset, records, {1}, second, numbers);
  CHECK(numbers[devices_max - 1] == devices_max - 1);
  CHECK(numbers[devices_max] == unknown_device);
  CHECK(activity.devices(second).size() == devices_max);
  CHECK(activity.datasets(second)[0].events == devices_max + 10);
}

}  // namespace
}  // namespace iotstream::live::test
