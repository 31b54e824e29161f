#include <iotstream/store/slow_queries.hpp>

namespace iotstream::store {

namespace {

constexpr std::size_t kept_max = 50;
constexpr std::size_t what_bytes_max = 200;

std::string shortened(std::string_view text) {
  if (text.size() <= what_bytes_max) return std::string(text);
  std::size_t end = what_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "…";
}

}  // namespace

SlowQueries& SlowQueries::of_process() {
  static SlowQueries queries;
  return queries;
}

void SlowQueries::note(Timestamp at, std::string_view kind, std::string_view what, Duration took, std::uint64_t rows,
                       std::string_view outcome) {
  if (took < threshold_) return;
  SlowQuery query{at, std::string(kind), shortened(what), took, rows, std::string(outcome)};
  const std::lock_guard lock(mutex_);
  queries_.push_front(std::move(query));
  if (queries_.size() > kept_max) queries_.pop_back();
}

std::vector<SlowQuery> SlowQueries::list() const {
  const std::lock_guard lock(mutex_);
  return {queries_.begin(), queries_.end()};
}

}  // namespace iotstream::store
