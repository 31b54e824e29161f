// A connection's messages on their way in: many of one read go to the gate together, and are answered together when durable.
#include <algorithm>

#include "mqtt/connection.hpp"
#include "mqtt/encode.hpp"

namespace iotstream::mqtt {
namespace {

constexpr std::size_t aliased_size_max = 1'024;
constexpr std::size_t kept_max = 16;

/// What the sender is told of a reading that cannot be taken; success when it was.
Reason reason_of(const Result<ingest::Outcome>& outcome) {
  if (!outcome) return Reason::payload_format_invalid;
  if (outcome->rejected == 0) return Reason::success;
  if (outcome->accepted + outcome->duplicates > 0) return Reason::success;  // the others of an array were taken
  const ErrorKind kind = outcome->errors.empty() ? ErrorKind::invalid : outcome->errors.front().kind;
  if (kind == ErrorKind::too_large) return Reason::packet_too_large;
  return kind == ErrorKind::invalid ? Reason::payload_format_invalid : Reason::implementation_specific;
}

}  // namespace

/// Puts a message into the batch. False when it is to be looked at again later.
bool Connection::take_publish(const Frame& frame, std::size_t at) {
  Publish publish;
  if (const Decoded wrong = decode(frame.head, frame.body, version_, publish)) return fail(*wrong), true;
  if (!resolve_alias(publish))
    return fail({Reason::topic_alias_invalid, "a topic alias that is not known, or too large"}), true;
  if (publish.retain && version_ == Version::v5)
    return fail({Reason::retain_not_supported, "this server keeps no retained messages"}), true;

  Message message;
  message.at = at;
  message.qos = publish.qos;
  message.packet_id = publish.packet_id;
  std::string& made = broker_->batching.texts.emplace_back();
  broker_->address(message, publish.topic, publish.payload, session_->client, made);
  if (publish.qos == Qos::exactly_once && !take_exactly_once(publish, message)) return holds_ == 0;
  message.submission.skip = std::exchange(retry_skip_, 0);
  broker_->batching.messages.push_back(std::move(message));
  return true;
}

/// MQTT 5: a number in place of a topic that was told before.
bool Connection::resolve_alias(Publish& publish) {
  const auto alias = publish.properties.topic_alias;
  if (!alias) return true;
  if (*alias > topic_aliases_max) return false;
  if (!publish.topic.empty()) {
    if (publish.topic.size() > aliased_size_max) return false;
    aliases_[*alias] = publish.topic;
    return true;
  }
  const auto known = aliases_.find(*alias);
  if (known == aliases_.end()) return false;
  publish.topic = known->second;
  return true;
}

/// A message with QoS 2 that was received before. True when it is dealt with.
bool Connection::repeat(Received::State state, std::uint16_t packet_id) {
  if (state == Received::State::doubtful) return false;
  broker_->metrics().repeated.add();
  if (state != Received::State::taken) return true;  // its answer is on its way
  flush_batch();
  if (holds_ != 0 || state_ == State::ended) return true;
  auto batch = std::make_shared<Batch>();
  batch->session = session_;
  batch->answers.push_back({Type::pubrec, packet_id, Reason::success, 0});
  batch->done = true;
  unanswered_.push_back(std::move(batch));
  ++unacknowledged_;
  flush_answers();
  return true;
}

/// Whether a message with QoS 2 is to be appended: not when it was before, and not before the ledger is ready.
bool Connection::take_exactly_once(const Publish& publish, Message& message) {
  const auto found = session_->received.find(publish.packet_id);
  if (found != session_->received.end() && repeat(found->second.state, publish.packet_id)) return false;
  if (session_->persistent && !broker_->ledger().ready()) {
    flush_batch();
    if (holds_ == 0 && state_ == State::connected) await_ledger();
    return false;
  }
  if (found == session_->received.end()) {
    if (broker_->received_count >= broker_->limits().received_max) {
      fail({Reason::quota_exceeded, "too many messages with QoS 2 wait for their release"});
      return false;
    }
    ++broker_->received_count;
  }
  Received& received = session_->received[publish.packet_id];
  received.state = Received::State::pending;
  if (received.delivery == 0) received.delivery = broker_->ledger().next_delivery();
  message.delivery = received.delivery;
  message.submission.known = received.known;
  if (!session_->persistent) return true;
  broker_->ledger().used();
  message.submission.token =
      broker_->batching.texts.emplace_back(make_token(session_->client, received.delivery, publish.packet_id));
  return true;
}

/// Reads nothing until the ledger is ready for messages with QoS 2.
void Connection::await_ledger() {
  hold(hold_ledger, true);
  const auto go_on = [weak = weak_from_this(), broker = broker_](bool ready) {
    if (ready) broker->ledger().set_ready();
    const auto self = weak.lock();
    if (!self) return;
    self->hold(hold_ledger, false);
    self->process();
  };
  const bool asked = broker_->ledger().open_mark([broker = broker_, go_on](const iotstream::Status& status) {
    broker->needs().post([go_on, ok = status.ok()] { go_on(ok); });
  });
  if (!asked) broker_->needs().post_after(broker_->limits().retry, [go_on] { go_on(false); });
}

void Connection::take_release(const Acknowledge& release) {
  const auto found = session_->received.find(release.packet_id);
  if (found == session_->received.end()) return finish_release(release.packet_id, false);
  Received& received = found->second;
  if (received.state == Received::State::releasing) return;
  if (received.state == Received::State::pending) return fail({Reason::protocol_error, "PUBREL before its PUBREC"});
  if (!session_->persistent) {
    session_->received.erase(found);
    --broker_->received_count;
    return finish_release(release.packet_id, true);
  }
  received.state = Received::State::releasing;
  const auto done = [weak = weak_from_this(), session = session_, broker = broker_, id = release.packet_id](bool ok) {
    const auto at = session->received.find(id);
    if (at == session->received.end() || at->second.state != Received::State::releasing) return;
    if (ok) {
      session->received.erase(at);
      --broker->received_count;
      if (session->connection != nullptr) session->connection->finish_release(id, true);
      return;
    }
    at->second.state = Received::State::taken;
    if (const auto self = weak.lock()) self->end(Reason::unspecified, "a release could not be stored", true);
  };
  const bool appended = broker_->ledger().release(session_->client, release.packet_id, received.delivery,
                                                  [broker = broker_, done](const iotstream::Status& status) {
                                                    broker->needs().post([done, ok = status.ok()] { done(ok); });
                                                  });
  if (!appended) done(false);
}

void Connection::finish_release(std::uint16_t packet_id, bool known) {
  std::string out;
  append_acknowledge(out, version_, Type::pubcomp, packet_id, known ? Reason::success : Reason::packet_id_not_found);
  stream_.send(out);
}

/// Gives the batch to the gate. When the log is full the rest of what is being processed waits.
void Connection::flush_batch() {
  std::vector<Message>& messages = broker_->batching.messages;
  while (!messages.empty() && state_ == State::connected) {
    const std::size_t done = submit_batch();
    if (rewind_ != std::string_view::npos) break;
    messages.erase(messages.begin(), messages.begin() + static_cast<std::ptrdiff_t>(done));
  }
  broker_->batching.clear();
}

/// Returns how many messages are done with, at least one, or sets rewind_ to the first that is not.
std::size_t Connection::submit_batch() {
  const std::vector<Message>& messages = broker_->batching.messages;
  std::vector<ingest::Submission> submissions;
  submissions.reserve(messages.size());
  Qos most = Qos::at_most_once;
  for (const Message& message : messages) {
    submissions.push_back(message.submission);
    most = std::max(most, message.qos);
  }
  const bool durable = most != Qos::at_most_once;
  auto batch = std::make_shared<Batch>();
  batch->session = session_;
  if (most == Qos::exactly_once) batch->pending_us = *broker_->pending_us.insert(broker_->clock().now().us);
  // Settled by a post, also when the log has it at once: by then the batch is whole.
  const auto outcomes =
      broker_->needs().gate.take(submissions, durable ? ingest::Acks::durable : ingest::Acks::none,
                                 [durable, weak = weak_from_this(), broker = broker_, batch](const iotstream::Status& status) {
                                   if (!durable) return;
                                   broker->needs().post([weak, broker, batch, ok = status.ok()] {
                                     settle(*broker, *batch, ok);
                                     if (const auto self = weak.lock()) self->flush_answers();
                                   });
                                 });
  const std::size_t done = answer_batch(outcomes, *batch);
  send_batch(std::move(batch));
  if (rewind_ != std::string_view::npos) retry_later();
  return done;
}

std::size_t Connection::answer_batch(const std::vector<Result<ingest::Outcome>>& outcomes, Batch& batch) {
  std::vector<Message>& messages = broker_->batching.messages;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const Result<ingest::Outcome>& outcome = outcomes[i];
    if (!outcome || !outcome->refusal) {
      full_since_ns_ = 0;
      answer(messages[i], outcome, batch);
    } else if (!put_off(messages[i], *outcome)) {
      give_up(messages[i], batch);
    } else {
      // Not received yet, for what the session remembers.
      for (std::size_t j = i; j < messages.size(); ++j)
        if (messages[j].delivery != 0) session_->received[messages[j].packet_id].state = Received::State::doubtful;
      return i;
    }
  }
  return outcomes.size();
}

/// The log is full. True when the message, and what is behind it, is to be tried again.
bool Connection::put_off(const Message& message, const ingest::Outcome& outcome) {
  const std::int64_t now_ns = broker_->clock().monotonic_ns();
  if (full_since_ns_ == 0) full_since_ns_ = now_ns;
  const bool patient = (now_ns - full_since_ns_) / 1000 < broker_->limits().patience.us;
  // 3.1.1 has no word for it.
  if (!patient && (version_ == Version::v5 || message.qos == Qos::at_most_once)) return false;
  retry_skip_ = message.submission.skip + outcome.accepted + outcome.rejected + outcome.duplicates;
  rewind_ = message.at;
  return true;
}

void Connection::answer(const Message& message, const Result<ingest::Outcome>& outcome, Batch& batch) {
  Reason reason = reason_of(outcome);
  if (reason != Reason::success && !message.addressed) reason = Reason::topic_name_invalid;
  broker_->metrics().published[static_cast<std::size_t>(message.qos)]->add();
  ++published_;
  if (message.qos == Qos::at_most_once) return;
  const Type type = message.qos == Qos::at_least_once ? Type::puback : Type::pubrec;
  batch.answers.push_back({type, message.packet_id, reason, message.delivery});
}

/// The log has been full for too long.
void Connection::give_up(const Message& message, Batch& batch) {
  if (message.qos == Qos::at_most_once) return broker_->metrics().dropped.add();
  const Type type = message.qos == Qos::at_least_once ? Type::puback : Type::pubrec;
  batch.answers.push_back({type, message.packet_id, Reason::quota_exceeded, message.delivery});
}

void Connection::send_batch(std::shared_ptr<Batch> batch) {
  if (batch->answers.empty()) return;
  unacknowledged_ += batch->answers.size();
  unanswered_.push_back(std::move(batch));
  if (unacknowledged_ > broker_->limits().unacknowledged_max) hold(hold_unacknowledged, true);
}

/// The messages of a batch are durable, or never will be.
void Connection::settle(Broker& broker, Batch& batch, bool ok) {
  batch.done = true;
  batch.failed = !ok;
  if (batch.pending_us != 0) broker.pending_us.erase(broker.pending_us.find(batch.pending_us));
  for (const Answer& answer : batch.answers) {
    if (answer.type != Type::pubrec || answer.delivery == 0) continue;
    const auto found = batch.session->received.find(answer.packet_id);
    if (found == batch.session->received.end() || found->second.delivery != answer.delivery) continue;
    // Over for the client too: MQTT 5 ends an exchange with a PUBREC that says no, and what is not durable was not received.
    const Connection* connection = batch.session->connection;
    const bool told_no = answer.reason != Reason::success && connection != nullptr && connection->version_ == Version::v5;
    if (!ok || told_no) {
      batch.session->received.erase(found);
      --broker.received_count;
    } else {
      found->second.state = Received::State::taken;
      found->second.known.clear();
    }
  }
}

/// Sends the answers that are due, in the order of their messages.
void Connection::flush_answers() {
  std::string out;
  std::size_t done = 0;
  for (; done < unanswered_.size() && unanswered_[done]->done && state_ == State::connected; ++done) {
    const Batch* const batch = unanswered_[done].get();
    if (batch->failed) return end(Reason::unspecified, "a message could not be stored", true);
    for (const Answer& answer : batch->answers) append_acknowledge(out, version_, answer.type, answer.packet_id, answer.reason);
    unacknowledged_ -= batch->answers.size();
    broker_->metrics().acknowledged.add(batch->answers.size());
  }
  unanswered_.erase(unanswered_.begin(), unanswered_.begin() + static_cast<std::ptrdiff_t>(done));
  if (unanswered_.empty() && unanswered_.capacity() > kept_max) unanswered_.shrink_to_fit();
  stream_.send(out);
  if ((holds_ & hold_unacknowledged) == 0 || unacknowledged_ > broker_->limits().unacknowledged_max / 2) return;
  hold(hold_unacknowledged, false);
  process();
}

void Connection::retry_later() {
  hold(hold_log, true);
  broker_->needs().post_after(broker_->limits().retry, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->hold(hold_log, false);
    self->process();
  });
}

}  // namespace iotstream::mqtt
