// The numbers of one field: figures in one pass, exact while there is room.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <iotstream/profile/profile.hpp>

#include "profile/frequent.hpp"
#include "profile/hyperloglog.hpp"
#include "profile/keys.hpp"
#include "profile/sketch.hpp"

namespace iotstream::profile {

/// How many numbers all fields together may still keep.
struct Room {
  std::size_t numbers = 0;
};

/// Three stages. A table of counts while there are few distinct numbers, which most sensors never leave; then all numbers as
/// they come, sorted at the end; when there is no room for those, sketches. Whole numbers stay whole (int64) until the first
/// that is not.
class Numbers {
 public:
  Numbers(std::size_t distinct_max, Room& room);

  void add_integer(std::int64_t number) {
    welford(static_cast<double>(number));
    whole_ ? add(key_of_integer(number)) : add(key_of_real(static_cast<double>(number)));
  }
  void add_real(double number) {
    welford(number);
    if (whole_) leave_whole();
    add(key_of_real(number));
  }
  std::uint64_t count() const { return count_; }

  /// Writes its part of the profile: min … outliers, distinct, and the candidates for the most frequent values.
  void finish(FieldProfile& profile, std::size_t top);
  /// It needs the room: goes over to sketches.
  void give_up_room();

 private:
  /// Keys, ascending. Without `times` equal keys may follow each other; else each stands for so many.
  struct Sorted {
    std::vector<std::uint64_t> keys;
    std::vector<std::uint64_t> times;
    /// Calls `take(key, count)` for each number that is another.
    template <class Take>
    void each(Take&& take) const {
      for (std::size_t i = 0; i < keys.size();) {
        std::size_t end = i;
        std::uint64_t count = 0;
        for (; end < keys.size() && keys[end] == keys[i]; ++end) count += times.empty() ? 1 : times[end];
        take(keys[i], count);
        i = end;
      }
    }
  };
  struct Sketches {
    explicit Sketches(std::size_t capacity) : frequent(capacity) {}
    Sketch sketch;
    HyperLogLog distinct;
    Frequent<std::uint64_t> frequent;
    void add(std::uint64_t key, std::uint64_t times, std::uint64_t hash) {
      sketch.add(key, times);
      distinct.add(hash);
      frequent.add(key, times);
    }
  };
  struct Slot {
    std::uint64_t key;
    std::uint64_t count;  ///< 0: free
  };
  static constexpr std::size_t block_size = 8'192;

  void welford(double number) {
    ++count_;
    const double distance = number - mean_;
    mean_ += distance / static_cast<double>(count_);
    m2_ += distance * (number - mean_);
  }
  void add(std::uint64_t key) {
    if (key < least_) least_ = key;
    if (key > most_) most_ = key;
    if (table_stage_) return count_in_table(key, 1);
    if (!sketches_) return keep(key);
    sketches_->add(key, 1, hash_of(key));
  }
  void count_in_table(std::uint64_t key, std::uint64_t times);
  void grow_table();
  void leave_table();
  void keep(std::uint64_t key);
  void leave_whole();
  double number_of(std::uint64_t key) const { return whole_ ? static_cast<double>(integer_of_key(key)) : real_of_key(key); }
  /// The same for a whole number and its double: a field may cease to be whole.
  std::uint64_t hash_of(std::uint64_t key) const { return mixed(whole_ ? key_of_real(number_of(key)) : key); }
  std::string json_of(std::uint64_t key) const;
  Sorted sorted();
  Sorted sorted_blocks();
  void write_quantiles(FieldProfile& profile, const Sorted& sorted) const;
  void write_histogram(FieldProfile& profile, const Sorted& sorted) const;
  void write_outliers(FieldProfile& profile, const Sorted& sorted) const;
  void write_distinct(FieldProfile& profile, const Sorted& sorted, std::size_t top) const;

  std::size_t distinct_max_;
  Room* room_;
  bool whole_ = true;
  bool table_stage_ = true;
  std::uint64_t count_ = 0;
  double mean_ = 0;
  double m2_ = 0;
  std::uint64_t least_ = ~std::uint64_t{0};
  std::uint64_t most_ = 0;
  std::vector<Slot> table_;
  std::size_t in_table_ = 0;
  std::vector<std::unique_ptr<std::uint64_t[]>> blocks_;
  std::size_t kept_ = 0;
  std::unique_ptr<Sketches> sketches_;
};

}  // namespace iotstream::profile
