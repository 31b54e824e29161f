#include <random>
#include <set>
#include <thread>

#include "unit/store/history_fixture.hpp"

namespace iotstream::store::test {

using V = OwnedValue;

namespace {

/// Events of three devices in two partitions; times repeat, come late and go back before 1970.
void send_some(HistoryFixture& f, unsigned seed, int count) {
  std::mt19937 random(seed);
  for (int i = 0; i < count; ++i) {
    const std::int64_t time = static_cast<std::int64_t>(random() % 200) * 1000 - 50'000;
    f.send("1", time, "d" + std::to_string(random() % 3), {{"a", V::of(i)}, {"b", V::of(i * 0.5)}, {"c", V::of("x")}}, 2);
  }
  f.drain();
}

}  // namespace

TEST_CASE("pages by cursor, in either direction and of any size, are one big read") {
  HistoryFixture f;
  f.open();
  send_some(f, 1, 500);
  const std::vector<OwnedEvent> oldest_first = f.expected("1");
  for (const bool newest_first : {false, true}) {
    std::vector<OwnedEvent> all = oldest_first;
    if (newest_first) std::reverse(all.begin(), all.end());
    for (const std::uint64_t size : {1u, 7u, 100u, 499u, 500u, 501u}) {
      EventQuery query;
      query.dataset = "1";
      query.newest_first = newest_first;
      query.limit = size;
      std::vector<OwnedEvent> paged;
      do {
        const auto page = f.history->events(query, [&](const Event& event) {
          paged.emplace_back(event);
          return true;
        });
        REQUIRE(page.ok());
        query.cursor = page->next;
      } while (!query.cursor.empty());
      INFO("pages of " << size << ", newest first: " << newest_first);
      CHECK(paged == all);
    }
  }
}

TEST_CASE("a filter chooses events, whatever fields are asked for, and pages of it are one big read") {
  HistoryFixture f;
  f.open();
  send_some(f, 7, 400);
  const auto schema = f.schemas.current("1");
  REQUIRE(schema);
  auto bound = query::compile("a >= 100 and not b < 75 and device in (d0, d2)", {*schema, {}, Timestamp{}});
  REQUIRE(bound);
  EventQuery query;
  query.dataset = "1";
  query.newest_first = false;
  query.where = std::make_shared<const query::Bound>(*bound);
  for (const std::uint64_t size : {3u, 1000u}) {
    for (const bool one_field : {false, true}) {
      query.limit = size;
      query.cursor.clear();
      query.fields.clear();
      if (one_field) query.fields.push_back(*schema->find("c"));
      std::vector<std::uint64_t> found;
      do {
        const auto page = f.history->events(query, [&](const Event& event) {
          found.push_back(event.partition.value * 1000 + event.offset.value);
          CHECK(event.values->size() == (one_field ? 1u : 3u));
          CHECK((event.device == "d0" || event.device == "d2"));
          return true;
        });
        REQUIRE(page.ok());
        query.cursor = page->next;
      } while (!query.cursor.empty());
      std::vector<std::uint64_t> wanted;
      for (const OwnedEvent& event : f.expected("1"))
        if (event.device != "d1" && event.values.at(0).second.integer >= 150)
          wanted.push_back(event.partition.value * 1000 + event.offset.value);
      CHECK(found == wanted);
    }
  }
}

TEST_CASE("a cursor stays good while events arrive before and behind it") {
  HistoryFixture f;
  f.open();
  send_some(f, 2, 100);
  EventQuery query;
  query.dataset = "1";
  query.newest_first = false;
  query.limit = 50;
  std::vector<OwnedEvent> read;
  auto page = f.history->events(query, [&](const Event& event) {
    read.emplace_back(event);
    return true;
  });
  REQUIRE(page.ok());
  const std::vector<OwnedEvent> before = f.expected("1");
  f.send("1", -1'000'000, "d0", {{"a", V::of(-1)}}, 2);
  f.send("1", 1'000'000, "d0", {{"a", V::of(-2)}}, 2);
  f.drain();
  query.cursor = page->next;
  query.limit = 1000;
  page = f.history->events(query, [&](const Event& event) {
    read.emplace_back(event);
    return true;
  });
  REQUIRE(page.ok());
  REQUIRE(read.size() == before.size() + 1);  // the late one lies behind the cursor
  CHECK(std::vector(read.begin(), read.end() - 1) == before);
  CHECK(read.back().time == Timestamp{1'000'000});
}

TEST_CASE("filters by time, device and field agree with loops over all events") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  HistoryFixture f;
  f.open();
  send_some(f, seed, 400);
  const std::vector<OwnedEvent> all = f.expected("1");
  for (int i = 0; i < 60; ++i) {
    EventQuery query;
    query.dataset = "1";
    query.newest_first = random() % 2 == 0;
    query.limit = random() % 2 == 0 ? 10'000 : random() % 50;
    if (random() % 2 == 0) query.from = Timestamp{static_cast<std::int64_t>(random() % 200'000) - 50'000};
    if (random() % 2 == 0) query.to = Timestamp{static_cast<std::int64_t>(random() % 200'000) - 50'000};
    const char* const devices[] = {"", "*", "d0", "d1", "nobody"};
    query.device = devices[random() % std::size(devices)];
    if (random() % 2 == 0) query.fields = {FieldId(2), FieldId(0), FieldId(2), FieldId(77)};
    std::vector<OwnedEvent> wanted;
    for (OwnedEvent event : all) {
      if ((query.from && event.time < *query.from) || (query.to && event.time >= *query.to)) continue;
      if (!query.device.empty() && query.device != "*" && event.device != query.device) continue;
      if (!query.fields.empty()) std::erase_if(event.values, [](const auto& v) { return v.first == FieldId(1); });
      wanted.push_back(event);
    }
    if (query.newest_first) std::reverse(wanted.begin(), wanted.end());
    if (wanted.size() > query.limit) wanted.resize(query.limit);
    CHECK(f.read(query) == wanted);
  }
}

TEST_CASE("a visitor that has seen enough ends the query, and the page goes on behind it") {
  HistoryFixture f;
  f.open();
  send_some(f, 3, 10);
  EventQuery query;
  query.dataset = "1";
  query.newest_first = false;
  int seen = 0;
  const auto page = f.history->events(query, [&](const Event&) { return ++seen < 3; });
  REQUIRE(page.ok());
  CHECK(page->count == 3);
  query.cursor = page->next;
  CHECK(f.read(query).size() == 7);
}

TEST_CASE("a cursor that is none is an error") {
  HistoryFixture f;
  f.open();
  send_some(f, 4, 3);
  for (const char* const cursor : {"x", "1", "1.2", "1.2.", "1.2.3.4", "1.-2.3", " 1.2.3", "99999999999999999999.0.0"}) {
    EventQuery query;
    query.dataset = "1";
    query.cursor = cursor;
    const auto page = f.history->events(query, [](const Event&) { return true; });
    INFO(cursor);
    REQUIRE_FALSE(page.ok());
    CHECK(page.error().kind == ErrorKind::invalid);
  }
}

TEST_CASE("a snapshot and the log from its offsets on have every record once, while records arrive") {
  HistoryFixture f;
  f.open();
  send_some(f, 5, 50);
  // Encoded here: Catch's checks, and so the fixture's, belong to one thread.
  const ByteView bytes = f.encode("1", {{"a", V::of(1)}, {"b", V::of(0.5)}, {"c", V::of("x")}}, "d0");
  std::thread sender([&f, row = std::vector<std::byte>(bytes.begin(), bytes.end())] {
    log::Topic& topic = *f.log.find("1");
    for (int i = 0; i < 3000; ++i) {
      const std::string device = "d" + std::to_string(i % 3);
      topic.partition(topic.partition_of(device)).append(Timestamp{i}, device, row);
    }
  });
  for (int round = 0; round < 20; ++round) {
    EventQuery query;
    query.dataset = "1";
    query.limit = 1;      // a snapshot is of all events
    query.cursor = "no";  // and knows no cursor
    std::vector<std::set<std::uint64_t>> held(2);
    const auto seam = f.history->snapshot(query, [&](const Event& event) {
      CHECK(held[event.partition.value].insert(event.offset.value).second);
      return true;
    });
    REQUIRE(seam.ok());
    REQUIRE(seam->size() == 2);
    for (std::size_t p = 0; p < 2; ++p) {
      // Exactly the records below the seam.
      CHECK(held[p].size() == (*seam)[p].value);
      CHECK((held[p].empty() || *held[p].rbegin() == (*seam)[p].value - 1));
    }
  }
  sender.join();
  f.drain();
  f.check_equals_log("1");
}

TEST_CASE("many threads ask at once while rows are written") {
  HistoryFixture f;
  f.open();
  send_some(f, 6, 200);
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        EventQuery query;
        query.dataset = "1";
        std::uint64_t seen = 0;
        const auto page = f.history->events(query, [&](const Event& event) {
          seen += event.values->size() == 3 ? 1 : 0;
          return true;
        });
        if (!page || page->count != 100 || seen != 100) ++failures;
        if (f.history->datasets().size() != 1 || f.history->devices().size() != 3) ++failures;
      }
    });
  }
  for (int i = 0; i < 300; ++i) f.send("1", i, "d0", {{"a", V::of(1)}, {"b", V::of(0.5)}, {"c", V::of("x")}}, 2);
  for (std::thread& thread : threads) thread.join();
  CHECK(failures == 0);
}

}  // namespace iotstream::store::test
