#include <catch2/catch.hpp>

#include <iotstream/base/nearest.hpp>

using namespace iotstream;

TEST_CASE("the nearest key is found by its edits") {
  const std::vector<std::string> keys{"partitions", "segment_size", "sync", "sync_interval", "retention"};
  CHECK(nearest("partitons", keys) == "partitions");
  CHECK(nearest("partitoins", keys) == "partitions");
  CHECK(nearest("Partitions", keys) == "partitions");
  CHECK(nearest("snyc", keys) == "sync");
  CHECK(nearest("synch", keys) == "sync");
  CHECK(nearest("sync_intervall", keys) == "sync_interval");
  CHECK(nearest("segment", keys) == "segment_size");
  CHECK(nearest("sync", keys) == "sync");
  CHECK_FALSE(nearest("banana", keys));
  CHECK_FALSE(nearest("", keys));
  CHECK_FALSE(nearest("x", {}));
  CHECK_FALSE(nearest(std::string(100'000, 'x'), keys));
}
