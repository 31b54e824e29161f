// Values that did not fit their field: who sent them, when, how often, and one of them to look at.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <iotstream/base/time.hpp>
#include <iotstream/model/schema.hpp>

namespace iotstream::catalog {

inline constexpr std::size_t conflicts_max = 1'000;           ///< pairs of field and type that a dataset's book has room for
inline constexpr std::size_t conflict_sample_max = 200;       ///< bytes of a sample
inline constexpr std::size_t conflict_field_bytes_max = 500;  ///< bytes of a field's name in it

/// All values of one type that did not fit one field.
struct Conflict {
  std::string field;
  std::optional<model::FieldType> from;  ///< the field's type; nothing: a strict dataset has no such field
  model::FieldType to = model::FieldType::text;
  std::uint64_t count = 0;    ///< since the start; what is known of before it counts as one
  std::uint64_t refused = 0;  ///< of these, in readings that were not taken
  Timestamp first;            ///< by time of arrival
  Timestamp last;
  std::string device;  ///< these three of the last one that was looked at closely: at most one a second is
  std::string source;
  std::string sample;  ///< as JSON; may be cut
};

/// One value that did not fit. Views are copied.
struct Misfitting {
  Timestamp time;
  std::string_view device;
  std::string_view source;
  std::string_view sample;
  bool refused = false;
};

/// Counts one kind of conflict. Thread-safe; no allocation and no lock but once a second.
class ConflictCell {
 public:
  /// Counts one; true when it is worth telling more with describe(): the first, and one a second.
  bool count(Timestamp time, bool refused);
  void describe(const Misfitting& value);
  std::uint64_t counted() const { return count_.load(std::memory_order_relaxed); }
  /// Everything but field and types.
  Conflict read() const;

 private:
  // All relaxed: figures for people, nothing is published by them.
  std::atomic<std::uint64_t> count_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::int64_t> first_us_{0};
  std::atomic<std::int64_t> last_us_{0};
  std::atomic<std::int64_t> described_us_{0};
  mutable std::mutex mutex_;  ///< guards what follows
  std::string device_;
  std::string source_;
  std::string sample_;
};

/// The conflicts of one dataset, bounded. Thread-safe. A cell lives as long as the book.
class ConflictBook {
 public:
  /// The cell of a field and a type, made on first use. When the book is full, one that all the rest share, which list() leaves
  /// out.
  ConflictCell& cell(std::string_view field, std::optional<model::FieldType> from, model::FieldType to);
  /// By last time, the newest first.
  std::vector<Conflict> list() const;
  std::uint64_t total() const;

 private:
  struct Entry {
    std::string field;
    std::optional<model::FieldType> from;
    model::FieldType to;
    ConflictCell cell;
  };
  mutable std::mutex mutex_;  ///< guards the map, not the cells
  std::unordered_map<std::string, std::unique_ptr<Entry>> entries_;
  ConflictCell rest_;
};

}  // namespace iotstream::catalog
