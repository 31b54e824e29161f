#include "sim/tape.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <iotstream/base/assert.hpp>
#include <iotstream/base/json.hpp>
#include <iotstream/model/row.hpp>

namespace iotstream::sim {
namespace {

constexpr std::size_t sampled_gaps = 100;
constexpr std::int64_t gap_factor_max = 10;
constexpr std::int64_t gap_us_without_time = 1'000'000;

std::int64_t median(std::vector<std::int64_t> gaps) {
  std::erase_if(gaps, [](std::int64_t gap) { return gap < 0; });
  if (gaps.empty()) return gap_us_without_time;
  const auto middle = gaps.begin() + static_cast<std::ptrdiff_t>(gaps.size() / 2);
  std::nth_element(gaps.begin(), middle, gaps.end());
  return *middle > 0 ? *middle : gap_us_without_time;
}

Error no_rows(std::string_view code) {
  return {ErrorKind::not_found, fmt::format("prototype {} has no rows to replay: import a CSV file for it", code)};
}

}  // namespace

Result<std::unique_ptr<Tape>> Tape::open(catalog::Catalog& catalog, std::string_view code,
                                         const std::vector<std::string>& without) {
  Result<std::unique_ptr<catalog::RowCursor>> cursor = catalog.rows(code);
  if (!cursor) return std::move(cursor).error();
  std::unique_ptr<Tape> tape(new Tape(std::move(*cursor)));
  tape->row_count_ = tape->cursor_->row_count();
  if (tape->row_count_ == 0) return no_rows(code);
  tape->without_ = without;
  if (Status begun = tape->begin(); !begun) {
    if (begun.error().kind == ErrorKind::not_found) return no_rows(code);
    return begun.error();
  }
  return tape;
}

// Files that were imported meanwhile may have brought columns.
void Tape::name_columns() {
  const std::vector<std::string>& columns = cursor_->columns();
  while (names_.size() < columns.size()) {
    const std::string& column = columns[names_.size()];
    std::string& name = names_.emplace_back();
    if (std::find(without_.begin(), without_.end(), column) != without_.end()) continue;
    name += ',';
    json::append_string(name, column);
    name += ':';
  }
}

void Tape::rewind() {
  cursor_->rewind();
  name_columns();
  after_rewind_ = true;
}

// The first rows are read twice: their gaps must be known before they have their place.
Status Tape::begin() {
  std::vector<std::int64_t> gaps;
  Timestamp before;
  for (std::size_t i = 0; i <= sampled_gaps; ++i) {
    Result<bool> more = cursor_->next(row_);
    if (!more) return std::move(more).error();
    if (!*more) break;
    if (i > 0) gaps.push_back((row_.time - before).us);
    before = row_.time;
  }
  median_gap_us_ = median(std::move(gaps));
  rewind();
  return read_one();
}

std::int64_t Tape::gap_before(Timestamp time) const {
  if (after_rewind_) return median_gap_us_;
  const std::int64_t gap = (time - last_time_).us;
  return gap < 0 || gap > gap_factor_max * median_gap_us_ ? median_gap_us_ : gap;
}

void Tape::render(std::string& out) const {
  for (const catalog::Cell& cell : row_.cells) {
    const std::string& name = names_[cell.column];
    if (name.empty()) continue;
    out += name;
    model::append_json(out, cell.value);
  }
  out.shrink_to_fit();
}

Status Tape::read_one() {
  Result<bool> more = cursor_->next(row_);
  if (more && !*more) {
    rewind();
    ++loop_;
    more = cursor_->next(row_);
    if (more && !*more) return Error{ErrorKind::not_found, "the prototype's rows were removed"};
  }
  if (!more) return std::move(more).error();
  if (next_ > 0) last_at_us_ += gap_before(row_.time);
  after_rewind_ = false;
  last_time_ = row_.time;
  TapeRow& row = rows_.emplace_back();
  row.at_us = last_at_us_;
  row.loop = loop_;
  render(row.members);
  ++next_;
  return {};
}

Result<const TapeRow*> Tape::row(std::uint64_t index) {
  IOTSTREAM_ASSERT(index >= first_, "row {} was asked for after {} was forgotten", index, first_);
  while (index >= next_)
    if (Status read = read_one(); !read) return read.error();
  return &rows_[index - first_];
}

void Tape::forget_before(std::uint64_t index) {
  for (; first_ < index && rows_.size() > 1; ++first_) rows_.pop_front();
}

Result<std::uint64_t> Tape::fill_window(std::uint64_t first) {
  std::size_t bytes = 0;
  std::uint64_t count = 0;
  while (count == 0 || (bytes < window_size && count < row_count_)) {
    Result<const TapeRow*> one = row(first + count);
    if (!one) return std::move(one).error();
    bytes += sizeof(TapeRow) + (*one)->members.size();
    ++count;
  }
  return count;
}

}  // namespace iotstream::sim
