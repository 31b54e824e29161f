#include <iotstream/store/history.hpp>

#include "store/inventory.hpp"
#include "store/queries.hpp"
#include "store/writer.hpp"

namespace iotstream::store {

namespace {

class HistoryOverSqlite final : public History {
 public:
  explicit HistoryOverSqlite(log::Log& log) : log_(log) {}
  ~HistoryOverSqlite() override { stop(); }

  Status start(const std::string& directory, const config::Store& options, catalog::Schemas& schemas, os::Clock& clock,
               metrics::Table& metrics) {
    const std::string path = directory + "/history.db";
    auto writer = Writer::start(path, options, log_, schemas, clock, metrics, inventory_);
    if (!writer) return writer.error();
    writer_ = std::move(*writer);
    auto queries = Queries::open(path, log_, schemas, clock, metrics);
    if (!queries) return queries.error();
    queries_ = std::move(*queries);
    return {};
  }

  Result<EventPage> events(const EventQuery& query, const std::function<bool(const Event&)>& visit) override {
    return queries_->events(query, visit);
  }
  Result<Series> series(const SeriesQuery& query) override { return queries_->series(query); }
  Result<M4> m4(const M4Query& query) override { return queries_->m4(query); }
  Result<std::vector<Offset>> snapshot(const EventQuery& query, const std::function<bool(const Event&)>& visit) override {
    return queries_->snapshot(query, visit);
  }

  std::vector<DatasetUsage> datasets() const override;
  std::vector<DeviceUsage> devices() const override { return inventory_.devices(); }
  std::vector<Offset> consumed(std::string_view dataset) const override;
  Status drain(Duration timeout) override;
  void stop() override {
    if (queries_) queries_->close();
    if (writer_) writer_->stop();
  }

 private:
  /// The topics that are datasets.
  std::vector<log::Topic*> topics() const {
    std::vector<log::Topic*> result = log_.topics();
    std::erase_if(result, [](const log::Topic* topic) { return topic->name().starts_with('_'); });
    return result;
  }

  log::Log& log_;
  Inventory inventory_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Queries> queries_;
};

std::vector<Offset> HistoryOverSqlite::consumed(std::string_view dataset) const {
  std::vector<Offset> next = inventory_.consumed(dataset);
  const log::Topic* topic = log_.find(dataset);
  if (topic != nullptr && next.size() < topic->partition_count()) next.resize(topic->partition_count());
  return next;
}

std::vector<DatasetUsage> HistoryOverSqlite::datasets() const {
  std::vector<DatasetUsage> result = inventory_.datasets();
  for (log::Topic* topic : topics()) {
    const std::vector<Offset> next = consumed(topic->name());
    std::uint64_t waiting = 0;
    for (std::uint32_t i = 0; i < topic->partition_count(); ++i) {
      const log::Watermarks marks = topic->partition(PartitionId(i)).watermarks();
      const Offset from = std::max(next[i], marks.earliest);
      if (marks.durable > from) waiting += marks.durable - from;
    }
    auto found = std::find_if(result.begin(), result.end(), [&](const DatasetUsage& d) { return d.dataset == topic->name(); });
    if (found == result.end()) {
      result.emplace_back().dataset = topic->name();
      found = result.end() - 1;
    }
    found->events += waiting;
  }
  return result;
}

Status HistoryOverSqlite::drain(Duration timeout) {
  std::vector<Inventory::Target> targets;
  for (log::Topic* topic : topics()) {
    Inventory::Target target{topic->name(), {}};
    for (std::uint32_t i = 0; i < topic->partition_count(); ++i) {
      target.next.push_back(topic->partition(PartitionId(i)).watermarks().durable);
    }
    targets.push_back(std::move(target));
  }
  writer_->hurry();
  if (inventory_.wait_for(targets, timeout)) return {};
  return Error{ErrorKind::unavailable, "history has not caught up with the log in time"};
}

}  // namespace

Result<std::unique_ptr<History>> History::open(const std::string& directory, const config::Store& options, log::Log& log,
                                               catalog::Schemas& schemas, os::Clock& clock, metrics::Table& metrics) {
  auto history = std::make_unique<HistoryOverSqlite>(log);
  if (auto started = history->start(directory, options, schemas, clock, metrics); !started) return started.error();
  return std::unique_ptr<History>(std::move(history));
}

}  // namespace iotstream::store
