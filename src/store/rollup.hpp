// Rollups: what is known of a field's numbers in a second, a minute, an hour, and how that is written into a few bytes. Pure.
//
// All fields of one device in one bucket are one text of bytes (README.md has the sizes of the layouts that lost):
//   rows       varint: readings in the bucket
//   times      varint: how many; varint: their size in bytes; then the distinct times that anything below refers to, ascending:
//              varint, µs since the bucket's begin, and each after the first less the one before
//   fields     in order of their ids, each
//     varint   size of the rest in bytes · 4, + 2 unless it is rising, + 1 when a varint follows with the ids passed over
//     byte     form: bits 0-1 how numbers are written (whole, decimal, plain, none), bit 2: every reading has one, bit 3: all
//              are the same; bits 4-5 the least is (written, the first, the last), bits 6-7 the greatest likewise
//     byte     of decimal: digits behind the point
//     varints  unless every reading has one: numbers, other values, the first and the last one's places among the times
//     numbers  first; last, least, greatest and sum less what they are near to, as far as they are not told by the form
//     varints  places of the least and the greatest among the times, unless told by the form; one byte where both fit
// Whole and decimal numbers are zigzag varints, plain ones the 8 bytes of a double.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <iotstream/base/ids.hpp>
#include <iotstream/base/result.hpp>

namespace iotstream::store {

/// One field's numbers in a stretch of time. Not a number and infinities are no numbers, as texts are none.
struct Rollup {
  std::uint64_t count = 0;   ///< numbers
  std::uint64_t others = 0;  ///< values that are there and no numbers
  double sum = 0;
  double min = 0;
  double max = 0;
  double first = 0;           ///< at equal times the one that was added first
  double last = 0;            ///< at equal times the one that was added last
  std::int64_t min_time = 0;  ///< µs; the earliest of equals, as of max_time
  std::int64_t max_time = 0;
  std::int64_t first_time = 0;
  std::int64_t last_time = 0;
  /// No number was less than the one before it. False also where readings came late: then nobody knows.
  bool rising = true;

  bool operator==(const Rollup&) const = default;
  bool empty() const { return count == 0 && others == 0; }
  /// In any order of time.
  void add(std::int64_t time_us, double number);
  /// `other` counts as added after all of this.
  void merge(const Rollup& other);
};

/// Lengths of buckets, beside the rows themselves.
enum class Tier : unsigned char { rows, second, minute, hour };
inline constexpr Tier rollup_tiers[] = {Tier::second, Tier::minute, Tier::hour};
/// µs; 0 for rows.
std::int64_t width_of(Tier tier);
/// `rows`, `1s`, `1min`, `1h`.
std::string_view name_of(Tier tier);

/// ⌊number / by⌋, also below 0.
inline std::int64_t floor_divide(std::int64_t number, std::int64_t by) { return number / by - (number % by < 0 ? 1 : 0); }

/// The numbers of a reading, by field id, ascending; not a number: a value that is none.
using Numbers = std::vector<std::pair<FieldId, double>>;

/// All fields of a device in a bucket, by field id, ascending.
struct Bucket {
  std::uint64_t rows = 0;
  std::vector<std::pair<FieldId, Rollup>> fields;

  void add(std::int64_t time_us, const Numbers& numbers);
  void merge(const Bucket& other);
  void clear() {
    rows = 0;
    fields.clear();
  }
};

/// Writes `bucket`, which begins at `begin_us`, in place of `out`. Nothing is lost but what no double's digits show: the sum of
/// decimals is rounded to their own digits.
void encode(const Bucket& bucket, std::int64_t begin_us, std::string& out);

/// Reads what encode() wrote. Errors: corrupt.
Status decode(std::string_view bytes, std::int64_t begin_us, Bucket& bucket);

/// Reads some fields only (ascending): `rollups` gets one for each, an empty one where the bucket has none. Without `times` the
/// times in them mean nothing. Errors: corrupt.
Status decode_fields(std::string_view bytes, std::int64_t begin_us, const std::vector<FieldId>& fields, bool times,
                     std::vector<Rollup>& rollups);

}  // namespace iotstream::store
