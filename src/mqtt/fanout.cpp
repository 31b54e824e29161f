#include "mqtt/fanout.hpp"

#include <algorithm>

#include <iotstream/base/diagnostics.hpp>
#include <iotstream/model/row.hpp>
#include <iotstream/os/process.hpp>

#include "mqtt/encode.hpp"
#include "mqtt/topic.hpp"

namespace iotstream::mqtt {
namespace {

constexpr std::size_t read_bytes_max = 256u << 10;

/// An event as JSON, by its own schema version or a newer one.
class Renderer {
 public:
  Renderer(catalog::Schemas& schemas, const std::string& dataset) : schemas_(schemas), dataset_(dataset) {}

  bool append(std::string& out, const log::Record& record) {
    const auto row = model::RowView::open(record.value);
    if (!row) return false;
    if (!schema_ || schema_->version() < row->schema_version()) schema_ = schemas_.current(dataset_);
    if (!schema_) return false;
    if (!facts_ || row->facts() != facts_id_) {
      facts_id_ = row->facts();
      facts_ = schemas_.facts(facts_id_);
    }
    bool comma = false;
    out += '{';
    model::append_members(out, comma, *row, *schema_, record.key, record.time, *facts_);
    out += '}';
    return true;
  }

 private:
  catalog::Schemas& schemas_;
  const std::string& dataset_;
  model::SchemaPtr schema_;
  FactsId facts_id_;
  std::shared_ptr<const catalog::Facts> facts_;
};

}  // namespace

/// What a reader's filters ask of one dataset.
struct Fanout::Plan {
  struct Part {
    std::string rest;  ///< against the device; empty with `all`
    bool all = false;
    Qos qos = Qos::at_most_once;
    std::uint32_t id = 0;
  };
  std::vector<Part> parts;
  bool none() const { return parts.empty(); }
  /// Every event, with QoS 0 and without identifiers: the same packets for everybody.
  bool plain() const { return parts.size() == 1 && parts[0].all && parts[0].qos == Qos::at_most_once && parts[0].id == 0; }
};

struct Fanout::Reader {
  ReaderOptions options;
  std::unordered_map<log::Topic*, Plan> plans;
  bool full() const { return options.share->bytes.load(std::memory_order_relaxed) >= portion_bytes_max; }
  log::Watermark limit() const { return options.to_durable ? log::Watermark::durable : log::Watermark::written; }
};

/// The packets with QoS 0 of what was rendered last, made when the first reader needs them.
struct Fanout::Head {
  std::shared_ptr<const std::string> packets_311;
  std::shared_ptr<const std::string> packets_5;

  std::shared_ptr<const std::string> packets(Version version, const Rendered& rendered) {
    std::shared_ptr<const std::string>& kept = version == Version::v5 ? packets_5 : packets_311;
    if (kept) return kept;
    auto made = std::make_shared<std::string>();
    made->reserve(rendered.bytes.size() + rendered.events.size() * 8);
    for (const Rendered::Event& event : rendered.events) {
      Delivery delivery;
      delivery.topic = rendered.topic(event);
      delivery.payload = rendered.payload(event);
      append_publish(*made, version, delivery);
    }
    return kept = std::move(made);
  }
};

Fanout::Fanout(log::Log& log, catalog::Schemas& schemas, metrics::Table& metrics, std::uint64_t lag_max)
    : log_(log),
      schemas_(schemas),
      lag_max_(lag_max),
      rendered_(
          metrics.counter("iotstream_mqtt_events_rendered_total", "Events rendered for subscribers, once for all of them.")),
      skipped_(
          metrics.counter("iotstream_mqtt_events_skipped_total",
                          "Events that a slow subscriber with QoS 0 was too far behind to get, or that retention had taken "
                          "before a subscriber came back.")) {
  log_.subscribe(signal_, log::Watermark::written);
  log_.subscribe(signal_, log::Watermark::durable);
  thread_ = std::thread([this] { run(); });
}

Fanout::~Fanout() { stop(); }

void Fanout::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true, std::memory_order_relaxed);
  signal_.notify();
  thread_.join();
  log_.unsubscribe(signal_);
  readers_.clear();
}

void Fanout::post(std::function<void()> command) {
  {
    const std::lock_guard lock(mutex_);
    commands_.push_back(std::move(command));
  }
  signal_.notify();
}

void Fanout::add(ReaderId id, ReaderOptions options) {
  auto reader = std::make_shared<std::unique_ptr<Reader>>(std::make_unique<Reader>());
  (*reader)->options = std::move(options);
  post([this, id, reader] { readers_[id] = std::move(*reader); });
}

void Fanout::change(ReaderId id, ReaderOptions options) {
  auto given = std::make_shared<ReaderOptions>(std::move(options));
  post([this, id, given] {
    const auto found = readers_.find(id);
    if (found == readers_.end()) return;
    Reader& reader = *found->second;
    Positions positions = std::move(given->positions);
    for (const auto& [place, offset] : reader.options.positions)
      if (const auto at = positions.find(place); at != positions.end()) at->second = offset;
    given->positions = std::move(positions);
    reader.options = std::move(*given);
    reader.plans.clear();
  });
}

void Fanout::remove(ReaderId id) {
  post([this, id] { readers_.erase(id); });
}

void Fanout::run() {
  os::name_thread("mqtt-out");
  while (!stopping_.load(std::memory_order_relaxed)) {
    if (!turn()) signal_.wait(Duration::seconds(1));
  }
}

/// True when something was handed over: there may be more.
bool Fanout::turn() {
  std::vector<std::function<void()>> commands;
  {
    const std::lock_guard lock(mutex_);
    commands.swap(commands_);
  }
  for (const auto& command : commands) command();
  if (readers_.empty()) return false;
  bool served = false;
  for (log::Topic* topic : log_.topics()) {
    if (!topic->name().starts_with('_')) served = serve(*topic) || served;
  }
  return served;
}

const Fanout::Plan& Fanout::plan_of(Reader& reader, log::Topic& topic) {
  const auto [at, added] = reader.plans.try_emplace(&topic);
  if (!added) return at->second;
  const std::string dataset = topic_part(topic.name());
  for (const Filter& filter : *reader.options.filters) {
    const Reach reach = reach_of(filter.text, dataset);
    if (reach.kind == Reach::Kind::none) continue;
    at->second.parts.push_back({std::string(reach.rest), reach.kind == Reach::Kind::all, filter.qos, filter.id});
  }
  return at->second;
}

bool Fanout::serve(log::Topic& topic) {
  std::vector<Reader*> interested;
  for (const auto& [id, reader] : readers_) {
    if (!reader->full() && !plan_of(*reader, topic).none()) interested.push_back(reader.get());
  }
  bool served = false;
  for (std::uint32_t i = 0; i < topic.partition_count() && !interested.empty(); ++i)
    served = serve(topic, i, interested) || served;
  return served;
}

void Fanout::skip(Reader& reader, const Plan& plan, Offset& at, Offset end) {
  const bool lossless =
      std::any_of(plan.parts.begin(), plan.parts.end(), [](const Plan::Part& part) { return part.qos != Qos::at_most_once; });
  if (!reader.options.may_skip || lossless || end - at <= lag_max_) return;
  skipped_.add(end - at);
  at = end;
}

bool Fanout::serve(log::Topic& topic, std::uint32_t number, const std::vector<Reader*>& readers) {
  log::Partition& partition = topic.partition(PartitionId(number));
  const Place place{&topic, number};
  const log::Watermarks marks = partition.watermarks();
  // Who stands at the same offset gets the same bytes: in the usual case all of them, at the end.
  std::map<std::pair<Offset, log::Watermark>, std::vector<Reader*>> groups;
  for (Reader* reader : readers) {
    const Offset end = reader->options.to_durable ? marks.durable : marks.written;
    Offset& at = reader->options.positions[place];
    if (at < marks.earliest) {
      skipped_.add(marks.earliest - at);
      at = marks.earliest;
    }
    if (at >= end || reader->full()) continue;
    skip(*reader, plan_of(*reader, topic), at, end);
    if (at < end) groups[{at, reader->limit()}].push_back(reader);
  }
  for (const auto& [where, group] : groups) {
    auto batch = partition.read(where.first, read_bytes_max, where.second);
    if (!batch) {
      diagnostics::warning("mqtt", "{}/{} cannot be read at {}: {}", topic.name(), number, where.first, batch.error().message);
      continue;
    }
    if (batch->empty()) continue;
    const auto rendered = render(place, *batch, where.first);
    Head head;
    for (Reader* reader : group) {
      reader->options.positions[place] = rendered->next;
      hand_over(*reader, plan_of(*reader, topic), rendered, head);
    }
  }
  return !groups.empty();
}

std::shared_ptr<const Rendered> Fanout::render(const Place& place, const log::Batch& batch, Offset from) {
  auto rendered = std::make_shared<Rendered>();
  rendered->bytes.reserve(2 * read_bytes_max);  // names are written out in JSON
  rendered->place = place;
  rendered->next = from;
  const std::string prefix = topic_part(place.topic->name()) + '/';
  rendered->device_at = prefix.size();
  Renderer renderer(schemas_, place.topic->name());
  for (const log::Record& record : batch.records()) {
    if (record.offset < from) continue;
    rendered->next = record.offset + 1;
    Rendered::Event event;
    event.offset = record.offset;
    event.at = static_cast<std::uint32_t>(rendered->bytes.size());
    rendered->bytes += prefix;
    if (has_wildcard(record.key))
      rendered->bytes += topic_part(record.key);
    else
      rendered->bytes += record.key;
    event.topic_size = static_cast<std::uint32_t>(rendered->bytes.size()) - event.at;
    if (!renderer.append(rendered->bytes, record)) {
      rendered->bytes.resize(event.at);
      continue;
    }
    event.payload_size = static_cast<std::uint32_t>(rendered->bytes.size()) - event.at - event.topic_size;
    rendered->events.push_back(event);
  }
  rendered_.add(rendered->events.size());
  return rendered;
}

void Fanout::hand_over(Reader& reader, const Plan& plan, const std::shared_ptr<const Rendered>& rendered, Head& head) {
  Portion portion;
  portion.rendered = rendered;
  if (plan.plain() && !rendered->events.empty()) {
    portion.packets = head.packets(reader.options.version, *rendered);
    portion.size = portion.packets->size();
  } else {
    for (std::uint32_t i = 0; i < rendered->events.size(); ++i) {
      const Rendered::Event& event = rendered->events[i];
      Portion::Pick pick{i, Qos::at_most_once, 0};
      bool wanted = false;
      std::vector<std::uint32_t> ids;
      for (const Plan::Part& part : plan.parts) {
        if (!part.all && !matches_device(part.rest, rendered->device(event))) continue;
        wanted = true;
        pick.qos = std::max(pick.qos, part.qos);
        if (part.id != 0) ids.push_back(part.id);
      }
      if (!wanted) continue;
      if (portion.ids.empty() || portion.ids.back() != ids) portion.ids.push_back(std::move(ids));
      pick.ids = static_cast<std::uint32_t>(portion.ids.size() - 1);
      portion.picks.push_back(pick);
      portion.size += event.topic_size + event.payload_size + 8;
    }
  }
  reader.options.share->bytes.fetch_add(portion.size, std::memory_order_relaxed);
  reader.options.take(std::move(portion));
}

}  // namespace iotstream::mqtt
