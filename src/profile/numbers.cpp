#include "profile/numbers.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <iotstream/base/json.hpp>
#include <iotstream/model/row.hpp>

namespace iotstream::profile {

namespace {

constexpr std::size_t bins_default = 40;
constexpr double whole_bins_max = 60;

/// Sorts by the lowest byte, then the next…: a pass for each byte that is not the same in all keys. Three times as quick as
/// std::sort for a million numbers of a sensor.
void radix_sort(std::vector<std::uint64_t>& keys) {
  std::array<std::array<std::uint32_t, 256>, 8> counts{};
  for (const std::uint64_t key : keys)
    for (std::size_t byte = 0; byte < 8; ++byte) ++counts[byte][key >> (8 * byte) & 0xff];
  std::vector<std::uint64_t> other(keys.size());
  for (std::size_t byte = 0; byte < 8; ++byte) {
    auto& places = counts[byte];
    if (places[keys.front() >> (8 * byte) & 0xff] == keys.size()) continue;
    std::uint32_t before = 0;
    for (std::uint32_t& place : places) before += std::exchange(place, before);
    for (const std::uint64_t key : keys) other[places[key >> (8 * byte) & 0xff]++] = key;
    keys.swap(other);
  }
}

}  // namespace

Numbers::Numbers(std::size_t distinct_max, Room& room) : distinct_max_(distinct_max), room_(&room), table_(32) {}

void Numbers::count_in_table(std::uint64_t key, std::uint64_t times) {
  const std::size_t mask = table_.size() - 1;
  std::size_t place = mixed(key) & mask;
  while (table_[place].count != 0 && table_[place].key != key) place = (place + 1) & mask;
  if (table_[place].count != 0) {
    table_[place].count += times;
    return;
  }
  if (in_table_ == distinct_max_) {
    leave_table();
    for (; times > 0; --times) sketches_ ? sketches_->add(key, 1, hash_of(key)) : keep(key);
    return;
  }
  table_[place] = {key, times};
  if (++in_table_ * 2 > table_.size()) grow_table();
}

void Numbers::grow_table() {
  std::vector<Slot> former(table_.size() * 2);
  former.swap(table_);
  const std::size_t mask = table_.size() - 1;
  for (const Slot& slot : former) {
    if (slot.count == 0) continue;
    std::size_t place = mixed(slot.key) & mask;
    while (table_[place].count != 0) place = (place + 1) & mask;
    table_[place] = slot;
  }
}

void Numbers::leave_table() {
  table_stage_ = false;
  std::vector<Slot> table;
  table.swap(table_);
  in_table_ = 0;
  std::uint64_t all = 0;
  for (const Slot& slot : table) all += slot.count;
  if (all > room_->numbers) sketches_ = std::make_unique<Sketches>(distinct_max_);
  for (const Slot& slot : table) {
    if (slot.count == 0) continue;
    if (sketches_) {
      sketches_->add(slot.key, slot.count, hash_of(slot.key));
    } else {
      for (std::uint64_t i = 0; i < slot.count; ++i) keep(slot.key);
    }
  }
}

void Numbers::keep(std::uint64_t key) {
  if (room_->numbers == 0) {
    give_up_room();
    sketches_->add(key, 1, hash_of(key));
    return;
  }
  if (kept_ % block_size == 0) blocks_.push_back(std::make_unique_for_overwrite<std::uint64_t[]>(block_size));
  blocks_.back()[kept_++ % block_size] = key;
  --room_->numbers;
}

void Numbers::give_up_room() {
  sketches_ = std::make_unique<Sketches>(distinct_max_);
  for (const auto& [key, times] : sorted_blocks()) sketches_->add(key, times, hash_of(key));
}

/// The first number that is not whole: all become doubles.
void Numbers::leave_whole() {
  const auto real = [](std::uint64_t key) { return key_of_real(static_cast<double>(integer_of_key(key))); };
  if (count_ > 1) {
    least_ = real(least_);
    most_ = real(most_);
  }
  whole_ = false;
  if (table_stage_) {
    std::vector<Slot> former(table_.size());
    former.swap(table_);
    in_table_ = 0;
    // Beyond 2^53 two of them may become the same number.
    for (const Slot& slot : former)
      if (slot.count != 0) count_in_table(real(slot.key), slot.count);
  }
  for (std::size_t i = 0; i < kept_; ++i) {
    std::uint64_t& key = blocks_[i / block_size][i % block_size];
    key = real(key);
  }
  if (!sketches_) return;
  sketches_->sketch.map(real);
  Frequent<std::uint64_t> frequent(distinct_max_);
  for (const auto& [key, times] : sketches_->frequent.counts()) frequent.add(real(key), times);
  std::swap(sketches_->frequent.counts(), frequent.counts());
}

std::string Numbers::json_of(std::uint64_t key) const {
  model::Value value;
  value.kind = whole_ ? model::ValueKind::integer : model::ValueKind::real;
  if (whole_)
    value.integer = integer_of_key(key);
  else
    value.real = real_of_key(key);
  std::string out;
  model::append_json(out, value);
  return out;
}

Numbers::Weighted Numbers::sorted_blocks() {
  std::vector<std::uint64_t> keys;
  keys.reserve(kept_);
  for (std::size_t block = 0; block * block_size < kept_; ++block) {
    const std::size_t size = std::min(block_size, kept_ - block * block_size);
    keys.insert(keys.end(), blocks_[block].get(), blocks_[block].get() + size);
    blocks_[block].reset();
  }
  room_->numbers += kept_;
  kept_ = 0;
  blocks_.clear();
  Weighted runs;
  if (keys.empty()) return runs;
  radix_sort(keys);
  for (const std::uint64_t key : keys) {
    if (!runs.empty() && runs.back().first == key)
      ++runs.back().second;
    else
      runs.emplace_back(key, 1);
  }
  return runs;
}

Numbers::Weighted Numbers::sorted() {
  if (sketches_) return sketches_->sketch.weighted();
  if (!table_stage_) return sorted_blocks();
  Weighted all;
  all.reserve(in_table_);
  for (const Slot& slot : table_)
    if (slot.count != 0) all.emplace_back(slot.key, slot.count);
  std::sort(all.begin(), all.end());
  return all;
}

void Numbers::finish(FieldProfile& profile, std::size_t top) {
  if (count_ == 0) return;
  const Weighted weighted = sorted();
  profile.min = json_of(least_);
  profile.max = json_of(most_);
  profile.min_number = number_of(least_);
  profile.max_number = number_of(most_);
  profile.mean = mean_;
  profile.stddev = count_ > 1 ? std::sqrt(m2_ / static_cast<double>(count_ - 1)) : 0;
  if (sketches_) {
    profile.rank_error = sketches_->sketch.rank_error();
    profile.distinct += sketches_->distinct.estimate();
    profile.distinct_exact = false;
  } else {
    profile.distinct += weighted.size();
  }
  write_quantiles(profile, weighted);
  write_histogram(profile, weighted);
  write_outliers(profile, weighted);
  write_top(profile, weighted, top);
}

void Numbers::write_quantiles(FieldProfile& profile, const Weighted& sorted) const {
  std::size_t index = 0;
  std::uint64_t before = 0;
  const auto at = [&](std::uint64_t place) {
    while (index + 1 < sorted.size() && before + sorted[index].second <= place) before += sorted[index++].second;
    return number_of(sorted[index].first);
  };
  for (const double rank : quantile_ranks) {
    const double place = rank * static_cast<double>(count_ - 1);
    const double below = std::floor(place);
    const double low = at(static_cast<std::uint64_t>(below));
    // Only forward: the next one is at most one place on, and the next rank begins at this place or later.
    const std::size_t index_low = index;
    const std::uint64_t before_low = before;
    const double high = place > below ? at(static_cast<std::uint64_t>(below) + 1) : low;
    index = index_low;
    before = before_low;
    profile.quantiles.push_back(low + (high - low) * (place - below));
  }
}

void Numbers::write_histogram(FieldProfile& profile, const Weighted& sorted) const {
  Histogram histogram;
  histogram.from = profile.min_number;
  histogram.to = profile.max_number;
  const double range = histogram.to - histogram.from;
  if (!std::isfinite(range)) return;
  std::size_t bins = range > 0 ? bins_default : 1;
  if (whole_ && range < whole_bins_max) {
    bins = static_cast<std::size_t>(range) + 1;
    histogram.to = histogram.from + static_cast<double>(bins);
  }
  histogram.counts.assign(bins, 0);
  const double scale = static_cast<double>(bins) / std::max(histogram.to - histogram.from, 1e-300);
  for (const auto& [key, times] : sorted) {
    const double place = (number_of(key) - histogram.from) * scale;
    histogram.counts[std::min(bins - 1, static_cast<std::size_t>(std::max(place, 0.0)))] += times;
  }
  profile.histogram = std::move(histogram);
}

void Numbers::write_outliers(FieldProfile& profile, const Weighted& sorted) const {
  const double q1 = profile.quantiles[2];
  const double q3 = profile.quantiles[4];
  Outliers outliers;
  outliers.low = q1 - 1.5 * (q3 - q1);
  outliers.high = q3 + 1.5 * (q3 - q1);
  for (const auto& [key, times] : sorted) {
    const double number = number_of(key);
    if (number < outliers.low) outliers.below += times;
    if (number > outliers.high) outliers.above += times;
  }
  profile.outliers = outliers;
}

void Numbers::write_top(FieldProfile& profile, const Weighted& sorted, std::size_t top) const {
  Weighted all;
  if (sketches_) {
    all.assign(sketches_->frequent.counts().begin(), sketches_->frequent.counts().end());
    profile.top_error = std::max(profile.top_error, sketches_->frequent.error());
  } else {
    all = sorted;
  }
  const auto more = [](const auto& a, const auto& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; };
  const std::size_t kept = std::min(top, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end(), more);
  for (std::size_t i = 0; i < kept; ++i) profile.top.push_back({json_of(all[i].first), all[i].second});
}

}  // namespace iotstream::profile
