#include "store/verify_history.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <iotstream/model/row.hpp>

#include "store/state.hpp"

namespace iotstream::store {

namespace {
constexpr int rows_per_step = 20'000;
}  // namespace

HistoryVerifier::HistoryVerifier(os::Disk& disk, const VerifyOptions& options, VerifyTotals& totals,
                                 std::vector<log::Finding>& findings)
    : options_(options), totals_(totals), findings_(findings), path_(options.data_dir + "/history.db") {
  open(disk);
}

void HistoryVerifier::open(os::Disk& disk) {
  if (!disk.exists(path_)) {
    find(log::Finding::Kind::note, std::nullopt, {}, {}, "there is no history: the next start makes it from the log");
    return;
  }
  const bool live = options_.log != nullptr;
  auto database = sqlite::Database::open(path_, live ? sqlite::OpenMode::read_only : sqlite::OpenMode::untouched);
  if (!database) {
    find(log::Finding::Kind::damage, std::nullopt, {}, {}, database.error().message);
    return;
  }
  database_ = std::make_unique<sqlite::Database>(std::move(*database));
}

void HistoryVerifier::find(log::Finding::Kind kind, std::optional<PartitionId> partition, Offset first, Offset next,
                           std::string what) {
  findings_.push_back({kind, topic_ ? topic_->name : std::string(), partition, first, next, path_, 0, std::move(what)});
}

void HistoryVerifier::begin_topic(const std::string& topic, std::uint32_t partitions) {
  // What begins with _ is no dataset.
  if (database_ == nullptr || topic.starts_with('_')) return;
  topic_.emplace();
  topic_->name = topic;
  topic_->partitions.resize(partitions);
}

/// By its age (both of its times, as retention has it), or because nothing can be made of it.
bool HistoryVerifier::may_be_missing(const log::Record& record) const {
  if (options_.retention_rows.us > 0) {
    const Timestamp cutoff = options_.now - options_.retention_rows;
    if (record.time < cutoff && record.append_time <= cutoff) return true;
  }
  return !model::RowView::open(record.value);
}

void HistoryVerifier::record(PartitionId id, const log::Record& record) {
  if (!topic_) return;
  Partition& partition = topic_->partitions[id.value];
  if (!partition.first) partition.first = record.offset.value;
  const std::uint64_t place = record.offset.value - *partition.first;
  if (place >= partition.wanted.size()) partition.wanted.resize(place + 1);
  partition.wanted[place] = !may_be_missing(record);
}

void HistoryVerifier::end_partition(PartitionId id, Offset earliest, Offset next) {
  if (!topic_) return;
  Partition& partition = topic_->partitions[id.value];
  partition.earliest = Offset(partition.first.value_or(earliest.value));
  partition.next = next;
  partition.seen.resize(partition.wanted.size());
}

void HistoryVerifier::end_topic() { comparing_ = topic_.has_value(); }

bool HistoryVerifier::compare() {
  if (!comparing_) return false;
  Status status;
  bool done = true;
  if (topic_->layout == nullptr) status = begin_comparison();
  if (status && topic_->layout != nullptr) {
    auto more = compare_rows();
    if (!more) status = more.error();
    done = !more || !*more;
  }
  if (status && done) status = finish_comparison();
  if (!status) find(log::Finding::Kind::damage, std::nullopt, {}, {}, status.error().message);
  if (status && !done) return true;
  topic_.reset();
  comparing_ = false;
  return false;
}

/// The consumed offsets come before the rows: below them every row has been there since.
Status HistoryVerifier::begin_comparison() {
  auto layout = load_layout(*database_, topic_->name);
  if (!layout) return layout.error();
  if (*layout == nullptr) return {};
  topic_->layout = std::move(*layout);
  ++totals_.datasets;
  for (std::uint32_t id = 0; id != topic_->partitions.size(); ++id) {
    auto consumed = number("SELECT next FROM offsets WHERE dataset = ? AND partition = ?", topic_->layout->id(), id);
    if (!consumed) return consumed.error();
    topic_->partitions[id].consumed = Offset(static_cast<std::uint64_t>(consumed->value_or(0)));
  }
  return {};
}

Result<std::optional<std::int64_t>> HistoryVerifier::number(std::string_view sql, std::int64_t first,
                                                            std::optional<std::int64_t> second) {
  auto statement = database_->prepare(sql);
  if (!statement) return statement.error();
  statement->bind(1, first);
  if (second) statement->bind(2, *second);
  auto row = statement->step();
  if (!row) return row.error();
  std::optional<std::int64_t> number;
  if (*row) number = statement->integer(0);
  return number;
}

/// False after the last row.
Result<bool> HistoryVerifier::compare_rows() {
  const std::string table = sqlite::quote_identifier(topic_->layout->table());
  auto rows = database_->prepare(
      fmt::format("SELECT \"time\", \"partition\", \"offset\" FROM {} WHERE (\"time\", \"partition\", \"offset\") > (?,?,?) "
                  "ORDER BY \"time\", \"partition\", \"offset\" LIMIT {}",
                  table, rows_per_step));
  if (!rows) return rows.error();
  rows->bind(1, topic_->last_time).bind(2, topic_->last_partition).bind(3, topic_->last_offset);
  for (int count = 0;; ++count) {
    auto row = rows->step();
    if (!row) return row.error();
    if (!*row) return count == rows_per_step;
    topic_->last_time = rows->integer(0);
    topic_->last_partition = rows->integer(1);
    topic_->last_offset = rows->integer(2);
    ++topic_->rows;
    ++totals_.rows;
    count_row(PartitionId(static_cast<std::uint32_t>(topic_->last_partition)), static_cast<std::uint64_t>(topic_->last_offset));
  }
}

void HistoryVerifier::count_row(PartitionId id, std::uint64_t offset) {
  if (id.value >= topic_->partitions.size()) {
    ++topic_->beyond;
    return;
  }
  Partition& partition = topic_->partitions[id.value];
  if (offset >= partition.consumed.value) {
    ++topic_->beyond;
    return;
  }
  if (offset < partition.earliest.value || offset - partition.earliest.value >= partition.seen.size()) return;
  const std::uint64_t place = offset - partition.earliest.value;
  if (partition.seen[place]) {
    // Its primary key begins with the time: two times for one record are two rows.
    if (topic_->repeated++ == 0)
      find(log::Finding::Kind::damage, id, Offset(offset), Offset(offset + 1), "history holds this record twice");
  }
  partition.seen[place] = true;
}

Status HistoryVerifier::finish_comparison() {
  if (topic_->repeated > 1)
    find(log::Finding::Kind::damage, std::nullopt, {}, {},
         fmt::format("history holds {} records of the dataset more than once", topic_->repeated));
  for (std::uint32_t id = 0; id != topic_->partitions.size(); ++id) {
    check_ends(PartitionId(id), topic_->partitions[id]);
    if (topic_->layout == nullptr) continue;
    if (auto found = find_missing(PartitionId(id), topic_->partitions[id]); !found) return found;
  }
  // Live, rows go on coming.
  if (topic_->layout == nullptr || options_.log != nullptr) return {};
  if (topic_->beyond > 0)
    find(log::Finding::Kind::damage, std::nullopt, {}, {},
         fmt::format("{} rows of the dataset are at offsets that history has not consumed", topic_->beyond));
  return check_count();
}

void HistoryVerifier::check_ends(PartitionId id, const Partition& partition) {
  if (options_.log != nullptr) return;
  if (partition.consumed > partition.next)
    find(log::Finding::Kind::damage, id, partition.next, partition.consumed,
         fmt::format("history is at offset {}, the log ends at {}", partition.consumed, partition.next));
  const Offset from = std::max(partition.consumed, partition.earliest);
  if (partition.next > from && from.value - partition.earliest.value < partition.wanted.size())
    find(log::Finding::Kind::note, id, from, partition.next,
         "these records are not in history yet: the next start brings them there");
}

Result<Offset> HistoryVerifier::retained(PartitionId id) {
  auto table = database_->prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'retained'");
  if (!table) return table.error();
  auto row = table->step();
  if (!row) return row.error();
  if (table->integer(0) == 0) return Offset(0);
  auto next = number("SELECT next FROM retained WHERE dataset = ? AND partition = ?", topic_->layout->id(), id.value);
  if (!next) return next.error();
  return Offset(static_cast<std::uint64_t>(next->value_or(0)));
}

/// Each run of records without a row is one finding. Retention may be at work: what it has removed is asked last.
Status HistoryVerifier::find_missing(PartitionId id, const Partition& partition) {
  auto removed_below = retained(id);
  if (!removed_below) return removed_below.error();
  const std::uint64_t base = partition.earliest.value;
  const std::uint64_t end = std::min<std::uint64_t>(partition.wanted.size(), std::max(partition.consumed.value, base) - base);
  std::uint64_t place = std::min(end, std::max(removed_below->value, base) - base);
  for (; place < end; ++place) {
    if (!partition.wanted[place] || partition.seen[place]) continue;
    const std::uint64_t first = place;
    while (place < end && partition.wanted[place] && !partition.seen[place]) ++place;
    find(log::Finding::Kind::damage, id, Offset(base + first), Offset(base + place), "history lacks these records of the log");
  }
  return {};
}

Status HistoryVerifier::check_count() {
  auto events = number("SELECT events FROM datasets WHERE id = ?", topic_->layout->id(), std::nullopt);
  if (!events) return events.error();
  const auto counted = static_cast<std::uint64_t>(events->value_or(0));
  if (counted != topic_->rows)
    find(log::Finding::Kind::damage, std::nullopt, {}, {},
         fmt::format("history counts {} events of the dataset, but holds {}", counted, topic_->rows));
  return {};
}

}  // namespace iotstream::store
