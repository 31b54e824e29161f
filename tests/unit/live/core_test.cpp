// What a viewer meets: control, credit, rate, parking, changes of the schema, being dropped.
#include "bench.hpp"

namespace iotstream::live::test {
namespace {

using model::FieldType;

/// A viewer with one live subscription (id 1) whose empty past is acknowledged.
TestViewer& live_viewer(Bench& bench, std::string_view members = "", bool json = false) {
  TestViewer& viewer = bench.open(json);
  bench.say(viewer, fmt::format(R"({{"op":"subscribe","id":1,"dataset":"1"{}}})", members));
  bench.core->turn();
  bench.run_task();
  bench.core->turn();
  REQUIRE(viewer.frames.size() == 1);
  bench.ack(viewer, viewer.take_frames()[0]);
  bench.clock.advance(Duration::seconds(1));
  bench.core->turn();
  REQUIRE(viewer.frames.empty());
  return viewer;
}

void feed(Bench& bench, int count, std::int64_t begin = 0) {
  for (int i = 0; i != count; ++i) bench.append("1", "x", {{FieldId(0), integer(begin + i)}});
  bench.publish("1");
}

Bench& with_dataset(Bench& bench) {
  bench.declare("1", {FieldType::integer});
  bench.log.memory_topic("1");
  bench.restart();
  return bench;
}

TEST_CASE("a new viewer is greeted, then told the figures every second") {
  Bench bench;
  with_dataset(bench);
  TestViewer& viewer = bench.open();
  Turn turn = bench.core->turn();
  REQUIRE(viewer.messages.size() == 2);
  CHECK(viewer.messages[0] == fmt::format(R"({{"op":"hello","version":"{}","time":{},"started":{}}})", IOTSTREAM_VERSION,
                                          Bench::begin_us, Bench::begin_us));
  CHECK(
      viewer.messages[1] ==
      fmt::format(
          R"({{"op":"stats","time":{},"datasets":[{{"dataset":"1","events":0,"rate":0}}],"latency_ms":{{"p50":null,"p99":null}}}})",
          Bench::begin_us));
  CHECK(turn.deadline_ns == bench.clock.monotonic_ns() + 1'000'000'000);
  bench.clock.advance(Duration::milliseconds(999));
  bench.core->turn();
  CHECK(viewer.messages.size() == 2);
  bench.clock.advance(Duration::milliseconds(1));
  bench.core->turn();
  CHECK(viewer.count("\"stats\"") == 2);
}

TEST_CASE("without viewers nothing is due") {
  Bench bench;
  with_dataset(bench);
  CHECK(bench.core->turn().deadline_ns == never);
  TestViewer& viewer = bench.open();
  bench.core->turn();
  bench.close(viewer);
  CHECK(bench.core->turn().deadline_ns == never);
  CHECK(bench.forgotten == std::vector<ViewerId>{1});
}

TEST_CASE("the first row of a quiet stream leaves in the turn that reads it, the next ones at the rate") {
  Bench bench;
  with_dataset(bench);
  TestViewer& viewer = live_viewer(bench, R"(,"rate":10)");
  feed(bench, 1);
  Turn turn = bench.core->turn();
  REQUIRE(viewer.frames.size() == 1);
  bench.ack(viewer, viewer.take_frames()[0]);
  CHECK(turn.records_ns > bench.clock.monotonic_ns());  // nothing can leave at once: no need to wake for each record
  feed(bench, 1);
  turn = bench.core->turn();
  CHECK(viewer.frames.empty());
  CHECK(turn.deadline_ns == bench.clock.monotonic_ns() + 100'000'000);
  feed(bench, 1);
  bench.clock.advance(Duration::milliseconds(99));
  bench.core->turn();
  CHECK(viewer.frames.empty());
  bench.clock.advance(Duration::milliseconds(1));
  bench.core->turn();
  REQUIRE(viewer.frames.size() == 1);
  CHECK(viewer.frames[0].rows.size() == 2);
}

TEST_CASE("an idle viewer wants every record at once") {
  Bench bench;
  with_dataset(bench);
  live_viewer(bench);
  CHECK(bench.core->turn().records_ns <= bench.clock.monotonic_ns());
}

TEST_CASE("at most two frames are under way; an acknowledgement brings the next at once") {
  Bench bench;
  with_dataset(bench);
  TestViewer& viewer = live_viewer(bench);
  for (int i = 0; i != 5; ++i) {
    feed(bench, 1, i);
    bench.clock.advance(Duration::seconds(1));
    bench.core->turn();
  }
  REQUIRE(viewer.frames.size() == 2);
  bench.ack(viewer, viewer.take_frames()[0]);
  bench.core->turn();
  REQUIRE(viewer.frames.size() == 1);
  CHECK(viewer.frames[0].rows.size() == 3);
  CHECK(viewer.frames[0].merged == 0);
}

TEST_CASE("a viewer that never acknowledges gets merged frames in bounded memory, extremes kept") {
  Bench bench;
  with_dataset(bench);
  TestViewer& viewer = live_viewer(bench, R"(,"pixels":100,"window":"-1m")");
  std::size_t memory = 0;
  const int seconds = 2000;
  for (int second = 0; second != seconds; ++second) {
    for (int i = 0; i != 50; ++i) {
      bench.clock.advance(Duration::milliseconds(20));
      bench.append("1", i % 2 == 0 ? "x" : "y", {{FieldId(0), integer(second == 700 && i == 7 ? 1'000'000 : i)}});
    }
    bench.publish("1");
    bench.core->turn();
    memory = std::max(memory, bench.core->memory());
  }
  CHECK(viewer.frames.size() == 2);
  CHECK(memory < 256u << 10);
  std::size_t rows = viewer.frames[0].rows.size() + viewer.frames[1].rows.size();
  bench.ack(viewer, viewer.take_frames()[1]);
  bench.core->turn();
  REQUIRE(viewer.frames.size() == 1);
  const DecodedFrame& frame = viewer.frames[0];
  CHECK(frame.merged_flag);
  CHECK(rows + frame.rows.size() + frame.merged == 50u * seconds);
  double highest = 0;
  for (const DecodedRow& row : frame.rows) highest = std::max(highest, std::get<double>(row.values.at(0)));
  CHECK(highest == 1'000'000);
  std::map<std::uint16_t, std::int64_t> newest;
  for (const DecodedRow& row : frame.rows) {
    CHECK(row.time > newest[row.device]);
    newest[row.device] = row.time;
  }
  CHECK(viewer.door->merged == frame.merged);
}

TEST_CASE("a parked subscription is silent; resume brings one merged catch-up, then live frames") {
  Bench bench;
  with_dataset(bench);
  TestViewer& viewer = live_viewer(bench, R"(,"pixels":100,"window":"-1m")");
  bench.say(viewer, R"({"op":"park","id":1})");
  const int count = 20'000;
  for (int i = 0; i != count; ++i) {
    bench.clock.advance(Duration::milliseconds(10));
    bench.append("1", "x", {{FieldId(0), integer(i)}});
    if (i % 100 == 99) {
      bench.publish("1");
      bench.core->turn();
    }
  }
  CHECK(viewer.frames.empty());
  bench.say(viewer, R"({"op":"resume","id":1})");
  bench.core->turn();
  REQUIRE(viewer.frames.size() == 1);
  const DecodedFrame caught_up = viewer.take_frames()[0];
  CHECK(caught_up.merged_flag);
  CHECK(caught_up.rows.size() + caught_up.merged == count);
  CHECK(std::get<double>(caught_up.rows.back().values.at(0)) == count - 1);
  CHECK(!bench.core->latency().quantile_us(bench.clock.monotonic_ns(), 0.5));  // being away is not being late
  feed(bench, 1);
  bench.clock.advance(Duration::seconds(1));
  bench.core->turn();
  REQUIRE(viewer.frames.size() == 1);
  CHECK_FALSE(viewer.frames[0].merged_flag);
}

TEST_CASE("a subscription parked while its past is gathered gets it after resume") {
  Bench bench;
  with_dataset(bench);
  feed(bench, 3);
  TestViewer& viewer = bench.open();
  bench.say(viewer, R"({"op":"subscribe","id":1,"dataset":"1"})");
  bench.say(viewer, R"({"op":"park","id":1})");
  bench.core->turn();
  bench.run_task();
  bench.core->turn();
  CHECK(viewer.frames.empty());
  bench.say(viewer, R"({"op":"resume","id":1})");
  bench.core->turn();
  REQUIRE(viewer.frames.size() == 1);
  CHECK(viewer.frames[0].rows.size() == 3);
  CHECK(viewer.frames[0].last);
}

TEST_CASE("the dictionary comes before the first frame that needs it") {
  Bench bench;
  with_dataset(bench);
  TestViewer& viewer = live_viewer(bench);
  CHECK(
      viewer.last(R"("op":"fields")") ==
      R"({"op":"fields","id":1,"dataset":"1","schema_version":1,"fields":[{"index":0,"name":"a","type":"integer","unit":""}],"devices":[]})");
  feed(bench, 1);
  bench.core->turn();
  CHECK(viewer.last(R"("op":"fields")").find(R"("devices":["x"])") != std::string::npos);
  CHECK(viewer.count(R"("op":"fields")") == 2);
  bench.ack(viewer, viewer.take_frames()[0]);
  bench.clock.advance(Duration::seconds(1));

  bench.declare("1", {FieldType::real, FieldType::text});  // a is widened, b is new, in mid-stream
  bench.append("1", "x", {{FieldId(0), real(0.5)}, {FieldId(1), text("on")}});
  bench.append("1", "y", {{FieldId(0), integer(2)}});
  bench.publish("1");
  bench.core->turn();
  CHECK(viewer.last(R"("op":"fields")") ==
        R"({"op":"fields","id":1,"dataset":"1","schema_version":2,"fields":[{"index":0,"name":"a","type":"float","unit":""},)"
        R"({"index":1,"name":"b","type":"text","unit":""}],"devices":["x","y"]})");
  REQUIRE(viewer.frames.size() == 1);
  CHECK(viewer.frames[0].schema_version == 2);
  std::map<std::uint16_t, std::size_t> devices;
  for (const DecodedRow& row : viewer.frames[0].rows) {
    ++devices[row.device];
    if (row.device == 0) CHECK(std::get<std::string>(row.values.at(1)) == "on");
  }
  CHECK(devices == std::map<std::uint16_t, std::size_t>{{0, 1}, {1, 1}});
  bench.ack(viewer, viewer.take_frames()[0]);
  bench.clock.advance(Duration::seconds(1));
  feed(bench, 1);
  bench.core->turn();
  CHECK(viewer.frames.size() == 1);
  CHECK(viewer.count(R"("op":"fields")") == 3);  // nothing new: not again
}

TEST_CASE("named fields bring their columns only, and rows that have one of them") {
  Bench bench;
  bench.declare("1", {FieldType::integer, FieldType::integer, FieldType::integer});
  bench.log.memory_topic("1");
  bench.restart();
  TestViewer& viewer = live_viewer(bench, R"(,"fields":["c","a"])");
  bench.append("1", "x", {{FieldId(0), integer(1)}, {FieldId(1), integer(2)}, {FieldId(2), integer(3)}});
  bench.append("1", "x", {{FieldId(1), integer(4)}});
  bench.publish("1");
  bench.core->turn();
  REQUIRE(viewer.frames.size() == 1);
  REQUIRE(viewer.frames[0].rows.size() == 1);
  CHECK(viewer.frames[0].rows[0].values == std::map<std::uint16_t, Decoded>{{0, 1.0}, {2, 3.0}});
  CHECK(viewer.last(R"("op":"fields")").find(R"([{"index":2,"name":"c","type":"integer","unit":""},{"index":0,"name":"a")") !=
        std::string::npos);
}

TEST_CASE("a viewer that asked for JSON gets the same as text") {
  Bench bench;
  with_dataset(bench);
  TestViewer& viewer = live_viewer(bench, "", true);
  bench.append("1", "x", {{FieldId(0), integer(9'007'199'254'740'993)}});
  bench.publish("1");
  bench.core->turn();
  REQUIRE(viewer.frames.size() == 1);
  CHECK(viewer.frames[0].rows[0].device_name == "x");
  CHECK(viewer.frames[0].rows[0].json_values.at("a") == "9007199254740993");
}

TEST_CASE("viewers are told of new devices, datasets and fields, at most five times a second") {
  Bench bench;
  with_dataset(bench);
  TestViewer& viewer = bench.open();
  bench.core->turn();
  CHECK(viewer.count("changed") == 0);
  feed(bench, 1);
  bench.core->turn();
  CHECK(viewer.count("changed") == 1);
  feed(bench, 5);
  bench.core->turn();
  CHECK(viewer.count("changed") == 1);
  bench.declare("2", {FieldType::integer});
  Turn turn = bench.core->turn();
  CHECK(viewer.count("changed") == 1);
  CHECK(turn.deadline_ns == bench.clock.monotonic_ns() + 200'000'000);
  bench.clock.advance(Duration::milliseconds(200));
  bench.append("2", "y", {{FieldId(0), integer(1)}});
  bench.publish("2");
  bench.core->turn();
  CHECK(viewer.count("changed") == 2);
  CHECK(viewer.last("changed") == R"({"op":"changed","what":"datasets"})");
}

TEST_CASE("internal topics are not datasets") {
  Bench bench;
  with_dataset(bench);
  bench.append("_schemas", "1", {});
  bench.publish("_schemas");
  bench.core->turn();
  CHECK(bench.core->activity().datasets(0).size() == 1);
}

TEST_CASE("after unsubscribe nothing comes, and the id is free again") {
  Bench bench;
  with_dataset(bench);
  TestViewer& viewer = live_viewer(bench);
  bench.say(viewer, R"({"op":"unsubscribe","id":1})");
  feed(bench, 1);
  bench.core->turn();
  CHECK(viewer.frames.empty());
  CHECK(viewer.door->subscriptions == 0);
  bench.say(viewer, R"({"op":"subscribe","id":1,"dataset":"1"})");
  const auto frames = bench.settle(viewer);
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].seq == 1);
  CHECK(frames[0].rows.size() == 1);
}

TEST_CASE("subscribing under an id in use replaces it; a late acknowledgement of the old one changes nothing") {
  Bench bench;
  with_dataset(bench);
  TestViewer& viewer = live_viewer(bench);
  bench.say(viewer, R"({"op":"subscribe","id":1,"dataset":"1"})");
  bench.say(viewer, R"({"op":"ack","id":1,"seq":999})");
  bench.core->turn();
  bench.run_task();
  for (int i = 0; i != 4; ++i) {
    feed(bench, 1);
    bench.clock.advance(Duration::seconds(1));
    bench.core->turn();
  }
  CHECK(viewer.frames.size() == 2);
  CHECK(viewer.door->subscriptions == 1);
  CHECK(viewer.count("error") == 0);
}

TEST_CASE("a viewer that leaves during its back-fill stops the worker") {
  Bench bench;
  with_dataset(bench);
  feed(bench, 1000);
  bench.archive("1");
  TestViewer& viewer = bench.open();
  bench.say(viewer, R"({"op":"subscribe","id":1,"dataset":"1"})");
  bench.core->turn();
  bench.before_backfill = [&] {
    bench.close(viewer);
    bench.core->turn();
  };
  bench.run_task();
  bench.core->turn();
  CHECK(viewer.frames.empty());
  CHECK(bench.forgotten == std::vector<ViewerId>{1});
  bench.before_backfill = nullptr;
  TestViewer& next = bench.open();  // the worker's place is free
  bench.say(next, R"({"op":"subscribe","id":1,"dataset":"1"})");
  REQUIRE(bench.settle(next).size() == 1);
}

TEST_CASE("a viewer whose socket refuses is dropped; the others notice nothing") {
  Bench bench;
  with_dataset(bench);
  TestViewer& stuck = live_viewer(bench);
  TestViewer& healthy = live_viewer(bench);
  stuck.refuses = true;
  feed(bench, 1);
  bench.core->turn();
  CHECK(healthy.frames.size() == 1);
  CHECK(bench.forgotten == std::vector<ViewerId>{1});
  bench.say(stuck, R"({"op":"subscribe","id":1,"dataset":"1"})");  // was under way
  bench.core->turn();
  CHECK(bench.metrics.prometheus().find("iotstream_live_viewers 1\n") != std::string::npos);
  CHECK(bench.metrics.prometheus().find("iotstream_live_dropped_viewers_total 1\n") != std::string::npos);
}

TEST_CASE("a viewer that floods is closed with a reason") {
  Bench bench;
  with_dataset(bench);
  TestViewer& viewer = live_viewer(bench);
  viewer.door->flooded = true;
  bench.say(viewer, "{}");
  bench.core->turn();
  CHECK(viewer.closed == "too many messages");
  CHECK(bench.forgotten.size() == 1);
}

TEST_CASE("a page of more than 256 subscriptions is refused the rest") {
  Bench bench;
  with_dataset(bench);
  TestViewer& viewer = bench.open();
  for (int i = 1; i <= 257; ++i) bench.say(viewer, fmt::format(R"({{"op":"subscribe","id":{},"dataset":"1"}})", i));
  bench.core->turn();
  CHECK(viewer.count("error") == 1);
  CHECK(viewer.last("error") == R"({"op":"error","id":257,"detail":"A connection has at most 256 subscriptions."})");
  CHECK(bench.tasks.size() == 2);  // workers are shared
  CHECK(bench.settle(viewer).size() == 256);
}

TEST_CASE("what cannot be subscribed to is answered with one sentence") {
  Bench bench;
  with_dataset(bench);
  TestViewer& viewer = bench.open();
  bench.say(viewer, R"({"op":"subscribe","id":5,"dataset":"nine"})");
  bench.core->turn();
  CHECK(viewer.last("error") == R"({"op":"error","id":5,"detail":"There is no dataset 'nine'."})");
  bench.say(viewer, R"({"op":"subscribe","id":6,"dataset":"1","fields":["speed"]})");
  bench.core->turn();
  CHECK(viewer.last("error") == R"({"op":"error","id":6,"detail":"Dataset '1' has no field 'speed'."})");
  bench.say(viewer, R"({"op":"park","id":7})");
  bench.core->turn();
  CHECK(viewer.last("error") == R"({"op":"error","id":7,"detail":"There is no such subscription."})");
  bench.say(viewer, "hello");
  bench.core->turn();
  CHECK(viewer.last("error").starts_with(R"({"op":"error","detail":"The message is not JSON)"));
  CHECK(viewer.count("error") == 4);
}

TEST_CASE("a long past is reduced to the pixels and sent in chunks under credit") {
  Bench bench;
  with_dataset(bench);
  const int count = 100'000;
  for (int i = 0; i != count; ++i)
    bench.append("1", "x", {{FieldId(0), integer(i == 55'555 ? -1'000'000 : i % 1000)}},
                 {Bench::begin_us - (count - i) * 1000});
  bench.publish("1");
  bench.archive("1");
  TestViewer& viewer = bench.open();
  bench.say(viewer, R"({"op":"subscribe","id":1,"dataset":"1","window":"-5m","pixels":400})");
  const auto frames = bench.settle(viewer);
  std::size_t rows = 0;
  std::uint64_t merged = 0;
  double lowest = 0;
  for (const DecodedFrame& frame : frames) {
    rows += frame.rows.size();
    merged += frame.merged;
    for (const DecodedRow& row : frame.rows) lowest = std::min(lowest, std::get<double>(row.values.at(0)));
  }
  CHECK(rows + merged == count);
  CHECK(rows <= 4 * 402);
  CHECK(lowest == -1'000'000);
  CHECK(frames.back().last);
}

TEST_CASE("an unreadable partition delays nobody, and goes on when it can be read again") {
  Bench bench;
  with_dataset(bench);
  TestViewer& viewer = live_viewer(bench);
  MemoryTopic& topic = bench.log.memory_topic("1");
  MemoryPartition& partition = topic.partition(topic.partition_of("x"));
  partition.failing = true;
  feed(bench, 2);
  bench.core->turn();
  CHECK(viewer.frames.empty());
  partition.failing = false;
  bench.core->turn();
  REQUIRE(viewer.frames.size() == 1);
  CHECK(viewer.frames[0].rows.size() == 2);
}

TEST_CASE("records that are no rows are counted and passed by") {
  Bench bench;
  with_dataset(bench);
  TestViewer& viewer = live_viewer(bench);
  MemoryTopic& topic = bench.log.memory_topic("1");
  topic.partition(topic.partition_of("x")).append(bench.clock.now(), "x", as_bytes("rubbish"));
  feed(bench, 1);
  bench.core->turn();
  REQUIRE(viewer.frames.size() == 1);
  CHECK(viewer.frames[0].rows.size() == 1);
  CHECK(bench.metrics.prometheus().find("iotstream_live_unreadable_rows_total 1\n") != std::string::npos);
}

TEST_CASE("the latency is that from acceptance to the socket") {
  Bench bench;
  with_dataset(bench);
  live_viewer(bench);
  feed(bench, 1);
  bench.clock.advance(Duration::milliseconds(3));
  bench.core->turn();
  const auto latency = bench.core->latency().quantile_us(bench.clock.monotonic_ns(), 0.5);
  REQUIRE(latency);
  CHECK(*latency >= 3000);
  CHECK(*latency <= 3000 * 1.13);
}

}  // namespace
}  // namespace iotstream::live::test
