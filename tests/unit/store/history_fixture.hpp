// A history on a scripted log, and events made, kept and read back for comparison.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <sstream>
#include <stdlib.h>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <iotstream/catalog/schemas.hpp>
#include <iotstream/model/row.hpp>
#include <iotstream/sqlite/database.hpp>
#include <iotstream/store/history.hpp>

#include "unit/store/scripted_log.hpp"

namespace iotstream::store::test {

/// A value that owns its text. A `key` is what it reads back as: a text.
struct OwnedValue {
  model::ValueKind kind = model::ValueKind::null;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;

  OwnedValue() = default;
  OwnedValue(const model::Value& value)  // NOLINT: implicit on purpose
      : kind(value.kind == model::ValueKind::key ? model::ValueKind::text : value.kind),
        integer(value.integer),
        real(value.real),
        text(value.text) {}
  static OwnedValue of(std::int64_t number) { return make(model::ValueKind::integer, number, 0, {}); }
  static OwnedValue of(int number) { return of(std::int64_t{number}); }
  static OwnedValue of(double number) { return make(model::ValueKind::real, 0, number, {}); }
  static OwnedValue of(bool truth) { return make(truth ? model::ValueKind::true_ : model::ValueKind::false_, 0, 0, {}); }
  static OwnedValue of(std::string text) { return make(model::ValueKind::text, 0, 0, std::move(text)); }
  static OwnedValue of(const char* text) { return of(std::string(text)); }
  static OwnedValue json(std::string text) { return make(model::ValueKind::json, 0, 0, std::move(text)); }
  static OwnedValue decimal(std::string text) { return make(model::ValueKind::decimal, 0, 0, std::move(text)); }
  static OwnedValue null() { return {}; }

  bool operator==(const OwnedValue& other) const {
    // Bit by bit: -0.0 is not 0.0 here.
    return kind == other.kind && integer == other.integer &&
           std::bit_cast<std::uint64_t>(real) == std::bit_cast<std::uint64_t>(other.real) && text == other.text;
  }

 private:
  static OwnedValue make(model::ValueKind kind, std::int64_t integer, double real, std::string text) {
    OwnedValue value;
    value.kind = kind;
    value.integer = integer;
    value.real = real;
    value.text = std::move(text);
    return value;
  }
};

inline std::ostream& operator<<(std::ostream& out, const OwnedValue& value) {
  return out << "{kind " << static_cast<int>(value.kind) << ", " << value.integer << ", " << value.real << ", '" << value.text
             << "'}";
}

using Members = std::vector<std::pair<std::string, OwnedValue>>;  ///< by field name

struct OwnedEvent {
  Timestamp time;
  std::string device;
  PartitionId partition;
  Offset offset;
  FactsId facts;
  std::uint16_t flags = 0;
  std::vector<std::pair<FieldId, OwnedValue>> values;

  explicit OwnedEvent(const Event& event)
      : time(event.time),
        device(event.device),
        partition(event.partition),
        offset(event.offset),
        facts(event.facts),
        flags(event.flags),
        values(event.values->begin(), event.values->end()) {}
  OwnedEvent() = default;
  bool operator==(const OwnedEvent&) const = default;
  bool operator<(const OwnedEvent& other) const {
    return std::tuple(time, partition, offset) < std::tuple(other.time, other.partition, other.offset);
  }
};

inline std::ostream& operator<<(std::ostream& out, const OwnedEvent& event) {
  out << "{" << event.time.us << " " << event.device << " " << event.partition.value << "/" << event.offset.value;
  for (const auto& [field, value] : event.values) out << " " << field.value << "=" << value;
  return out << "}";
}

inline model::FieldType type_of(const OwnedValue& value) {
  return value.kind == model::ValueKind::null ? model::FieldType::integer : model::type_of(value.kind);
}

struct HistoryFixture {
  static constexpr std::int64_t start_us = 1'700'000'000'000'000;

  std::string directory;
  os::ManualClock clock{Timestamp{start_us}};
  metrics::Table metrics;
  catalog::Schemas schemas;
  ScriptedLog log;
  config::Store options;
  std::unique_ptr<History> history;
  model::RowBuilder builder;

  HistoryFixture() {
    std::string pattern = (std::filesystem::temp_directory_path() / "iotstream-store-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    directory = pattern;
    // Made-up events lie around start_us by the manual clock: nothing is old.
    options.retention_rows = Duration{0};
  }
  ~HistoryFixture() {
    history.reset();
    std::filesystem::remove_all(directory);
  }
  HistoryFixture(const HistoryFixture&) = delete;
  HistoryFixture& operator=(const HistoryFixture&) = delete;

  std::string path() const { return directory + "/history.db"; }

  void open() {
    history.reset();
    auto opened = History::open(directory, options, log, schemas, clock, metrics);
    if (!opened) FAIL("history does not open: " << opened.error().message);
    history = std::move(*opened);
  }
  void drain() {
    const Status drained = history->drain(Duration::seconds(60));
    REQUIRE(drained.ok());
  }
  void reopen() {
    history->stop();
    open();
    drain();
  }

  /// Grows the schema to hold the members and encodes them as a row.
  ByteView encode(const std::string& dataset, const Members& members, std::string_view device, std::uint16_t flags = 0,
                  FactsId facts = FactsId(0)) {
    std::vector<model::FieldDraft> drafts;
    for (const auto& [name, value] : members) drafts.push_back({name, type_of(value), "", ""});
    auto schema = schemas.evolve(dataset, drafts, device, clock.now());
    REQUIRE(schema.ok());
    builder.begin((*schema)->version(), facts, flags);
    for (const auto& [name, value] : members) set(*(*schema)->find(name), value, device);
    return builder.finish();
  }
  void set(FieldId field, const OwnedValue& value, std::string_view device) {
    using model::ValueKind;
    if (value.kind == ValueKind::integer) return builder.set_integer(field, value.integer);
    if (value.kind == ValueKind::real) return builder.set_real(field, value.real);
    if (value.kind == ValueKind::text && value.text == device) return builder.set(field, ValueKind::key);
    if (model::RowView::has_slot(value.kind)) return builder.set_text(field, value.kind, value.text);
    builder.set(field, value.kind);
  }

  /// Appends an event to the partition of its device.
  Offset send(const std::string& dataset, std::int64_t time_us, const std::string& device, const Members& members,
              std::uint32_t partitions = 1) {
    log::Topic& topic = log.make(dataset, partitions);
    const ByteView row = encode(dataset, members, device);
    return topic.partition(topic.partition_of(device)).append(Timestamp{time_us}, device, row).offset;
  }

  std::vector<OwnedEvent> read(const EventQuery& query) {
    std::vector<OwnedEvent> events;
    const auto page = history->events(query, [&](const Event& event) {
      events.emplace_back(event);
      return true;
    });
    if (!page) FAIL("events: " << page.error().message);
    CHECK(page->count == events.size());
    return events;
  }
  /// All events, oldest first.
  std::vector<OwnedEvent> read_all(const std::string& dataset) {
    EventQuery query;
    query.dataset = dataset;
    query.newest_first = false;
    query.limit = 100'000'000;
    return read(query);
  }
  /// What the log holds, decoded by model and not by store, in history's order.
  std::vector<OwnedEvent> expected(const std::string& dataset) {
    std::vector<OwnedEvent> events;
    ScriptedTopic* topic = log.find(dataset);
    REQUIRE(topic != nullptr);
    for (std::uint32_t i = 0; i < topic->partition_count(); ++i) {
      for (const Kept& record : topic->partition(PartitionId(i)).records()) {
        auto row = model::RowView::open(record.value);
        REQUIRE(row.ok());
        OwnedEvent event;
        event.time = record.time;
        event.device = record.key;
        event.partition = PartitionId(i);
        event.offset = record.offset;
        event.facts = row->facts();
        event.flags = row->flags();
        row->each(record.key, [&](FieldId field, const model::Value& value) {
          OwnedValue owned(value);
          event.values.emplace_back(field, std::move(owned));
        });
        events.push_back(std::move(event));
      }
    }
    std::sort(events.begin(), events.end());
    return events;
  }
  /// Shows the first difference only.
  void check_equals_log(const std::string& dataset) {
    const std::vector<OwnedEvent> found = read_all(dataset);
    const std::vector<OwnedEvent> wanted = expected(dataset);
    CHECK(found.size() == wanted.size());
    for (std::size_t i = 0; i < std::min(found.size(), wanted.size()); ++i) {
      if (found[i] == wanted[i]) continue;
      const auto& a = found[i].values;
      const auto& b = wanted[i].values;
      const auto [at, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
      std::ostringstream text;
      text << "event " << wanted[i].time.us << " " << wanted[i].partition.value << "/" << wanted[i].offset.value;
      if (at != a.end()) text << " has " << at->first.value << "=" << at->second;
      if (other != b.end()) text << " instead of " << other->first.value << "=" << other->second;
      FAIL_CHECK(text.str());
      return;
    }
  }

  /// One value by plain SQL, as text; what a person at the sqlite3 shell sees.
  std::string sql(const std::string& statement) {
    auto database = sqlite::Database::open(path(), sqlite::OpenMode::read_only);
    REQUIRE(database.ok());
    auto prepared = database->prepare(statement);
    if (!prepared) FAIL(prepared.error().message);
    std::string out;
    for (;;) {
      auto row = prepared->step();
      if (!row) FAIL(row.error().message);
      if (!*row) return out;
      for (int i = 0; i < prepared->column_count(); ++i) {
        out += out.empty() ? "" : "|";
        out += prepared->text(i);
      }
    }
  }
};

}  // namespace iotstream::store::test
