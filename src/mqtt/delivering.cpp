// A connection's subscriptions, and events on their way out to it.
#include <algorithm>

#include "mqtt/connection.hpp"
#include "mqtt/encode.hpp"
#include "mqtt/topic.hpp"

namespace iotstream::mqtt {

void Connection::take_subscribe(const Subscribe& subscribe) {
  Filters filters = *session_->filters;
  const std::uint32_t id = subscribe.properties.subscription_ids.empty() ? 0 : subscribe.properties.subscription_ids.front();
  std::vector<std::uint8_t> codes;
  for (const Subscription& wanted : subscribe.subscriptions) codes.push_back(grant(wanted, id, filters));
  use_filters(std::move(filters));
  std::string out;
  append_suback(out, version_, subscribe.packet_id, codes);
  stream_.send(out);
}

/// The QoS that is granted, or why none is.
std::uint8_t Connection::grant(const Subscription& wanted, std::uint32_t id, Filters& filters) {
  const auto no = [](Reason reason) { return static_cast<std::uint8_t>(reason); };
  if (!valid_filter(wanted.filter)) return no(Reason::topic_filter_invalid);
  if (wanted.filter.starts_with("$share/")) return no(Reason::shared_not_supported);
  if (wanted.no_local) return no(Reason::implementation_specific);  // the log does not tell who published
  const Qos qos = std::min(wanted.qos, Qos::at_least_once);
  const auto known =
      std::find_if(filters.begin(), filters.end(), [&](const Filter& filter) { return filter.text == wanted.filter; });
  if (known != filters.end())
    *known = {known->text, qos, id};
  else if (filters.size() >= broker_->limits().filters_max)
    return no(Reason::quota_exceeded);
  else
    filters.push_back({std::string(wanted.filter), qos, id});
  return static_cast<std::uint8_t>(qos);
}

void Connection::take_unsubscribe(const Unsubscribe& unsubscribe) {
  Filters filters = *session_->filters;
  std::vector<Reason> reasons;
  for (const std::string_view text : unsubscribe.filters) {
    const auto gone = std::erase_if(filters, [&](const Filter& filter) { return filter.text == text; });
    reasons.push_back(gone > 0 ? Reason::success : Reason::no_subscription_existed);
  }
  use_filters(std::move(filters));
  std::string out;
  append_unsuback(out, version_, unsubscribe.packet_id, reasons);
  stream_.send(out);
}

/// From now on. What is in the log already is not sent for a new filter, also when it is not yet durable.
void Connection::use_filters(Filters filters) {
  Positions positions;
  const auto reaches = [](const Filters& given, std::string_view dataset) {
    return std::any_of(given.begin(), given.end(),
                       [&](const Filter& filter) { return reach_of(filter.text, dataset).kind != Reach::Kind::none; });
  };
  for (log::Topic* topic : broker_->needs().log.topics()) {
    if (topic->name().starts_with('_')) continue;
    const std::string dataset = topic_part(topic->name());
    const bool read_already = reaches(*session_->filters, dataset);
    for (std::uint32_t i = 0; reaches(filters, dataset) && i < topic->partition_count(); ++i) {
      const Place place{topic, i};
      const auto known = session_->positions.find(place);
      if (known != session_->positions.end())
        positions.insert(*known);
      else if (!read_already)  // else it is newer than the subscription: from its beginning
        positions[place] = topic->partition(PartitionId(i)).watermarks().written;
    }
  }
  session_->positions = std::move(positions);
  session_->filters = std::make_shared<const Filters>(std::move(filters));
  if (reader_ == 0)
    start_reader();
  else
    broker_->fanout().change(reader_, reader_options());
  if (session_->persistent) broker_->save(*session_);
}

ReaderOptions Connection::reader_options() {
  ReaderOptions options;
  options.version = version_;
  options.filters = session_->filters;
  options.positions = session_->positions;
  options.share = share_;
  const bool lossless = std::any_of(options.filters->begin(), options.filters->end(),
                                    [](const Filter& filter) { return filter.qos != Qos::at_most_once; });
  options.to_durable = lossless || session_->persistent;
  options.may_skip = !session_->persistent;
  options.take = [weak = weak_from_this(), broker = broker_, reader = reader_](Portion portion) {
    auto given = std::make_shared<Portion>(std::move(portion));
    broker->needs().post([weak, reader, given] {
      const auto self = weak.lock();
      if (self && self->reader_ == reader) self->deliver(std::move(*given));
    });
  };
  return options;
}

void Connection::start_reader() {
  reader_ = broker_->next_reader();
  share_ = std::make_shared<Share>();
  broker_->fanout().add(reader_, reader_options());
}

void Connection::deliver(Portion portion) {
  portions_.push_back(std::move(portion));
  pump();
}

void Connection::drained() { pump(); }

void Connection::take_acknowledge(const Acknowledge& acknowledge) {
  if (!session_->window.acknowledge(acknowledge.packet_id)) return;
  if (!portions_.empty()) pump();
}

std::size_t Connection::window_max() const { return std::min<std::size_t>(broker_->limits().window_max, receive_maximum_); }

/// Sends what the client takes just now. The rest waits; the log keeps what is behind it.
void Connection::pump() {
  std::size_t done = 0;
  for (; done < portions_.size() && state_ == State::connected; ++done) {
    Portion& portion = portions_[done];
    if (!send_portion(portion)) break;
    next_pick_ = 0;
    session_->dirty = true;
    session_->positions[portion.rendered->place] = portion.rendered->next;
    const std::size_t before = share_->bytes.fetch_sub(portion.size, std::memory_order_relaxed);
    if (before >= Fanout::portion_bytes_max && before - portion.size < Fanout::portion_bytes_max) broker_->fanout().wake();
  }
  if (state_ != State::connected) return;
  portions_.erase(portions_.begin(), portions_.begin() + static_cast<std::ptrdiff_t>(done));
}

/// False when something of it has to wait.
bool Connection::send_portion(Portion& portion) {
  if (stream_.queued_bytes() >= broker_->limits().output_max) return false;
  const bool resends = !session_->resent_until.empty() || peer_packet_size_max_ != 0;
  if (portion.packets && !resends) {
    broker_->metrics().delivered[0]->add(portion.rendered->events.size());
    delivered_ += portion.rendered->events.size();
    stream_.send(portion.packets);
    return true;
  }
  if (portion.packets && portion.picks.empty()) {
    for (std::uint32_t i = 0; i < portion.rendered->events.size(); ++i) portion.picks.push_back({i, Qos::at_most_once, 0});
    portion.ids.emplace_back();
  }
  for (; next_pick_ < portion.picks.size(); ++next_pick_) {
    if (stream_.queued_bytes() >= broker_->limits().output_max) return false;
    if (!send_event(portion, portion.picks[next_pick_])) return false;
  }
  return true;
}

/// False when the client's window is full.
bool Connection::send_event(const Portion& portion, const Portion::Pick& pick) {
  const Rendered& rendered = *portion.rendered;
  const Rendered::Event& event = rendered.events[pick.event];
  Delivery delivery;
  delivery.qos = pick.qos;
  delivery.topic = rendered.topic(event);
  delivery.payload = rendered.payload(event);
  delivery.subscription_ids = portion.ids[pick.ids];
  if (!session_->resent_until.empty()) {
    const auto until = session_->resent_until.find(rendered.place);
    if (until != session_->resent_until.end() && event.offset < until->second) {
      // Sent by an earlier connection: again, unless it was acknowledged, or asked no acknowledgement.
      const auto id = session_->window.find(rendered.place, event.offset);
      if (!id) return true;
      delivery.packet_id = *id;
      delivery.duplicate = true;
      delivery.qos = Qos::at_least_once;
    } else if (until != session_->resent_until.end()) {
      session_->resent_until.erase(until);
    }
  }
  // A client that cannot take it is as one that has taken it (MQTT 5, 3.1.2.11.4).
  if (peer_packet_size_max_ != 0 && publish_size(version_, delivery) > peer_packet_size_max_) return true;
  if (delivery.qos == Qos::at_least_once && !delivery.duplicate) {
    if (session_->window.size() >= window_max()) return false;
    delivery.packet_id = session_->window.push(rendered.place, event.offset);
  }
  std::string packet;
  append_publish(packet, version_, delivery);
  stream_.send(packet);
  broker_->metrics().delivered[static_cast<std::size_t>(delivery.qos)]->add();
  ++delivered_;
  return true;
}

}  // namespace iotstream::mqtt
