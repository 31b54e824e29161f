#include <algorithm>
#include <charconv>
#include <chrono>
#include <future>
#include <utility>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>
#include <iotstream/ingest/dead_letters.hpp>

#include "ingest/letter_record.hpp"

namespace iotstream::ingest {
namespace {

constexpr std::string_view general_name = "_rejected";
constexpr std::size_t topic_name_size_max = 200;
constexpr std::uint64_t block_records = 256;  ///< read at once on the way back through a topic
constexpr std::size_t block_bytes = 1u << 20;

log::TopicOptions letter_options() {
  log::TopicOptions options;
  options.partitions = 1;  // one order, so that an offset names a letter
  options.segment_size = 4u << 20;
  options.retention_size = 32u << 20;
  options.retention_age = Duration::seconds(30 * 86'400);
  options.sync = log::Sync::interval;
  options.sync_interval = Duration::milliseconds(100);
  return options;
}

log::Partition& partition_of(log::Topic& topic) { return topic.partition(PartitionId(0)); }

/// Calls `visit` for the records of [begin, end), in order.
Status read_range(log::Partition& partition, std::uint64_t begin, std::uint64_t end,
                  const std::function<void(const log::Record&)>& visit) {
  while (begin < end) {
    auto batch = partition.read(Offset(begin), block_bytes, log::Watermark::written);
    if (!batch) return batch.error();
    if (batch->empty()) return {};
    for (const log::Record& record : batch->records()) {
      if (record.offset.value < begin) continue;
      if (record.offset.value >= end) return {};
      visit(record);
      begin = record.offset.value + 1;
    }
  }
  return {};
}

}  // namespace

std::string dead_letter_topic_name(std::string_view dataset) {
  std::string name = fmt::format("{}.{}", general_name, dataset);
  if (name.size() <= topic_name_size_max) return name;
  constexpr std::size_t hash_size = 9;
  std::size_t cut = topic_name_size_max - hash_size;
  while ((static_cast<unsigned char>(name[cut]) & 0xc0) == 0x80) --cut;
  name.resize(cut);
  return fmt::format("{}~{:08x}", name, crc32c(as_bytes(dataset)));
}

/// How much may be kept in a second: above it a flood of nonsense would be as much work for the disk as good data.
struct DeadLetters::Allowance {
  static constexpr double letters_per_s = 500;
  static constexpr double letters_at_once = 5'000;
  static constexpr double bytes_per_s = 4.0 * (1u << 20);
  static constexpr double bytes_at_once = 16.0 * (1u << 20);

  bool take(std::int64_t now_ns, std::size_t bytes) {
    const std::scoped_lock lock(mutex);
    const double passed = static_cast<double>(now_ns - last_ns) / 1e9;
    last_ns = now_ns;
    letters_left = std::min(letters_at_once, letters_left + passed * letters_per_s);
    bytes_left = std::min(bytes_at_once, bytes_left + passed * bytes_per_s);
    if (letters_left < 1 || bytes_left < static_cast<double>(bytes)) return false;
    letters_left -= 1;
    bytes_left -= static_cast<double>(bytes);
    return true;
  }

  std::mutex mutex;
  std::int64_t last_ns = 0;
  double letters_left = letters_at_once;
  double bytes_left = bytes_at_once;
};

DeadLetters::DeadLetters(log::Log& log, os::Clock& clock, metrics::Table& metrics)
    : log_(log),
      clock_(clock),
      allowance_(std::make_unique<Allowance>()),
      kept_(metrics.counter("iotstream_ingest_dead_letters_total", "Rejected readings that were kept.")),
      dropped_(metrics.counter("iotstream_ingest_dead_letters_dropped_total",
                               "Rejected readings that were not kept: over the rate, or the log did not take them.")) {
  allowance_->last_ns = clock_.monotonic_ns();
}

DeadLetters::~DeadLetters() = default;

log::Topic* DeadLetters::own_topic(std::string_view dataset) const {
  return dataset.empty() ? nullptr : log_.find(dead_letter_topic_name(dataset));
}

log::Topic* DeadLetters::general_topic() const { return log_.find(general_name); }

/// A dataset that exists has a topic of its own for them.
log::Topic* DeadLetters::topic_for(std::string_view dataset) {
  const bool known = !dataset.empty() && log_.find(dataset) != nullptr;
  const std::string name = known ? dead_letter_topic_name(dataset) : std::string(general_name);
  if (log::Topic* found = log_.find(name)) return found;
  auto created = log_.topic(name, letter_options());
  if (created) return *created;
  diagnostics::warning("ingest", "topic {}: rejected readings are not kept: {}", name, created.error().message);
  return nullptr;
}

void DeadLetters::keep(DeadLetter letter) {
  letter.size = std::max<std::uint64_t>(letter.size, letter.raw.size());
  letter.truncated = letter.size > letter_size_max || letter.header.size() > letter_size_max;
  if (letter.raw.size() > letter_size_max) letter.raw.resize(letter_size_max);
  if (letter.header.size() > letter_size_max) letter.header.resize(letter_size_max);
  if (!allowance_->take(clock_.monotonic_ns(), letter.raw.size())) return dropped_.add();
  log::Topic* topic = topic_for(letter.dataset);
  if (topic == nullptr) return dropped_.add();
  const std::string record = encode(letter);
  const auto appended = partition_of(*topic).append(letter.time, letter.dataset, as_bytes(record));
  (appended.status == log::AppendStatus::accepted ? kept_ : dropped_).add();
  if (appended.status != log::AppendStatus::accepted) return;
  const std::scoped_lock lock(mutex_);
  auto& last = last_kept_[topic->name()];
  last = std::max(last, appended.offset);
}

/// Who was told of a rejection finds it in the list: what is on its way to the log is waited for, which takes a moment.
void DeadLetters::await_kept(log::Topic& topic) {
  std::optional<Offset> last;
  {
    const std::scoped_lock lock(mutex_);
    if (const auto known = last_kept_.find(topic.name()); known != last_kept_.end()) last = known->second;
  }
  if (!last || *last < partition_of(topic).watermarks().written) return;
  auto promise = std::make_shared<std::promise<void>>();
  auto written = promise->get_future();
  partition_of(topic).when(log::Watermark::written, *last, [promise](const Status&) { promise->set_value(); });
  written.wait_for(std::chrono::seconds(1));  // a full disk may keep it longer: then the list does without
}

std::optional<DeadLetters::Place> DeadLetters::place_of(std::string_view id) {
  if (id.size() < 2 || (id[0] != 'd' && id[0] != 'g')) return std::nullopt;
  std::uint64_t offset = 0;
  const auto [end, error] = std::from_chars(id.data() + 1, id.data() + id.size(), offset);
  if (error != std::errc() || end != id.data() + id.size()) return std::nullopt;
  return Place{id[0] == 'g', Offset(offset)};
}

/// Up to `limit` letters below `before`, newest first, block by block from the end.
Result<std::vector<DeadLetter>> DeadLetters::newest(log::Topic& topic, const DeadLetterQuery& query, Offset before) {
  const bool general = topic.name() == general_name;
  await_kept(topic);
  const auto gone = settled(topic);
  if (!gone) return gone.error();
  log::Partition& partition = partition_of(topic);
  const log::Watermarks marks = partition.watermarks();
  std::vector<DeadLetter> found;
  std::uint64_t end = std::min(before.value, marks.written.value);
  while (end > marks.earliest.value && found.size() < query.limit) {
    const std::uint64_t begin = std::max(marks.earliest.value, end - std::min(end, block_records));
    std::vector<DeadLetter> block;
    const Status read = read_range(partition, begin, end, [&](const log::Record& record) {
      if (gone->contains(record.offset.value) || (general && record.key != query.dataset)) return;
      if ((query.from && record.time < *query.from) || (query.to && record.time >= *query.to)) return;
      auto letter = decode(record);
      if (!letter) return;  // a record of settled letters
      letter->id = fmt::format("{}{}", general ? 'g' : 'd', record.offset);
      block.push_back(std::move(*letter));
    });
    if (!read) return read.error();
    std::move(block.rbegin(), block.rend(), std::back_inserter(found));
    end = begin;
  }
  if (found.size() > query.limit) found.resize(query.limit);
  return found;
}

Result<DeadLetterPage> DeadLetters::list(const DeadLetterQuery& query) {
  // A cursor is the place of the last letter of each topic that was told: `d17.g5`.
  Offset before[2]{Offset(~0ull), Offset(~0ull)};
  if (!query.cursor.empty()) {
    const auto dot = query.cursor.find('.');
    const auto own = place_of(std::string_view(query.cursor).substr(0, dot));
    const auto general = dot == std::string::npos ? std::nullopt : place_of(std::string_view(query.cursor).substr(dot + 1));
    if (!own || own->general || !general || !general->general)
      return Error{ErrorKind::invalid, fmt::format("cursor: '{}' is none of this list", query.cursor)};
    before[0] = own->offset;
    before[1] = general->offset;
  }
  std::vector<DeadLetter> letters;
  log::Topic* const topics[2]{own_topic(query.dataset), general_topic()};
  for (int i = 0; i != 2; ++i) {
    if (topics[i] == nullptr) continue;
    auto found = newest(*topics[i], query, before[i]);
    if (!found) return found.error();
    std::move(found->begin(), found->end(), std::back_inserter(letters));
  }
  // Both lists are in the order of their topic; they are merged by time, each kept in its own order.
  std::stable_sort(letters.begin(), letters.end(), [](const DeadLetter& a, const DeadLetter& b) { return a.time > b.time; });
  DeadLetterPage page;
  if (letters.size() >= query.limit) {
    letters.resize(query.limit);
    for (const DeadLetter& letter : letters) {
      const auto place = place_of(letter.id);
      auto& least = before[place->general ? 1 : 0];
      least = std::min(least, place->offset);
    }
    page.next = fmt::format("d{}.g{}", before[0], before[1]);
  }
  page.letters = std::move(letters);
  return page;
}

Result<std::vector<DeadLetter>> DeadLetters::find(const std::string& dataset, const std::vector<std::string>& ids) {
  log::Topic* const topics[2]{own_topic(dataset), general_topic()};
  std::set<std::uint64_t> gone[2];
  for (int i = 0; i != 2; ++i) {
    if (topics[i] == nullptr) continue;
    auto known = settled(*topics[i]);
    if (!known) return known.error();
    gone[i] = std::move(*known);
  }
  std::vector<DeadLetter> letters;
  for (const std::string& id : ids) {
    const auto place = place_of(id);
    if (!place) return Error{ErrorKind::invalid, fmt::format("'{}' is not the id of a rejected reading", id)};
    const int i = place->general ? 1 : 0;
    const std::size_t before = letters.size();
    if (topics[i] != nullptr && !gone[i].contains(place->offset.value)) {
      auto letter = read_letter(*topics[i], place->offset, dataset);
      if (!letter) return letter.error();
      if (*letter) letters.push_back(std::move(**letter));
    }
    if (letters.size() == before)
      return Error{ErrorKind::not_found, fmt::format("dataset '{}' has no rejected reading '{}' (any more)", dataset, id)};
    letters.back().id = id;
  }
  return letters;
}

/// The letter at `offset`, if it is still there and of `dataset`.
Result<std::optional<DeadLetter>> DeadLetters::read_letter(log::Topic& topic, Offset offset, std::string_view dataset) {
  std::optional<DeadLetter> letter;
  if (offset < partition_of(topic).watermarks().earliest) return letter;
  const Status read = read_range(partition_of(topic), offset.value, offset.value + 1, [&](const log::Record& record) {
    if (record.key == dataset) letter = decode(record);
  });
  if (!read) return read.error();
  return letter;
}

Status DeadLetters::settle(const std::string& dataset, const std::vector<std::string>& ids) {
  std::vector<std::uint64_t> offsets[2];
  for (const std::string& id : ids) {
    const auto place = place_of(id);
    if (!place) return Error{ErrorKind::invalid, fmt::format("'{}' is not the id of a rejected reading", id)};
    offsets[place->general ? 1 : 0].push_back(place->offset.value);
  }
  log::Topic* const topics[2]{own_topic(dataset), general_topic()};
  for (int i = 0; i != 2; ++i) {
    if (offsets[i].empty()) continue;
    if (topics[i] == nullptr)
      return Error{ErrorKind::not_found, fmt::format("dataset '{}' has no such rejected reading", dataset)};
    if (Status done = settle_in(*topics[i], offsets[i]); !done) return done;
  }
  return {};
}

Status DeadLetters::settle_in(log::Topic& topic, const std::vector<std::uint64_t>& offsets) {
  if (const auto known = settled(topic); !known) return known.error();
  log::Partition& partition = partition_of(topic);
  // A record holds at most so many, far below the largest record.
  constexpr std::size_t offsets_max = 10'000;
  log::Appended last;
  for (std::size_t i = 0; i < offsets.size(); i += offsets_max) {
    const std::vector<std::uint64_t> some(
        offsets.begin() + static_cast<std::ptrdiff_t>(i),
        offsets.begin() + static_cast<std::ptrdiff_t>(std::min(offsets.size(), i + offsets_max)));
    last = partition.append(clock_.now(), {}, as_bytes(encode_settled(some)));
    if (last.status != log::AppendStatus::accepted)
      return Error{ErrorKind::unavailable, fmt::format("topic {}: {}", topic.name(), log::describe(last.status))};
  }
  auto promise = std::make_shared<std::promise<Status>>();
  auto durable = promise->get_future();
  partition.when(log::Watermark::durable, last.offset, [promise](Status status) { promise->set_value(std::move(status)); });
  if (Status status = durable.get(); !status) return status;
  const std::scoped_lock lock(mutex_);
  settled_[topic.name()].insert(offsets.begin(), offsets.end());
  return {};
}

/// The offsets that are settled: those of the topic's own records, read once. Without those that retention has taken.
Result<std::set<std::uint64_t>> DeadLetters::settled(log::Topic& topic) {
  log::Partition& partition = partition_of(topic);
  const log::Watermarks marks = partition.watermarks();
  const std::scoped_lock lock(mutex_);
  const auto [known, fresh] = settled_.try_emplace(topic.name());
  if (fresh) {
    const Status read =
        read_range(partition, marks.earliest.value, marks.written.value, [place = known](const log::Record& record) {
          const auto offsets = decode_settled(record);
          place->second.insert(offsets.begin(), offsets.end());
        });
    if (!read) {
      settled_.erase(known);
      return read.error();
    }
  }
  known->second.erase(known->second.begin(), known->second.lower_bound(marks.earliest.value));
  return known->second;
}

}  // namespace iotstream::ingest
