#include "store/rollup_writer.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>
#include <iotstream/model/number.hpp>

namespace iotstream::store {

namespace {

constexpr std::size_t collected_max = 200'000;  ///< 20 MB
constexpr std::int64_t seconds_in[] = {1, 60, 3600};

/// Where a bucket begins; times near the ends of all times wrap around and come back right.
std::int64_t begin_of(std::int64_t bucket, Tier tier) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(bucket) * static_cast<std::uint64_t>(width_of(tier)));
}

}  // namespace

std::string rollup_table(std::int64_t dataset, Tier tier) { return fmt::format("_rollup_{}_{}", name_of(tier), dataset); }

// By bucket first: readings of now lie side by side, whatever the number of devices. (By device first, each would have a page
// of its own in every transaction; one device's buckets are found one by one.)
Status create_rollup_tables(sqlite::Database& database, const Layout& layout) {
  for (const Tier tier : rollup_tiers) {
    std::string sql = fmt::format(
        "CREATE TABLE {} (\"bucket\" INTEGER NOT NULL, \"device\" INTEGER NOT NULL, \"arrived\" INTEGER NOT NULL, \"fields\" "
        "BLOB "
        "NOT NULL, PRIMARY KEY (\"bucket\", \"device\"))",
        sqlite::quote_identifier(rollup_table(layout.id(), tier)));
    if (layout.columns().size() <= clustered_fields_max) sql += " WITHOUT ROWID";
    if (auto made = database.execute(sql); !made) return made;
  }
  return {};
}

double number_of(const model::Value& value) {
  return value.kind == model::ValueKind::decimal ? model::nearest_double(value.text) : value.as_double();
}

Result<RollupWriter> RollupWriter::open(sqlite::Database& database, const Layout& layout) {
  RollupWriter writer;
  for (std::size_t i = 0; i < std::size(rollup_tiers); ++i) {
    const std::string table = sqlite::quote_identifier(rollup_table(layout.id(), rollup_tiers[i]));
    auto select =
        database.prepare(fmt::format("SELECT \"arrived\", \"fields\" FROM {} WHERE \"bucket\" = ? AND \"device\" = ?", table));
    if (!select) return select.error();
    auto replace = database.prepare(fmt::format("INSERT OR REPLACE INTO {} VALUES (?,?,?,?)", table));
    if (!replace) return replace.error();
    writer.statements_[i] = {std::move(*select), std::move(*replace)};
  }
  return writer;
}

Status RollupWriter::add(std::int64_t device, Timestamp time, Timestamp arrived, const Numbers& numbers, Timestamp newest) {
  const std::int64_t second = floor_divide(time.us, width_of(Tier::second));
  Open& open = open_[device];
  if (open.second != second) {
    if (auto turned = turn(device, open, second); !turned) return turned;
  }
  const std::int64_t newest_second = floor_divide(newest.us, width_of(Tier::second));
  for (std::size_t tier = 0; tier < std::size(rollup_tiers); ++tier) {
    if (std::exchange(open.begun[tier], true)) continue;
    open.fresh[tier] = floor_divide(second, seconds_in[tier]) > floor_divide(newest_second, seconds_in[tier]);
  }
  const std::size_t before = open.buckets[0].fields.size();
  open.buckets[0].add(time.us, numbers);
  open.arrived = std::max(open.arrived, arrived.us / width_of(Tier::second));
  collected_ += open.buckets[0].fields.size() - before;
  return collected_ * std::size(rollup_tiers) > collected_max ? flush() : Status{};
}

Status RollupWriter::flush() {
  for (auto& [device, open] : open_) {
    for (std::size_t tier = 0; tier < std::size(rollup_tiers); ++tier) {
      if (auto closed = close(device, open, tier); !closed) return closed;
    }
  }
  open_.clear();
  collected_ = 0;
  return {};
}

Status RollupWriter::turn(std::int64_t device, Open& open, std::int64_t second) {
  for (std::size_t tier = 0; tier < std::size(rollup_tiers); ++tier) {
    if (floor_divide(open.second, seconds_in[tier]) == floor_divide(second, seconds_in[tier])) break;
    if (auto closed = close(device, open, tier); !closed) return closed;
  }
  open.second = second;
  return {};
}

/// Writes the bucket, and hands it on to the next larger one.
Status RollupWriter::close(std::int64_t device, Open& open, std::size_t tier) {
  Bucket& bucket = open.buckets[tier];
  if (bucket.rows == 0) return {};
  if (auto written = write(device, open, tier); !written) return written;
  if (tier + 1 < std::size(rollup_tiers)) open.buckets[tier + 1].merge(bucket);
  bucket.clear();
  open.begun[tier] = false;
  return {};
}

Status RollupWriter::write(std::int64_t device, const Open& open, std::size_t tier) {
  auto& [select, replace] = statements_[tier];
  const std::int64_t index = floor_divide(open.second, seconds_in[tier]);
  const std::int64_t begin = begin_of(index, rollup_tiers[tier]);
  std::int64_t arrived = open.arrived;
  bool there = false;
  if (!open.fresh[tier]) {
    select.bind(1, index).bind(2, device);
    auto found = select.step();
    if (!found) return found.error();
    there = *found;
  }
  if (!there) {
    encode(open.buckets[tier], begin, bytes_);
  } else {
    arrived = std::max(arrived, select.integer(0));
    const ByteView kept = select.blob(1);
    if (auto read = decode({reinterpret_cast<const char*>(kept.data()), kept.size()}, begin, stored_); !read) {
      // Nothing of ours writes such. Keeping the writer from going on would be worse than one bucket that begins anew.
      diagnostics::error("store", "{}: the bucket {} of device {} is begun anew", read.error().message, index, device);
      stored_.clear();
    }
    stored_.merge(open.buckets[tier]);
    encode(stored_, begin, bytes_);
    select.reset();
  }
  replace.bind(1, index).bind(2, device).bind(3, arrived);
  replace.bind_blob(4, std::as_bytes(std::span(bytes_.data(), bytes_.size())));
  return replace.run();
}

}  // namespace iotstream::store
