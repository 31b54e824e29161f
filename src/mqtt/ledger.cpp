#include "mqtt/ledger.hpp"

#include <algorithm>
#include <cstring>
#include <set>
#include <simdjson.h>

#include <iotstream/base/diagnostics.hpp>
#include <iotstream/base/json.hpp>
#include <iotstream/model/row.hpp>

namespace iotstream::mqtt {
namespace {

constexpr const char* topic_name = "_mqtt";
constexpr std::size_t received_per_record = 10'000;
constexpr std::uint64_t copy_after = 4u << 20;
constexpr unsigned unused_ticks_max = 10;
constexpr Duration mark_interval = Duration::seconds(10);

log::TopicOptions topic_options() {
  log::TopicOptions options;
  options.partitions = 1;
  options.segment_size = 4u << 20;
  options.retention_size = 16u << 20;  // what is needed is pinned
  options.retention_age = Duration::seconds(0);
  return options;
}

/// A member that is not there leaves its target as it is.
void ignore(simdjson::error_code) {}

template <class Number>
void append_raw(std::string& out, Number number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

template <class Number>
Number load(std::string_view text, std::size_t at) {
  return load_le<Number>(as_bytes(text).data() + at);
}

std::string session_record(const Session& session) {
  std::string out;
  json::Writer json(out);
  Positions held = session.positions;
  session.window.hold_back(held);
  json.begin_object().key("session").value(session.client);
  json.key("expiry_s").value(std::uint64_t{session.expiry_s}).key("ended_us").value(session.ended.us);
  json.key("filters").begin_array();
  for (const Filter& filter : *session.filters)
    json.begin_array().value(filter.text).value(static_cast<unsigned>(filter.qos)).value(filter.id).end_array();
  json.end_array().key("positions").begin_array();
  for (const auto& [place, offset] : held)
    json.begin_array().value(place.topic->name()).value(place.partition).value(offset.value).end_array();
  json.end_array().end_object();
  return out;
}

/// [packet, delivery], and of a doubtful one the readings that are there.
void append_received(json::Writer& json, std::uint16_t packet_id, const Received& received) {
  json.begin_array().value(unsigned{packet_id}).value(received.delivery);
  if (received.state == Received::State::doubtful) {
    json.begin_array();
    for (const std::uint32_t reading : received.known) json.value(reading);
    json.end_array();
  }
  json.end_array();
}

std::string_view text_at(simdjson::dom::array array, std::size_t index) {
  std::string_view text;
  ignore(array.at(index).get(text));
  return text;
}

std::uint64_t number_at(simdjson::dom::array array, std::size_t index) {
  std::uint64_t number = 0;
  ignore(array.at(index).get(number));
  return number;
}

}  // namespace

std::string make_token(std::string_view client, std::uint64_t delivery, std::uint16_t packet_id) {
  std::string token(client);
  append_raw(token, delivery);
  append_raw(token, packet_id);
  append_raw(token, static_cast<std::uint8_t>(client.size()));
  return token;
}

std::optional<Token> read_token(std::string_view token) {
  constexpr std::size_t fixed = 8 + 2 + 1 + 4;
  if (token.size() < fixed) return std::nullopt;
  const std::size_t client = token.size() - fixed;
  if (load<std::uint8_t>(token, client + 10) != client) return std::nullopt;
  return Token{token.substr(0, client), load<std::uint64_t>(token, client), load<std::uint16_t>(token, client + 8),
               load<std::uint32_t>(token, client + 11)};
}

/// What the records have come to.
struct Ledger::Replay {
  log::Log& log;
  Sessions& sessions;
  simdjson::dom::parser parser{};
  std::set<std::uint64_t> released{};
  struct Listed {
    std::string client;
    std::uint16_t packet_id;
    Received received;
  };
  std::map<std::uint64_t, std::vector<Listed>> listed{};  ///< by mark
  std::uint64_t mark = 0;
  bool open = false;
  std::map<std::pair<std::string, std::uint32_t>, Offset> watermarks{};
  std::uint64_t delivery_max = 0;

  void take(std::string_view record) {
    simdjson::dom::element element;
    if (parser.parse(record.data(), record.size()).get(element) != simdjson::SUCCESS) return;
    std::string_view text;
    std::uint64_t number = 0;
    simdjson::dom::array array;
    if (element["session"].get(text) == simdjson::SUCCESS) {
      take_session(std::string(text), element);
    } else if (element["gone"].get(text) == simdjson::SUCCESS) {
      if (const auto found = sessions.find(text); found != sessions.end()) sessions.erase(found);
    } else if (element["released"].get(array) == simdjson::SUCCESS) {
      released.insert(number_at(array, 2));
      delivery_max = std::max(delivery_max, number_at(array, 2));
    } else if (element["received"].get(array) == simdjson::SUCCESS) {
      take_received(std::string(text_at(array, 0)), number_at(array, 1), array);
    } else if (element["mark"].get(number) == simdjson::SUCCESS) {
      take_mark(number, element);
    }
  }

  void take_session(std::string client, simdjson::dom::element element) {
    auto session = std::make_shared<Session>();
    session->client = client;
    session->persistent = true;
    std::uint64_t expiry = 0;
    ignore(element["expiry_s"].get(expiry));
    ignore(element["ended_us"].get(session->ended.us));
    session->expiry_s = static_cast<std::uint32_t>(expiry);
    simdjson::dom::array list;
    Filters filters;
    if (element["filters"].get(list) == simdjson::SUCCESS)
      for (const simdjson::dom::element one : list) {
        simdjson::dom::array filter;
        if (one.get(filter) != simdjson::SUCCESS) continue;
        filters.push_back({std::string(text_at(filter, 0)), static_cast<Qos>(number_at(filter, 1) & 1),
                           static_cast<std::uint32_t>(number_at(filter, 2))});
      }
    session->filters = std::make_shared<const Filters>(std::move(filters));
    if (element["positions"].get(list) == simdjson::SUCCESS)
      for (const simdjson::dom::element one : list) {
        simdjson::dom::array position;
        if (one.get(position) != simdjson::SUCCESS) continue;
        log::Topic* topic = log.find(text_at(position, 0));
        const auto partition = static_cast<std::uint32_t>(number_at(position, 1));
        if (topic == nullptr || partition >= topic->partition_count()) continue;
        // A crash may have taken records that were written only: their offsets are given anew.
        const Offset durable = topic->partition(PartitionId(partition)).watermarks().durable;
        session->positions[{topic, partition}] = std::min(Offset(number_at(position, 2)), durable);
      }
    sessions[std::move(client)] = std::move(session);
  }

  void take_received(const std::string& client, std::uint64_t of_mark, simdjson::dom::array array) {
    simdjson::dom::array list;
    if (array.at(2).get(list) != simdjson::SUCCESS) return;
    for (const simdjson::dom::element one : list) {
      simdjson::dom::array pair;
      if (one.get(pair) != simdjson::SUCCESS) continue;
      Received received{number_at(pair, 1), Received::State::taken, {}};
      simdjson::dom::array readings;
      if (pair.at(2).get(readings) == simdjson::SUCCESS) {
        received.state = Received::State::doubtful;
        for (std::size_t i = 0; i < readings.size(); ++i)
          received.known.push_back(static_cast<std::uint32_t>(number_at(readings, i)));
      }
      listed[of_mark].push_back({client, static_cast<std::uint16_t>(number_at(pair, 0)), std::move(received)});
      delivery_max = std::max(delivery_max, number_at(pair, 1));
    }
  }

  void take_mark(std::uint64_t number, simdjson::dom::element element) {
    mark = number;
    ignore(element["open"].get(open));
    std::erase_if(listed, [&](const auto& entry) { return entry.first < mark; });
    watermarks.clear();
    simdjson::dom::array list;
    if (element["watermarks"].get(list) != simdjson::SUCCESS) return;
    for (const simdjson::dom::element one : list) {
      simdjson::dom::array position;
      if (one.get(position) != simdjson::SUCCESS) continue;
      watermarks[{std::string(text_at(position, 0)), static_cast<std::uint32_t>(number_at(position, 1))}] =
          Offset(number_at(position, 2));
    }
  }

  void settle() {
    for (const Listed& one : listed[mark]) {
      if (released.contains(one.received.delivery)) continue;
      if (const auto found = sessions.find(one.client); found != sessions.end())
        found->second->received[one.packet_id] = one.received;
    }
  }

  void take_token(const Token& token) {
    delivery_max = std::max(delivery_max, token.delivery);
    const auto found = sessions.find(token.client);
    if (released.contains(token.delivery) || found == sessions.end()) return;
    Received& received = found->second->received[token.packet_id];
    if (received.delivery == token.delivery && received.state == Received::State::taken) return;
    if (received.delivery > token.delivery) return;  // an older message of that identifier
    if (received.delivery != token.delivery) received = {token.delivery, Received::State::doubtful, {}};
    if (std::find(received.known.begin(), received.known.end(), token.reading) == received.known.end())
      received.known.push_back(token.reading);
  }
};

Ledger::Ledger(log::Log& log, os::Clock& clock, log::Partition& partition)
    : log_(log), clock_(clock), partition_(partition), last_delivery_(static_cast<std::uint64_t>(clock.now().us)) {}

Result<std::unique_ptr<Ledger>> Ledger::open(log::Log& log, os::Clock& clock, Sessions& sessions) {
  auto topic = log.topic(topic_name, topic_options());
  if (!topic) return topic.error();
  std::unique_ptr<Ledger> ledger(new Ledger(log, clock, (*topic)->partition(PartitionId(0))));
  ledger->partition_.pin("mqtt", ledger->partition_.watermarks().earliest);
  if (Status replayed = ledger->replay(sessions); !replayed) return replayed.error();
  return ledger;
}

Status Ledger::replay(Sessions& sessions) {
  Replay replay{log_, sessions};
  Offset next = partition_.watermarks().earliest;
  while (true) {
    auto batch = partition_.read(next, 1u << 20, log::Watermark::durable);
    if (!batch) return batch.error();
    if (batch->empty()) break;
    for (const log::Record& record : batch->records()) {
      if (record.offset < next) continue;
      replay.take(as_text(record.value));
      bytes_since_copy_ += record.value.size();
      next = record.offset + 1;
    }
  }
  mark_ = replay.mark;
  replay.settle();
  ready_ = replay.open;
  used_ = replay.open;
  for (log::Topic* topic : replay.open ? log_.topics() : std::vector<log::Topic*>()) {
    if (topic->name().starts_with('_')) continue;
    for (std::uint32_t i = 0; i < topic->partition_count(); ++i) {
      log::Partition& partition = topic->partition(PartitionId(i));
      const auto known = replay.watermarks.find({topic->name(), i});
      Offset at = known == replay.watermarks.end() ? Offset(0) : std::min(known->second, partition.watermarks().durable);
      while (true) {
        auto batch = partition.read(at, 1u << 20, log::Watermark::durable);
        if (!batch) return batch.error();
        if (batch->empty()) break;
        for (const log::Record& record : batch->records()) {
          if (record.offset < at) continue;
          at = record.offset + 1;
          const auto row = model::RowView::open(record.value);
          const auto token = row ? read_token(row->token()) : std::nullopt;
          if (token) replay.take_token(*token);
        }
      }
    }
  }
  last_delivery_ = std::max(last_delivery_, replay.delivery_max + 1);
  return {};
}

std::optional<Offset> Ledger::append(std::string_view key, const std::string& record) {
  const log::Appended appended = partition_.append(clock_.now(), key, as_bytes(record));
  if (appended.status != log::AppendStatus::accepted) return std::nullopt;
  bytes_since_copy_ += record.size();
  last_appended_ = appended.offset;
  return appended.offset;
}

bool Ledger::save(const Session& session) { return append(session.client, session_record(session)).has_value(); }

bool Ledger::forget(std::string_view client) {
  std::string record;
  json::Writer(record).begin_object().key("gone").value(client).end_object();
  return append(client, record).has_value();
}

bool Ledger::release(std::string_view client, std::uint16_t packet_id, std::uint64_t delivery,
                     std::function<void(Status)> done) {
  std::string record;
  json::Writer json(record);
  json.begin_object().key("released").begin_array().value(client).value(unsigned{packet_id}).value(delivery);
  json.end_array().end_object();
  const std::optional<Offset> offset = append(client, record);
  if (offset) partition_.when(log::Watermark::durable, *offset, std::move(done));
  return offset.has_value();
}

std::string Ledger::watermarks() {
  std::string out;
  json::Writer json(out);
  json.begin_array();
  for (log::Topic* topic : log_.topics()) {
    if (topic->name().starts_with('_')) continue;
    for (std::uint32_t i = 0; i < topic->partition_count(); ++i) {
      const Offset durable = topic->partition(PartitionId(i)).watermarks().durable;
      json.begin_array().value(topic->name()).value(i).value(durable.value).end_array();
    }
  }
  json.end_array();
  return out;
}

bool Ledger::open_mark(std::function<void(Status)> done) {
  // Nothing is unreleased that the closed mark does not list, and its list is in the records still: only the offsets are new.
  std::string record;
  json::Writer json(record);
  json.begin_object().key("mark").value(mark_).key("open").value(true).key("watermarks").raw(watermarks()).end_object();
  const std::optional<Offset> offset = append("", record);
  if (!offset) return false;
  last_mark_ = clock_.now();
  partition_.when(log::Watermark::durable, *offset, std::move(done));
  return true;
}

/// The list first, the mark that makes it count last: a crash between them leaves the mark before in force.
bool Ledger::write_mark(const Sessions& sessions, bool open, const std::string& watermarks) {
  const std::uint64_t mark = mark_ + 1;
  for (const auto& [client, session] : sessions) {
    if (!session->persistent || session->received.empty()) continue;
    auto next = session->received.begin();
    while (next != session->received.end()) {
      std::string record;
      json::Writer json(record);
      json.begin_object().key("received").begin_array().value(client).value(mark).begin_array();
      for (std::size_t i = 0; i < received_per_record && next != session->received.end(); ++next, ++i)
        if (next->second.state != Received::State::pending) append_received(json, next->first, next->second);
      json.end_array().end_array().end_object();
      if (!append(client, record)) return false;
    }
  }
  std::string record;
  json::Writer json(record);
  json.begin_object().key("mark").value(mark).key("open").value(open).key("watermarks").raw(watermarks).end_object();
  if (!append("", record)) return false;
  mark_ = mark;
  last_mark_ = clock_.now();
  return true;
}

void Ledger::tick(const Sessions& sessions, std::optional<Timestamp> pending_since) {
  const Timestamp now = clock_.now();
  if (copied_ && partition_.watermarks().durable > copied_->second) {
    partition_.pin("mqtt", copied_->first);  // what lies before is in the copy
    copied_.reset();
  }
  unused_ticks_ = std::exchange(used_, false) ? 0 : unused_ticks_ + 1;
  // The offsets of the tick before: what is pending now was appended above them, so that a scan finds it.
  const bool settled = !earlier_watermarks_.empty() && (!pending_since || *pending_since > earlier_time_);
  const bool copy_due = bytes_since_copy_ > std::max(copy_after, 2 * copy_size_);
  if (ready_ && !pending_since && unused_ticks_ >= unused_ticks_max) {
    if (write_mark(sessions, false, "[]")) ready_ = false;
  } else if (settled && ready_ && (now - last_mark_ >= mark_interval || copy_due)) {
    write_mark(sessions, true, earlier_watermarks_);
  }
  if (copy_due && (settled || !ready_)) copy_all(sessions);
  earlier_watermarks_ = ready_ ? watermarks() : std::string();
  earlier_time_ = now;
}

void Ledger::copy_all(const Sessions& sessions) {
  const Offset from = partition_.watermarks().durable;
  const std::uint64_t before = bytes_since_copy_;
  for (const auto& [client, session] : sessions)
    if (session->persistent && !save(*session)) return;
  if (!write_mark(sessions, ready_, ready_ ? earlier_watermarks_ : "[]")) return;
  copy_size_ = bytes_since_copy_ - before;
  bytes_since_copy_ = 0;
  copied_.emplace(from, last_appended_);
}

void Ledger::close(const Sessions& sessions, bool pending) {
  for (const auto& [client, session] : sessions)
    if (session->persistent) save(*session);
  if (ready_ && !pending && write_mark(sessions, false, "[]")) ready_ = false;
}

}  // namespace iotstream::mqtt
