#include "mqtt/broker.hpp"

#include <fmt/format.h>

#include <iotstream/base/text.hpp>
#include <iotstream/os/process.hpp>

#include "mqtt/connection.hpp"
#include "mqtt/payload.hpp"
#include "mqtt/topic.hpp"

namespace iotstream::mqtt {
namespace {

Duration seconds(std::uint32_t count) { return Duration::seconds(count); }

}  // namespace

Metrics::Metrics(metrics::Table& table)
    : connections(table.gauge("iotstream_mqtt_connections", "MQTT clients that are connected.")),
      sessions(table.gauge("iotstream_mqtt_sessions", "Sessions, also of clients that are away.")),
      acknowledged(
          table.counter("iotstream_mqtt_acknowledged_total", "PUBACK and PUBREC sent, after the message was durable.")),
      dropped(table.counter("iotstream_mqtt_dropped_total", "Messages with QoS 0 that the log did not take: it was full.")),
      repeated(table.counter("iotstream_mqtt_repeated_total", "Messages with QoS 2 that came again and were not taken again.")),
      taken_over(table.counter("iotstream_mqtt_taken_over_total", "Connections ended because their client connected anew.")),
      wills(table.counter("iotstream_mqtt_wills_total", "Wills that were published.")),
      table_(table) {
  for (std::size_t qos = 0; qos < published.size(); ++qos)
    published[qos] = &table.counter("iotstream_mqtt_published_total", "Messages that clients published.",
                                    metrics::Table::label("qos", fmt::to_string(qos)));
  for (std::size_t qos = 0; qos < delivered.size(); ++qos)
    delivered[qos] = &table.counter("iotstream_mqtt_delivered_total", "Messages sent to subscribers.",
                                    metrics::Table::label("qos", fmt::to_string(qos)));
}

void Metrics::refused(std::string_view reason) {
  table_
      .counter("iotstream_mqtt_refused_total", "Connections that the server refused or ended, by reason.",
               metrics::Table::label("reason", reason))
      .add();
}

Broker::Broker(Needs needs, Sessions sessions) : needs_(std::move(needs)), sessions_(std::move(sessions)) {
  for (const auto& [client, session] : sessions_) {
    if (session->ended.us == 0) session->ended = clock().now();  // it was connected when the server ended
    received_count += session->received.size();
  }
  metrics().sessions.set(static_cast<std::int64_t>(sessions_.size()));
}

bool Broker::admits(std::string_view password) const {
  return needs_.token.empty() || equals_in_constant_time(password, needs_.token);
}

std::string Broker::new_client_id() {
  std::string id = "auto-";
  for (const char byte : os::random_bytes(12)) id += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return id;
}

std::shared_ptr<Session> Broker::attach(const std::string& client, bool clean, std::uint32_t expiry_s, bool& present) {
  present = false;
  if (const auto found = sessions_.find(client); found != sessions_.end()) {
    const std::shared_ptr<Session> session = found->second;
    if (session->connection != nullptr) {
      metrics().taken_over.add();
      session->connection->taken_over();  // detaches
    }
    if (clean && session->will) give_will(*session);
    session->will.reset();  // its client is back before the delay has passed
    if (clean && sessions_.contains(client)) end(*session);
  }
  const auto found = sessions_.find(client);
  present = found != sessions_.end();
  if (!present && expiry_s > 0 && sessions_.size() >= needs_.config.sessions_max + needs_.config.connections_max)
    return nullptr;
  std::shared_ptr<Session> session = present ? found->second : std::make_shared<Session>();
  session->client = client;
  session->persistent = expiry_s > 0;
  session->expiry_s = expiry_s;
  session->ended = {};
  if (!present) sessions_.emplace(client, session);
  metrics().sessions.set(static_cast<std::int64_t>(sessions_.size()));
  return session;
}

void Broker::save(Session& session) { session.dirty = session.persistent && !ledger().save(session); }

void Broker::detach(const std::shared_ptr<Session>& session) {
  session->connection = nullptr;
  session->ended = clock().now();
  session->resent_until = session->positions;
  session->window.hold_back(session->positions);
  std::erase_if(session->resent_until, [&](const auto& one) { return session->positions.at(one.first) == one.second; });
  if (session->will && (session->will->delay_s == 0 || !session->persistent)) give_will(*session);
  if (session->will) session->will_due = session->ended + seconds(std::min(session->will->delay_s, session->expiry_s));
  if (!session->persistent)
    end(*session);
  else
    save(*session);
}

void Broker::give_will(Session& session) {
  const PendingWill will = std::move(*session.will);
  session.will.reset();
  metrics().wills.add();
  publish(will.topic, will.payload);
}

void Broker::end(Session& session) {
  received_count -= std::min(received_count, session.received.size());
  session.received.clear();
  if (session.persistent) ledger().forget(session.client);
  session.persistent = false;
  const std::string client = session.client;  // the session may die with its entry
  sessions_.erase(client);
  metrics().sessions.set(static_cast<std::int64_t>(sessions_.size()));
}

void Broker::address(Message& message, std::string_view topic, std::string_view payload, std::string_view source,
                     std::string& made) const {
  const Body body = body_of(payload, made);
  ingest::Submission& submission = message.submission;
  submission.body = body.text;
  submission.format = ingest::BodyFormat::json;
  submission.kind = ingest::SourceKind::mqtt;
  submission.source = source;
  if (body.envelope) return;
  // Without a dataset the gate takes envelopes only, and rejects and counts what is none.
  const auto addressee = topic.starts_with('$') ? std::nullopt : addressee_of(needs_.config.topics, topic);
  message.addressed = addressee && !addressee->dataset.empty();
  if (!message.addressed) return;
  submission.dataset = addressee->dataset;
  submission.device = addressee->device;
}

void Broker::publish(std::string_view topic, std::string_view payload) {
  std::string made;
  Message message;
  address(message, topic, payload, "will", made);
  const auto outcomes = needs_.gate.take(std::span(&message.submission, 1), ingest::Acks::none, [](const Status&) {});
  if (outcomes.front() && outcomes.front()->refusal) metrics().dropped.add();
}

void Broker::tick() {
  const Timestamp now = clock().now();
  std::vector<std::shared_ptr<Session>> all;
  for (const auto& [client, session] : sessions_) all.push_back(session);
  for (const std::shared_ptr<Session>& session : all) {
    if (session->dirty && session->persistent) save(*session);
    if (session->connection != nullptr) continue;
    if (session->will && now >= session->will_due) give_will(*session);
    if (now - session->ended >= seconds(session->expiry_s)) {
      if (session->will) give_will(*session);
      end(*session);
    }
  }
  const auto oldest = pending_us.empty() ? std::nullopt : std::optional(Timestamp{*pending_us.begin()});
  ledger().tick(sessions_, oldest);
}

void Broker::close() { ledger().close(sessions_, !pending_us.empty()); }

}  // namespace iotstream::mqtt
