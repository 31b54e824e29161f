// A hub without threads: the test says when records appear, workers run, viewers answer and time passes.
#pragma once

#include <deque>
#include <random>

#include <catch2/catch.hpp>

#include "decode.hpp"
#include "live/core.hpp"
#include "memory_log.hpp"

namespace iotstream::live::test {

using model::Value;
using model::ValueKind;

inline Value integer(std::int64_t number) {
  Value value;
  value.kind = ValueKind::integer;
  value.integer = number;
  return value;
}
inline Value real(double number) {
  Value value;
  value.kind = ValueKind::real;
  value.real = number;
  return value;
}
inline Value text(std::string_view words, ValueKind kind = ValueKind::text) {
  Value value;
  value.kind = kind;
  value.text = words;
  return value;
}
inline Value truth(bool is) {
  Value value;
  value.kind = is ? ValueKind::true_ : ValueKind::false_;
  return value;
}

using Values = std::vector<std::pair<FieldId, Value>>;

inline std::string encode_row(SchemaVersion version, const Values& values) {
  model::RowBuilder builder;
  builder.begin(version, FactsId(0), 0);
  for (const auto& [field, value] : values) {
    if (value.kind == ValueKind::integer)
      builder.set_integer(field, value.integer);
    else if (value.kind == ValueKind::real)
      builder.set_real(field, value.real);
    else if (model::RowView::has_slot(value.kind))
      builder.set_text(field, value.kind, value.text);
    else
      builder.set(field, value.kind);
  }
  return std::string(as_text(builder.finish()));
}

/// One viewer: keeps what it was sent.
struct TestViewer {
  std::shared_ptr<Door> door;
  std::vector<std::string> messages;
  std::vector<DecodedFrame> frames;
  std::size_t bytes = 0;
  bool refuses = false;
  std::string closed;

  std::vector<DecodedFrame> take_frames() { return std::exchange(frames, {}); }
  std::size_t count(std::string_view part) const {
    return static_cast<std::size_t>(std::count_if(messages.begin(), messages.end(),
                                                  [&](const std::string& m) { return m.find(part) != std::string::npos; }));
  }
  std::string last(std::string_view part) const {
    for (auto message = messages.rbegin(); message != messages.rend(); ++message)
      if (message->find(part) != std::string::npos) return *message;
    return {};
  }
};

class Bench {
 public:
  static constexpr std::int64_t begin_us = 1'700'000'000'000'000;

  Bench() : clock({begin_us}), log(clock), mailbox(std::make_shared<Mailbox>()) { restart(); }
  ~Bench() {
    if (core) core->stop();
  }

  void restart() {
    core = std::make_unique<Core>(
        log, schemas, [this](const auto& request, const auto& visit) { return backfill(request, visit); },
        [this](std::function<void()> task) {
          if (workers_refuse) return false;
          tasks.push_back(std::move(task));
          return true;
        },
        clock, metrics, mailbox, [this](ViewerId id) { forgotten.push_back(id); });
  }

  /// Declares fields named a, b, c… of the types.
  model::SchemaPtr declare(std::string_view dataset, const std::vector<model::FieldType>& types) {
    std::vector<model::FieldDraft> drafts;
    for (std::size_t i = 0; i != types.size(); ++i) {
      drafts.emplace_back();
      drafts.back().name = std::string(1, static_cast<char>('a' + i));
      drafts.back().type = types[i];
    }
    return *schemas.evolve(dataset, drafts, "", clock.now());
  }

  Offset append(std::string_view dataset, std::string_view device, const Values& values, Timestamp time) {
    MemoryTopic& topic = log.memory_topic(dataset);
    const auto schema = schemas.current(dataset);
    const std::string row = encode_row(schema ? schema->version() : SchemaVersion(1), values);
    return topic.partition(topic.partition_of(device)).append(time, device, as_bytes(row)).offset;
  }
  Offset append(std::string_view dataset, std::string_view device, const Values& values) {
    return append(dataset, device, values, clock.now());
  }
  void publish(std::string_view dataset) {
    MemoryTopic& topic = log.memory_topic(dataset);
    for (std::uint32_t i = 0; i != topic.partition_count(); ++i) topic.partition(PartitionId(i)).publish();
  }
  /// History takes everything that is written.
  void archive(std::string_view dataset, std::size_t records_max = SIZE_MAX) {
    MemoryTopic& topic = log.memory_topic(dataset);
    auto& progress = history[std::string(dataset)];
    progress.resize(topic.partition_count());
    for (std::uint32_t i = 0; i != topic.partition_count(); ++i) {
      const Offset written = topic.partition(PartitionId(i)).watermarks().written;
      if (written > progress[i]) progress[i] = progress[i] + std::min<std::uint64_t>(written - progress[i], records_max);
    }
  }

  Result<std::vector<Offset>> backfill(const BackfillRequest& request, const std::function<bool(const BackfillRow&)>& visit) {
    if (before_backfill) before_backfill();
    if (backfill_error) return *backfill_error;
    const auto progress = history.find(request.dataset);
    if (progress == history.end()) return Error{ErrorKind::not_found, "no such dataset"};
    MemoryTopic& topic = log.memory_topic(request.dataset);
    std::vector<std::shared_ptr<MemoryPartition::Stored>> rows;
    for (std::uint32_t i = 0; i != topic.partition_count(); ++i)
      for (std::uint64_t offset = 0; offset != progress->second[i].value; ++offset)
        rows.push_back(topic.partition(PartitionId(i)).at(offset));
    std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a->time < b->time; });
    for (const auto& row : rows) {
      if (row->time < request.from || (!request.device.empty() && row->key != request.device)) continue;
      Values values;
      const auto view = model::RowView::open(as_bytes(row->value));
      view->each(row->key, [&](FieldId field, const Value& value) { values.emplace_back(field, value); });
      if (!visit({row->time, row->key, &values})) break;
    }
    return progress->second;
  }

  TestViewer& open(bool json = false) {
    viewers.push_back(std::make_unique<TestViewer>());
    TestViewer& viewer = *viewers.back();
    ViewerSink sink;
    sink.send = [&viewer, json](std::shared_ptr<const std::string> bytes, bool binary) {
      if (viewer.refuses) return false;
      viewer.bytes += bytes->size();
      if (binary)
        viewer.frames.push_back(decode_binary(*bytes));
      else if (json && bytes->starts_with("{\"id\":"))
        viewer.frames.push_back(decode_json(*bytes));
      else
        viewer.messages.push_back(*bytes);
      return true;
    };
    sink.close = [&viewer](std::string_view reason) { viewer.closed = reason; };
    viewer.door = std::make_shared<Door>(viewers.size(), std::move(sink), json, "test");
    mailbox->post(viewer.door);
    return viewer;
  }
  void say(TestViewer& viewer, std::string message) {
    {
      const std::lock_guard lock(viewer.door->mutex);
      viewer.door->inbox.push_back(std::move(message));
    }
    mailbox->post(viewer.door);
  }
  void close(TestViewer& viewer) {
    {
      const std::lock_guard lock(viewer.door->mutex);
      viewer.door->closed = true;
    }
    mailbox->post(viewer.door);
  }
  void ack(TestViewer& viewer, const DecodedFrame& frame) {
    say(viewer, fmt::format(R"({{"op":"ack","id":{},"seq":{}}})", frame.id, frame.seq));
  }
  void run_task() {
    REQUIRE(!tasks.empty());
    auto task = std::move(tasks.front());
    tasks.pop_front();
    task();
  }
  /// Until nothing is left to do: workers, frames, acknowledgements. The frames of all viewers stay with them.
  void settle(TestViewer& viewer, std::vector<DecodedFrame>& into) {
    for (int idle = 0; idle < 3;) {
      core->turn();
      bool busy = !tasks.empty();
      while (!tasks.empty()) run_task();
      for (DecodedFrame& frame : viewer.take_frames()) {
        busy = true;
        ack(viewer, frame);
        into.push_back(std::move(frame));
      }
      clock.advance(Duration::seconds(busy ? 0 : 11));
      idle = busy ? 0 : idle + 1;
    }
  }
  std::vector<DecodedFrame> settle(TestViewer& viewer) {
    std::vector<DecodedFrame> frames;
    settle(viewer, frames);
    return frames;
  }

  os::ManualClock clock;
  MemoryLog log;
  catalog::Schemas schemas;
  metrics::Table metrics;
  std::shared_ptr<Mailbox> mailbox;
  std::unique_ptr<Core> core;
  std::deque<std::function<void()>> tasks;
  std::map<std::string, std::vector<Offset>> history;  ///< next offset by partition
  std::function<void()> before_backfill;
  std::optional<Error> backfill_error;
  bool workers_refuse = false;
  std::vector<std::unique_ptr<TestViewer>> viewers;
  std::vector<ViewerId> forgotten;
};

}  // namespace iotstream::live::test
