// A catalog of rows in memory, a transport whose answers a test decides, and a clock that a test moves.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <iotstream/catalog/catalog.hpp>

#include "sim/engine.hpp"

namespace iotstream::test {

struct RecordedRow {
  Timestamp time;
  std::vector<std::pair<std::uint32_t, model::Value>> cells;
};

struct Recording {
  std::string dataset;
  std::vector<std::string> columns;
  std::vector<RecordedRow> rows;
};

inline model::Value integer(std::int64_t n) {
  model::Value value;
  value.kind = model::ValueKind::integer;
  value.integer = n;
  return value;
}
inline model::Value real(double n) {
  model::Value value;
  value.kind = model::ValueKind::real;
  value.real = n;
  return value;
}
inline model::Value text(std::string_view words, model::ValueKind kind = model::ValueKind::text) {
  model::Value value;
  value.kind = kind;
  value.text = words;
  return value;
}

class MemoryCursor final : public catalog::RowCursor {
 public:
  explicit MemoryCursor(std::shared_ptr<Recording> recording) : recording_(std::move(recording)) { rewind(); }
  const std::vector<std::string>& columns() const override { return seen_.columns; }
  Result<bool> next(Row& row) override {
    if (recording_->rows.empty()) return Error{ErrorKind::not_found, "the prototype was removed"};
    if (at_ >= seen_.rows.size()) return false;
    const RecordedRow& recorded = seen_.rows[at_++];
    row.time = recorded.time;
    row.cells.clear();
    for (const auto& [column, value] : recorded.cells) row.cells.push_back({column, value});
    return true;
  }
  void rewind() override {
    at_ = 0;
    seen_ = *recording_;
  }
  std::uint64_t row_count() const override { return seen_.rows.size(); }

 private:
  std::shared_ptr<Recording> recording_;
  Recording seen_;
  std::size_t at_ = 0;
};

class MemoryCatalog final : public catalog::Catalog {
 public:
  std::map<std::string, std::shared_ptr<Recording>, std::less<>> recordings;

  /// `count` rows with a member `n`, `gap` apart.
  Recording& record(const std::string& code, int count, Duration gap) {
    auto& recording = recordings[code];
    recording = std::make_shared<Recording>();
    recording->dataset = code;
    recording->columns = {"n"};
    for (int i = 0; i < count; ++i) recording->rows.push_back({Timestamp{i * gap.us}, {{0, integer(i)}}});
    return *recording;
  }

  std::vector<catalog::Prototype> prototypes() override { return {}; }
  std::optional<catalog::Prototype> find(std::string_view code) override {
    const auto found = recordings.find(code);
    if (found == recordings.end()) return std::nullopt;
    return catalog::Prototype{std::string(code), "", "", "", found->second->dataset, ""};
  }
  Status put(const catalog::Prototype&) override { return {}; }
  Status remove(std::string_view) override { return {}; }
  Result<catalog::ImportReport> import_csv(std::string_view, const std::string&, const catalog::Progress&,
                                           const catalog::CsvChoices&) override {
    return catalog::ImportReport();
  }
  bool imported_unchanged(std::string_view, const std::string&) override { return false; }
  std::vector<catalog::ImportFile> files() override { return {}; }
  Result<std::unique_ptr<catalog::RowCursor>> rows(std::string_view code) override {
    const auto found = recordings.find(code);
    if (found == recordings.end()) return Error{ErrorKind::not_found, "no such prototype"};
    return std::unique_ptr<catalog::RowCursor>(std::make_unique<MemoryCursor>(found->second));
  }
  Status put_document(std::string_view, std::string_view, std::string_view) override { return {}; }
  std::optional<std::string> document(std::string_view, std::string_view) override { return std::nullopt; }
};

/// Keeps what is sent; answers at once with the next verdict, or when answer() is called.
class FakeTransport final : public sim::Transport {
 public:
  struct Reading {
    std::uint64_t lane = 0;
    std::string body;
    Timestamp sent;
  };
  std::vector<Reading> readings;
  std::deque<sim::Verdict> verdicts;  ///< for the next readings; acknowledged when there is none
  bool hold = false;                  ///< answers wait for answer()
  sim::Sent sent = sim::Sent::waiting;

  explicit FakeTransport(os::Clock& clock) : clock_(clock) {}

  sim::Sent send(std::uint64_t lane, std::string body, sim::Answered answered) override {
    readings.push_back({lane, std::move(body), clock_.now()});
    if (hold) {
      waiting_.push_back(std::move(answered));
      return sent;
    }
    give(answered);
    return sent;
  }
  void stop() override {}
  void answer() {
    REQUIRE_FALSE(waiting_.empty());
    const sim::Answered answered = std::move(waiting_.front());
    waiting_.pop_front();
    give(answered);
  }
  std::size_t waiting() const { return waiting_.size(); }

 private:
  void give(const sim::Answered& answered) {
    sim::Verdict verdict = sim::Verdict::acknowledged;
    if (!verdicts.empty()) {
      verdict = verdicts.front();
      verdicts.pop_front();
    }
    answered(verdict, verdict == sim::Verdict::acknowledged ? "" : "not just now");
  }
  os::Clock& clock_;
  std::deque<sim::Answered> waiting_;
};

/// The text of a member of a reading: what stands between `"name":` and the next `,` or `}`.
inline std::string member(const std::string& body, const std::string& name) {
  const std::string key = fmt::format("\"{}\":", name);
  const std::size_t begin = body.find(key);
  if (begin == std::string::npos) return "";
  const std::size_t from = begin + key.size();
  return body.substr(from, body.find_first_of(",}", from) - from);
}

inline Timestamp stamp(const std::string& body) {
  const std::string quoted = member(body, "@timestamp");
  const auto time = parse_timestamp(quoted.substr(1, quoted.size() - 2));
  REQUIRE(time.has_value());
  return *time;
}

struct EngineFixture {
  static constexpr Timestamp start{1'700'000'000'123'456};
  os::ManualClock clock{start};
  metrics::Table metrics;
  MemoryCatalog catalog;
  FakeTransport transport{clock};
  int wakes = 0;
  sim::Engine engine{catalog, clock, metrics, [this] { ++wakes; }};

  EngineFixture() { engine.set_transport(config::Transport::http, &transport); }

  std::uint64_t add(const std::string& code, std::optional<Duration> period, std::uint32_t devices = 1) {
    config::Simulation settings;
    settings.prototype = code;
    settings.period = period;
    settings.devices = devices;
    return add(settings);
  }
  std::uint64_t add(const config::Simulation& settings) {
    const auto id = engine.add(settings);
    REQUIRE(id.ok());
    return *id;
  }
  sim::SimulationStatus status(std::uint64_t id) const {
    for (const auto& one : engine.list())
      if (one.id == id) return one;
    FAIL("no simulation " << id);
    return {};
  }
  /// Moves the clock from deadline to deadline until `duration` has passed.
  void run(Duration duration) {
    const Timestamp end = clock.now() + duration;
    for (;;) {
      const auto next_ns = engine.run_due();
      const std::int64_t left_us = (end - clock.now()).us;
      const std::int64_t step_us = next_ns ? (*next_ns - clock.monotonic_ns() + 999) / 1000 : left_us;
      if (step_us > left_us || left_us == 0) {
        clock.advance({left_us});
        return;
      }
      clock.advance({std::max<std::int64_t>(step_us, 0)});
    }
  }
  std::vector<std::string> values(const std::string& name) const {
    std::vector<std::string> all;
    for (const auto& reading : transport.readings) all.push_back(member(reading.body, name));
    return all;
  }
};

}  // namespace iotstream::test
