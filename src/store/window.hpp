// Reads the numbers of a window of time, from rows, rollups and the open tail, and hands them on in order of time.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <iotstream/log/log.hpp>
#include <iotstream/store/history.hpp>

#include "store/filter_sql.hpp"
#include "store/plan.hpp"
#include "store/tail.hpp"

namespace iotstream::store {

/// A field's value in a row.
struct Cell {
  bool there = false;
  double number = 0;  ///< not a number: a value that is none
};

/// A device's bucket on its way to a WindowSink.
struct RollupPlace {
  std::int64_t begin_us;
  std::int64_t device;
  bool rows_there;  ///< retention has not taken them
  std::int64_t
      tail_us;  ///< the first reading of the open tail since begin_us: it is handed on by itself, though it may lie within
};

/// Gets what a WindowReader reads: rows in order of time, and rollups among them in order of their beginnings.
class WindowSink {
 public:
  virtual ~WindowSink() = default;
  /// Cells by place in Question::fields.
  virtual void row(std::int64_t time_us, std::int64_t device, std::span<const Cell> cells) = 0;
  /// What a device's bucket holds of each field. False: the sink has taken nothing of it and wants its rows instead; only where
  /// there are any.
  virtual bool rollup(const RollupPlace& place, std::span<const Rollup> rollups) = 0;
};

/// What is asked of a window.
struct WindowQuestion {
  std::vector<FieldId> fields;  ///< ascending, each once
  std::string device;           ///< empty or `*`: all
  std::shared_ptr<const query::Bound> where;
  Timestamp from;
  Timestamp to;
  bool times = true;  ///< whether the times in rollups are looked at
};

/// One thread, within a transaction of the connection, which outlives it.
class WindowReader {
 public:
  /// `topic`: of the open tail; nullptr: there is none. `layout` may be nullptr: then there is nothing but the tail.
  static Result<WindowReader> open(ReadConnection& connection, LayoutPtr layout, log::Topic* topic,
                                   std::vector<Offset> consumed, const WindowQuestion& question);
  WindowReader(WindowReader&&) = default;
  WindowReader& operator=(WindowReader&&) = delete;
  ~WindowReader();

  /// What plan() may choose from: rows alone where a filter asks for them.
  const Sources& sources() const { return sources_; }
  /// In order of time; several calls go on where the former one ended. Errors: io, corrupt, unavailable (interrupted).
  Status read(const std::vector<Segment>& segments, WindowSink& sink);
  /// From now on read() leaves the tail to feed_tail() and finish().
  void hold_tail() { holds_tail_ = true; }
  /// Hands on the tail up to `before_us`, as far as it was not.
  void feed_tail(std::int64_t before_us, WindowSink& sink);
  /// What is left of the tail. Last.
  void finish(WindowSink& sink) { feed_tail(INT64_MAX, sink); }

  std::uint64_t rows_scanned() const { return scanned_; }  ///< rows and rollups read
  Tier tier() const { return tier_; }                      ///< the largest that was read
  std::uint64_t behind() const { return tail_.behind(); }

 private:
  struct TailCells {
    std::int64_t time_us;
    std::int64_t device;
    std::vector<Cell> cells;
  };

  WindowReader(ReadConnection& connection, LayoutPtr layout, const WindowQuestion& question)
      : connection_(&connection), layout_(std::move(layout)), question_(&question), cells_(question.fields.size()) {}
  Status load_sources();
  Status read_tail(log::Topic& topic, const std::vector<Offset>& consumed);
  Result<std::int64_t> device_of(std::string_view name);

  Status read_rows(std::int64_t from, std::int64_t to, std::optional<std::int64_t> device, WindowSink& sink);
  Status read_columns(std::int64_t from, std::int64_t to, std::optional<std::int64_t> device, WindowSink& sink);
  Status read_events(std::int64_t from, std::int64_t to, std::optional<std::int64_t> device, WindowSink& sink);
  Status read_tier(const Segment& segment, WindowSink& sink);
  Status scan_tier(const Segment& segment, WindowSink& sink);
  Status seek_tier(const Segment& segment, WindowSink& sink);
  Result<sqlite::Statement*> tier_statement(Tier tier, std::string_view where);
  Status take_rollup(Tier tier, std::int64_t bucket, std::int64_t device, ByteView bytes, WindowSink& sink);
  std::int64_t tail_from(std::int64_t from_us) const;
  void feed_tail_between(std::int64_t before_us, WindowSink& sink);

  ReadConnection* connection_;
  LayoutPtr layout_;
  const WindowQuestion* question_;
  Sources sources_;
  std::optional<std::int64_t> device_;
  bool nobody_ = false;  ///< the device has no rows
  FilterSql filter_;
  bool many_devices_ = false;
  bool by_events_ = false;  ///< a field has no column, or the filter is not all SQL
  std::string columns_sql_;
  sqlite::Statement* rows_ = nullptr;
  sqlite::Statement* rows_of_device_ = nullptr;
  std::array<sqlite::Statement*, 4> tiers_{};
  std::map<std::string, std::int64_t, std::less<>> devices_;  ///< of the tail
  Tail tail_;
  std::vector<TailCells> tail_cells_;
  std::size_t tail_next_ = 0;
  bool holds_tail_ = false;
  std::vector<Cell> cells_;
  std::vector<Rollup> rollups_;
  std::uint64_t scanned_ = 0;
  Tier tier_ = Tier::rows;
};

}  // namespace iotstream::store
