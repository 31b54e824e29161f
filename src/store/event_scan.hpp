// One SELECT over a dataset's events in order: what events(), snapshot() and retention read with.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <iotstream/store/history.hpp>

#include "store/codec.hpp"
#include "store/place.hpp"
#include "store/read_pool.hpp"

namespace iotstream::store {

struct ScanRange {
  std::optional<Timestamp> from;  ///< inclusive
  std::optional<Timestamp> to;    ///< exclusive
  std::optional<Place> after;     ///< in the direction of the scan, exclusive
  std::optional<std::int64_t> device;
  bool newest_first = false;
};

struct FilterSql;

/// Walks events in a transaction of the connection. `layout` and `connection` outlive it. One thread.
class EventScan {
 public:
  static Result<EventScan> open(ReadConnection& connection, const Layout& layout, std::vector<FieldId> fields,
                                const ScanRange& range, const FilterSql& filter);
  EventScan(EventScan&& other) noexcept;
  EventScan& operator=(EventScan&&) = delete;
  ~EventScan();

  /// The next event, valid until the next call; nullptr at the end. Errors: io, corrupt, unavailable (interrupted).
  Result<const Event*> next();
  /// Of the event that next() gave.
  std::int64_t device_id() const { return statement_->integer(3); }

 private:
  EventScan(ReadConnection& connection, sqlite::Statement& statement, RowReader reader)
      : connection_(&connection), statement_(&statement), reader_(std::move(reader)) {}
  Result<std::string_view> device_name(std::int64_t id);

  ReadConnection* connection_;
  sqlite::Statement* statement_;
  RowReader reader_;
  std::unordered_map<std::int64_t, std::string> names_;  ///< of the devices met
  Event event_;
};

/// An event of history as a filter sees it.
class Seen final : public query::EventView {
 public:
  explicit Seen(const Event& event) : event_(event) {}
  Timestamp time() const override { return event_.time; }
  std::string_view device() const override { return event_.device; }
  PartitionId partition() const override { return event_.partition; }
  Offset offset() const override { return event_.offset; }
  FactsId facts() const override { return event_.facts; }
  model::Value value(FieldId field) const override {
    const auto& values = *event_.values;
    const auto found =
        std::lower_bound(values.begin(), values.end(), field, [](const auto& one, FieldId id) { return one.first < id; });
    return found != values.end() && found->first == field ? found->second : model::Value{};
  }

 private:
  const Event& event_;
};

/// `WHERE …` for a range; the parameters are bound by bind_range() from `first` on, which returns the next free one.
std::string where_sql(const ScanRange& range);
int bind_range(sqlite::Statement& statement, const ScanRange& range, int first);

/// Sets the range's device from its name (empty or `*`: all); false when it has no events.
Result<bool> choose_device(ReadConnection& connection, const Layout& layout, std::string_view name, ScanRange& range);

/// Those of `fields` that the layout has, ascending, each once; all of them when `fields` is empty.
std::vector<FieldId> fields_of(const Layout& layout, const std::vector<FieldId>& fields);

}  // namespace iotstream::store
