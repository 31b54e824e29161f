#include "store/rollup.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace iotstream::store {

namespace {

constexpr unsigned form_whole = 0;
constexpr unsigned form_decimal = 1;
constexpr unsigned form_plain = 2;
constexpr unsigned form_none = 3;
constexpr unsigned every_row = 1u << 2;
constexpr unsigned constant = 1u << 3;
constexpr unsigned least_shift = 4;
constexpr unsigned greatest_shift = 6;
constexpr unsigned is_written = 0;
constexpr unsigned is_first = 1;
constexpr unsigned is_last = 2;

constexpr double whole_max = 9'007'199'254'740'992.0;  // 2^53
constexpr std::array<double, 10> powers = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
constexpr std::size_t nibble_times = 16;

void put_varint(std::string& out, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>(number | 0x80);
  out += static_cast<char>(number);
}

std::uint64_t zigzag(std::int64_t number) {
  return (static_cast<std::uint64_t>(number) << 1) ^ static_cast<std::uint64_t>(number >> 63);
}
std::int64_t unzigzag(std::uint64_t number) {
  return static_cast<std::int64_t>(number >> 1) ^ -static_cast<std::int64_t>(number & 1);
}
void put_signed(std::string& out, std::int64_t number) { put_varint(out, zigzag(number)); }
void put_double(std::string& out, double number) {
  const auto bits = std::bit_cast<std::uint64_t>(number);
  for (unsigned shift = 0; shift < 64; shift += 8) out += static_cast<char>(bits >> shift);
}

/// `number` · 10^digits when that is a whole number that says it exactly.
bool scaled(double number, std::size_t digits, std::int64_t& whole) {
  const double product = digits == 0 ? number : std::nearbyint(number * powers[digits]);
  if (!(std::abs(product) < whole_max) || (product == 0 && std::signbit(number))) return false;
  whole = static_cast<std::int64_t>(product);
  return static_cast<double>(whole) / powers[digits] == number;
}

/// The numbers of a rollup as whole ones.
struct Scaled {
  std::size_t digits = 0;
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t min = 0;
  std::int64_t max = 0;
  std::int64_t sum = 0;

  bool fits(const Rollup& rollup, std::size_t with_digits) {
    digits = with_digits;
    return scaled(rollup.first, digits, first) && scaled(rollup.last, digits, last) && scaled(rollup.min, digits, min) &&
           scaled(rollup.max, digits, max) && sum_fits(rollup) && spread_fits(rollup.count);
  }

 private:
  /// The true sum of numbers with so many digits has no more of them: what the additions of doubles left behind that goes.
  /// Only that: a reading with more digits than the ends of its bucket stays in the sum.
  bool sum_fits(const Rollup& rollup) {
    const double exact = rollup.sum;
    const auto count = static_cast<double>(rollup.count);
    const double largest = std::max(std::abs(rollup.min), std::abs(rollup.max));
    const double left_behind = count * 0x1p-52 * std::max(std::abs(exact), count * largest);
    const double product = std::nearbyint(exact * powers[digits]);
    if (!(std::abs(product) < whole_max)) return false;
    sum = static_cast<std::int64_t>(product);
    const double back = static_cast<double>(sum) / powers[digits];
    return digits == 0 ? back == exact : std::abs(back - exact) <= std::min(left_behind, 0.001 / powers[digits]);
  }
  /// sum − count · first must not overflow.
  bool spread_fits(std::uint64_t count) const {
    return static_cast<double>(count) * std::abs(static_cast<double>(first)) < whole_max;
  }
};

/// Fields of a dataset have their digits in common from bucket to bucket; trying from 0 finds them soon.
bool find_digits(const Rollup& rollup, Scaled& numbers) {
  for (std::size_t digits = 0; digits < powers.size(); ++digits) {
    std::int64_t whole = 0;
    if (!scaled(rollup.first, digits, whole)) continue;
    if (numbers.fits(rollup, digits)) return true;
  }
  return false;
}

class Encoder {
 public:
  Encoder(const Bucket& bucket, std::int64_t begin_us, std::string& out) : bucket_(bucket), begin_(begin_us), out_(out) {}

  void run() {
    out_.clear();
    put_varint(out_, bucket_.rows);
    collect_times();
    put_times();
    std::uint32_t expected = 0;
    for (const auto& [id, rollup] : bucket_.fields) {
      field_.clear();
      put_field(rollup);
      const std::uint32_t gap = id.value - expected;
      put_varint(out_, field_.size() * 4 + (rollup.rising ? 0 : 2) + (gap > 0 ? 1 : 0));
      if (gap > 0) put_varint(out_, gap);
      out_ += field_;
      expected = id.value + 1;
    }
  }

 private:
  bool in_every_row(const Rollup& rollup) const { return rollup.count == bucket_.rows && rollup.others == 0; }

  void collect_times() {
    for (const auto& [id, rollup] : bucket_.fields) {
      if (rollup.count == 0) continue;
      note(rollup.first_time);
      note(rollup.last_time);
      note(rollup.min_time);
      note(rollup.max_time);
    }
    std::sort(times_.begin(), times_.end());
    times_.erase(std::unique(times_.begin(), times_.end()), times_.end());
  }
  /// Most are one of the last few.
  void note(std::int64_t time) {
    const std::size_t look = std::min<std::size_t>(times_.size(), 4);
    if (std::find(times_.end() - static_cast<std::ptrdiff_t>(look), times_.end(), time) == times_.end()) times_.push_back(time);
  }
  std::uint64_t place_of(std::int64_t time) const {
    return static_cast<std::uint64_t>(std::lower_bound(times_.begin(), times_.end(), time) - times_.begin());
  }

  void put_times() {
    std::int64_t before = begin_;
    for (const std::int64_t time : times_) {
      put_varint(field_, static_cast<std::uint64_t>(time) - static_cast<std::uint64_t>(before));
      before = time;
    }
    put_varint(out_, times_.size());
    put_varint(out_, field_.size());
    out_ += field_;
  }

  void put_field(const Rollup& rollup) {
    if (rollup.count == 0) {
      const bool every = rollup.others == bucket_.rows;
      field_ += static_cast<char>(form_none | (every ? every_row : 0));
      if (!every) put_varint(field_, rollup.others);
      return;
    }
    Scaled numbers;
    const bool whole = find_digits(rollup, numbers);
    const bool same = rollup.min == rollup.max && rollup.count > 1
                          ? whole && numbers.sum == numbers.first * static_cast<std::int64_t>(rollup.count)
                          : rollup.count == 1;
    unsigned form = !whole ? form_plain : numbers.digits == 0 ? form_whole : form_decimal;
    if (in_every_row(rollup)) form |= every_row;
    if (same) form |= constant;
    const unsigned least = relation(rollup, rollup.min, rollup.min_time);
    const unsigned greatest = relation(rollup, rollup.max, rollup.max_time);
    form |= least << least_shift | greatest << greatest_shift;
    field_ += static_cast<char>(form);
    if (whole && numbers.digits > 0) field_ += static_cast<char>(numbers.digits);
    if (!in_every_row(rollup)) put_counts(rollup);
    whole ? put_whole(rollup, numbers, same, least, greatest) : put_plain(rollup, same, least, greatest);
    if (least == is_written || greatest == is_written) put_places(rollup, least, greatest);
  }

  static unsigned relation(const Rollup& rollup, double value, std::int64_t time) {
    if (same_bits(value, rollup.first) && time == rollup.first_time) return is_first;
    if (same_bits(value, rollup.last) && time == rollup.last_time) return is_last;
    return is_written;
  }
  static bool same_bits(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }

  void put_counts(const Rollup& rollup) {
    put_varint(field_, rollup.count);
    put_varint(field_, rollup.others);
    put_varint(field_, place_of(rollup.first_time));
    put_varint(field_, place_of(rollup.last_time));
  }

  void put_whole(const Rollup& rollup, const Scaled& numbers, bool same, unsigned least, unsigned greatest) {
    put_signed(field_, numbers.first);
    if (same) return;
    put_signed(field_, numbers.last - numbers.first);
    if (least == is_written) put_varint(field_, static_cast<std::uint64_t>(numbers.first - numbers.min));
    if (greatest == is_written) put_varint(field_, static_cast<std::uint64_t>(numbers.max - numbers.first));
    put_signed(field_, numbers.sum - static_cast<std::int64_t>(rollup.count) * numbers.first);
  }

  void put_plain(const Rollup& rollup, bool same, unsigned least, unsigned greatest) {
    put_double(field_, rollup.first);
    if (same) return;
    put_double(field_, rollup.last);
    if (least == is_written) put_double(field_, rollup.min);
    if (greatest == is_written) put_double(field_, rollup.max);
    put_double(field_, rollup.sum);
  }

  void put_places(const Rollup& rollup, unsigned least, unsigned greatest) {
    const std::uint64_t low = place_of(rollup.min_time);
    const std::uint64_t high = place_of(rollup.max_time);
    if (least == is_written && greatest == is_written && times_.size() <= nibble_times) {
      field_ += static_cast<char>(low << 4 | high);
      return;
    }
    if (least == is_written) put_varint(field_, low);
    if (greatest == is_written) put_varint(field_, high);
  }

  const Bucket& bucket_;
  std::int64_t begin_;
  std::string& out_;
  std::string field_;
  std::vector<std::int64_t> times_;
};

/// Takes numbers off bytes; after the end all are 0 and it is broken.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  bool broken() const { return broken_; }
  bool at_end() const { return at_ == end_; }

  std::uint64_t varint() {
    if (at_ != end_ && static_cast<unsigned char>(*at_) < 0x80) return static_cast<unsigned char>(*at_++);
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const unsigned char next = byte();
      number |= std::uint64_t{next & 0x7fu} << shift;
      if (next < 0x80) return number;
    }
    broken_ = true;
    return 0;
  }
  std::int64_t whole() { return unzigzag(varint()); }
  unsigned char byte() {
    if (at_ == end_) {
      broken_ = true;
      return 0;
    }
    return static_cast<unsigned char>(*at_++);
  }
  double plain() {
    std::uint64_t bits = 0;
    for (unsigned shift = 0; shift < 64; shift += 8) bits |= std::uint64_t{byte()} << shift;
    return std::bit_cast<double>(bits);
  }
  std::string_view take(std::uint64_t size) {
    if (size > static_cast<std::uint64_t>(end_ - at_)) {
      broken_ = true;
      return {};
    }
    const std::string_view taken(at_, static_cast<std::size_t>(size));
    at_ += size;
    return taken;
  }

 private:
  const char* at_;
  const char* end_;
  bool broken_ = false;
};

/// Sums of broken bytes must not be undefined.
std::int64_t plus(std::int64_t a, std::uint64_t b) { return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + b); }
std::int64_t minus(std::int64_t a, std::uint64_t b) { return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - b); }

class Decoder {
 public:
  Decoder(std::string_view bytes, std::int64_t begin_us) : bytes_(bytes), begin_(begin_us) {
    rows_ = bytes_.varint();
    times_count_ = bytes_.varint();
    times_bytes_ = bytes_.take(bytes_.varint());
  }

  std::uint64_t rows() const { return rows_; }
  bool broken() const { return bytes_.broken() || broken_; }

  /// The id of the next field; false at the end.
  bool next(FieldId& id) {
    if (bytes_.at_end() || broken()) return false;
    const std::uint64_t size = bytes_.varint();
    if ((size & 1) != 0) expected_ += bytes_.varint();
    rising_ = (size & 2) == 0;
    field_ = bytes_.take(size / 4);
    if (expected_ > std::numeric_limits<std::uint32_t>::max()) broken_ = true;
    id = FieldId(static_cast<std::uint32_t>(expected_++));
    return !broken();
  }

  void read(Rollup& rollup, bool times) {
    if (times && !times_read_) read_times();
    Bytes field(field_);
    const unsigned form = field.byte();
    const unsigned numbers = form & 3;
    if (numbers == form_none) {
      rollup = {};
      rollup.others = (form & every_row) != 0 ? rows_ : field.varint();
    } else {
      read_numbers(field, form, rollup, times);
    }
    rollup.rising = rising_;
    broken_ = broken_ || field.broken();
  }

 private:
  void read_times() {
    times_read_ = true;
    Bytes bytes(times_bytes_);
    std::int64_t time = begin_;
    // Each takes a byte at least.
    if (times_count_ > times_bytes_.size()) broken_ = true;
    for (std::uint64_t i = 0; i < times_count_ && !broken_; ++i) times_.push_back(time = plus(time, bytes.varint()));
    broken_ = broken_ || bytes.broken();
  }
  std::int64_t time_at(std::uint64_t place) {
    if (place < times_.size()) return times_[place];
    broken_ = true;
    return 0;
  }

  void read_numbers(Bytes& field, unsigned form, Rollup& rollup, bool times) {
    const std::size_t digits = (form & 3) == form_decimal ? field.byte() : 0;
    if (digits >= powers.size()) broken_ = true;
    std::uint64_t first_place = 0;
    std::uint64_t last_place = times_count_ - 1;
    rollup.count = rows_;
    rollup.others = 0;
    if ((form & every_row) == 0) {
      rollup.count = field.varint();
      rollup.others = field.varint();
      first_place = field.varint();
      last_place = field.varint();
    }
    if (broken_) return;
    const unsigned least = form >> least_shift & 3;
    const unsigned greatest = form >> greatest_shift & 3;
    const bool same = (form & constant) != 0;
    if ((form & 3) == form_plain)
      read_plain(field, rollup, same, least, greatest);
    else
      read_whole(field, rollup, powers[digits], same, least, greatest);
    if (!times) return;
    rollup.first_time = time_at(first_place);
    rollup.last_time = time_at(last_place);
    read_places(field, rollup, least, greatest);
  }

  static double either(unsigned relation, const Rollup& rollup) { return relation == is_first ? rollup.first : rollup.last; }

  static void read_whole(Bytes& field, Rollup& rollup, double power, bool same, unsigned least, unsigned greatest) {
    const auto number = [power](std::int64_t whole) { return static_cast<double>(whole) / power; };
    const std::int64_t first = field.whole();
    rollup.first = rollup.last = number(first);
    if (same) {
      rollup.min = rollup.max = rollup.first;
      rollup.sum = number(static_cast<std::int64_t>(static_cast<std::uint64_t>(first) * rollup.count));
      return;
    }
    rollup.last = number(plus(first, static_cast<std::uint64_t>(field.whole())));
    rollup.min = least == is_written ? number(minus(first, field.varint())) : either(least, rollup);
    rollup.max = greatest == is_written ? number(plus(first, field.varint())) : either(greatest, rollup);
    const std::uint64_t base = static_cast<std::uint64_t>(first) * rollup.count;
    rollup.sum = number(static_cast<std::int64_t>(base + static_cast<std::uint64_t>(field.whole())));
  }

  static void read_plain(Bytes& field, Rollup& rollup, bool same, unsigned least, unsigned greatest) {
    rollup.first = rollup.last = field.plain();
    if (same) {
      rollup.min = rollup.max = rollup.sum = rollup.first;
      return;
    }
    rollup.last = field.plain();
    rollup.min = least == is_written ? field.plain() : either(least, rollup);
    rollup.max = greatest == is_written ? field.plain() : either(greatest, rollup);
    rollup.sum = field.plain();
  }

  void read_places(Bytes& field, Rollup& rollup, unsigned least, unsigned greatest) {
    rollup.min_time = least == is_first ? rollup.first_time : rollup.last_time;
    rollup.max_time = greatest == is_first ? rollup.first_time : rollup.last_time;
    if (least == is_written && greatest == is_written && times_count_ <= nibble_times) {
      const unsigned both = field.byte();
      rollup.min_time = time_at(both >> 4);
      rollup.max_time = time_at(both & 15);
      return;
    }
    if (least == is_written) rollup.min_time = time_at(field.varint());
    if (greatest == is_written) rollup.max_time = time_at(field.varint());
  }

  Bytes bytes_;
  std::int64_t begin_;
  std::uint64_t rows_ = 0;
  std::uint64_t times_count_ = 0;
  std::string_view times_bytes_;
  std::vector<std::int64_t> times_;
  bool times_read_ = false;
  std::string_view field_;
  bool rising_ = true;
  std::uint64_t expected_ = 0;
  bool broken_ = false;
};

/// Both ascending by id. Mostly the same fields come again; new ones go to the end first, so that many cost no more than a
/// sort.
template <class More, class Add, class Make>
void merge_by_id(std::vector<std::pair<FieldId, Rollup>>& fields, const std::vector<std::pair<FieldId, More>>& more, Add&& add,
                 Make&& make) {
  const std::size_t known = fields.size();
  std::size_t at = 0;
  for (const auto& [id, value] : more) {
    while (at < known && fields[at].first < id) ++at;
    if (at < known && fields[at].first == id)
      add(fields[at++].second, value);
    else
      fields.emplace_back(id, make(value));
  }
  if (known == 0 || fields.size() == known || fields[known - 1].first < fields[known].first) return;
  std::inplace_merge(fields.begin(), fields.begin() + static_cast<std::ptrdiff_t>(known), fields.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
}

Status broken_rollup() { return Error{ErrorKind::corrupt, "history.db: a rollup cannot be read"}; }

}  // namespace

std::int64_t width_of(Tier tier) {
  constexpr std::int64_t widths[] = {0, 1'000'000, 60'000'000, 3'600'000'000};
  return widths[static_cast<std::size_t>(tier)];
}

std::string_view name_of(Tier tier) {
  constexpr std::string_view names[] = {"rows", "1s", "1min", "1h"};
  return names[static_cast<std::size_t>(tier)];
}

void Rollup::add(std::int64_t time_us, double number) {
  if (!std::isfinite(number)) {
    ++others;
    return;
  }
  if (count++ == 0) {
    sum = min = max = first = last = number;
    min_time = max_time = first_time = last_time = time_us;
    return;
  }
  rising = rising && time_us >= last_time && number >= last;
  sum += number;
  if (number < min || (number == min && time_us < min_time)) {
    min = number;
    min_time = time_us;
  }
  if (number > max || (number == max && time_us < max_time)) {
    max = number;
    max_time = time_us;
  }
  if (time_us < first_time) {
    first = number;
    first_time = time_us;
  }
  if (time_us >= last_time) {
    last = number;
    last_time = time_us;
  }
}

void Rollup::merge(const Rollup& other) {
  if (other.count == 0) {
    others += other.others;
    return;
  }
  if (count == 0) {
    const std::uint64_t before = others;
    *this = other;
    others += before;
    return;
  }
  const bool after = other.first_time >= last_time && other.first >= last;
  const bool before = other.last_time < first_time && other.last <= first;
  rising = rising && other.rising && (after || before);
  count += other.count;
  others += other.others;
  sum += other.sum;
  if (other.min < min || (other.min == min && other.min_time < min_time)) {
    min = other.min;
    min_time = other.min_time;
  }
  if (other.max > max || (other.max == max && other.max_time < max_time)) {
    max = other.max;
    max_time = other.max_time;
  }
  if (other.first_time < first_time) {
    first = other.first;
    first_time = other.first_time;
  }
  if (other.last_time >= last_time) {
    last = other.last;
    last_time = other.last_time;
  }
}

void Bucket::merge(const Bucket& other) {
  rows += other.rows;
  merge_by_id(
      fields, other.fields, [](Rollup& rollup, const Rollup& more) { rollup.merge(more); },
      [](const Rollup& more) { return more; });
}

void Bucket::add(std::int64_t time_us, const Numbers& numbers) {
  ++rows;
  merge_by_id(
      fields, numbers, [time_us](Rollup& rollup, double number) { rollup.add(time_us, number); },
      [time_us](double number) {
        Rollup rollup;
        rollup.add(time_us, number);
        return rollup;
      });
}

void encode(const Bucket& bucket, std::int64_t begin_us, std::string& out) { Encoder(bucket, begin_us, out).run(); }

Status decode(std::string_view bytes, std::int64_t begin_us, Bucket& bucket) {
  bucket.clear();
  Decoder decoder(bytes, begin_us);
  bucket.rows = decoder.rows();
  for (FieldId id; decoder.next(id);) decoder.read(bucket.fields.emplace_back(id, Rollup{}).second, true);
  if (decoder.broken()) return broken_rollup();
  return {};
}

Status decode_fields(std::string_view bytes, std::int64_t begin_us, const std::vector<FieldId>& fields, bool times,
                     std::vector<Rollup>& rollups) {
  rollups.assign(fields.size(), Rollup{});
  Decoder decoder(bytes, begin_us);
  std::size_t at = 0;
  for (FieldId id; at < fields.size() && decoder.next(id);) {
    while (at < fields.size() && fields[at] < id) ++at;
    if (at < fields.size() && fields[at] == id) decoder.read(rollups[at++], times);
  }
  if (decoder.broken()) return broken_rollup();
  return {};
}

}  // namespace iotstream::store
