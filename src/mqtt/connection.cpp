#include "mqtt/connection.hpp"

#include <algorithm>
#include <array>

#include <iotstream/base/diagnostics.hpp>

#include "mqtt/encode.hpp"

namespace iotstream::mqtt {
namespace {

// Before a client has said who it is, it gets no more memory than a large CONNECT needs.
constexpr std::size_t connect_size_max = 128u << 10;
constexpr std::size_t input_kept_max = 4u << 10;
constexpr std::size_t batch_max = 1'024;

bool looks_like_http(std::string_view bytes) {
  constexpr std::array<std::string_view, 8> methods{"GET ", "POST", "HEAD", "PUT ", "OPTI", "DELE", "PATC", "CONN"};
  return std::find(methods.begin(), methods.end(), bytes.substr(0, 4)) != methods.end();
}

}  // namespace

Connection::Connection(net::Stream& stream, std::shared_ptr<Broker> broker) : stream_(stream), broker_(std::move(broker)) {
  broker_->metrics().connections.add(1);
  received_ns_ = broker_->clock().monotonic_ns();
  stream_.set_alarm(broker_->limits().connect_timeout);
}

void Connection::received(std::string_view bytes) {
  if (state_ == State::ended) return;
  received_ns_ = broker_->clock().monotonic_ns();
  if (holds_ != 0 || !input_.empty()) {
    input_ += bytes;
    process();
    return;
  }
  const std::size_t done = process(bytes);
  if (state_ != State::ended) input_ = bytes.substr(done);
}

/// Goes on with what has been kept.
void Connection::process() {
  if (holds_ != 0 || state_ == State::ended) return;
  std::string bytes = std::exchange(input_, {});
  const std::size_t done = process(bytes);
  if (state_ == State::ended) return;
  if (done == 0) {
    input_ = std::move(bytes);
  } else if (done < bytes.size()) {
    bytes.erase(0, done);
    input_ = std::move(bytes);
    if (input_.size() < input_kept_max) input_.shrink_to_fit();
  }
}

/// Takes whole packets from the front; returns how many bytes are done with.
std::size_t Connection::process(std::string_view bytes) {
  std::size_t at = 0;
  rewind_ = std::string_view::npos;
  while (holds_ == 0 && state_ != State::ended) {
    const std::string_view rest = bytes.substr(at);
    if (state_ == State::awaiting_connect && !rest.empty() && rest[0] != 0x10) {
      broker_->metrics().refused(looks_like_http(rest) ? "http" : "not_connect");
      end(Reason::protocol_error, {}, false);
      break;
    }
    const std::size_t limit = state_ == State::awaiting_connect
                                  ? connect_size_max
                                  : static_cast<std::size_t>(broker_->needs().config.packet_size_max);
    const Frame frame = next_frame(rest, limit);
    if (frame.status == Frame::Status::malformed) fail({Reason::malformed, "a remaining length is malformed"});
    if (frame.status == Frame::Status::too_large) fail({Reason::packet_too_large, "a packet is larger than the server takes"});
    if (frame.status != Frame::Status::whole) break;
    if (!take(frame, at)) break;
    at += frame.size;
    if (broker_->batching.messages.size() >= batch_max) flush_batch();
    if (rewind_ != std::string_view::npos) break;
  }
  flush_batch();
  broker_->batching.clear();
  return std::min(at, rewind_);
}

/// False when the packet is to be looked at again later.
bool Connection::take(const Frame& frame, std::size_t at) {
  const Type type = type_of(frame.head);
  if (state_ == State::awaiting_connect) {
    take_connect(frame);
    return true;
  }
  if (type == Type::publish) return take_publish(frame, at);
  flush_batch();  // what came before is taken before
  if (holds_ != 0 || state_ == State::ended) return false;
  const auto decoded = [&](auto packet, auto use) {
    if (const Decoded wrong = decode(frame.head, frame.body, version_, packet))
      fail(*wrong);
    else
      (this->*use)(packet);
  };
  switch (type) {
    case Type::puback:
      decoded(Acknowledge(), &Connection::take_acknowledge);
      break;
    case Type::pubrel:
      decoded(Acknowledge(), &Connection::take_release);
      break;
    case Type::subscribe:
      decoded(Subscribe(), &Connection::take_subscribe);
      break;
    case Type::unsubscribe:
      decoded(Unsubscribe(), &Connection::take_unsubscribe);
      break;
    case Type::disconnect:
      decoded(Disconnect(), &Connection::take_disconnect);
      break;
    case Type::pingreq:
      if (const Decoded wrong = decode_ping(frame.head, frame.body)) {
        fail(*wrong);
      } else {
        std::string out;
        append_pingresp(out);
        stream_.send(out);
      }
      break;
    case Type::connect:
      fail({Reason::protocol_error, "a second CONNECT"});
      break;
    case Type::auth:
      fail({Reason::protocol_error, "AUTH without an authentication method"});
      break;
    default:
      fail({Reason::protocol_error, "a packet that only servers send, or that answers nothing"});
      break;
  }
  return true;
}

void Connection::take_connect(const Frame& frame) {
  Connect connect;
  const Decoded wrong = decode(frame.head, frame.body, connect);
  if (wrong) {
    broker_->metrics().refused(wrong->reason == Reason::unsupported_version ? "version" : "malformed");
    std::string out;
    if (wrong->reason == Reason::unsupported_version) append_connack_refusal(out, Version::v311, wrong->reason, wrong->detail);
    stream_.send(out);
    end(Reason::success, {}, false);
    return;
  }
  version_ = connect.version;
  if (refuse(connect)) return;
  const bool assigned = connect.client_id.empty();
  accept(connect, assigned ? broker_->new_client_id() : std::string(connect.client_id), assigned);
}

/// True when the client was told no.
bool Connection::refuse(const Connect& connect) {
  const auto no = [&](Reason reason, std::string_view metric, std::string_view detail) {
    broker_->metrics().refused(metric);
    std::string out;
    append_connack_refusal(out, version_, reason, detail);
    stream_.send(out);
    end(Reason::success, {}, false);
    return true;
  };
  if (connect.properties.authentication_method)
    return no(Reason::bad_authentication_method, "authentication", "this server knows no extended authentication");
  if (!broker_->admits(connect.password.value_or("")))
    return no(Reason::bad_login, "token", "the password must be the server's token");
  if (connect.client_id.size() > client_id_max)
    return no(Reason::client_id_not_valid, "client_id", "a client identifier has at most 200 bytes");
  if (connect.client_id.empty() && !connect.clean && version_ == Version::v311)
    return no(Reason::client_id_not_valid, "client_id", "a session needs a client identifier");
  if (connect.will && connect.will->retain && version_ == Version::v5)
    return no(Reason::retain_not_supported, "retain", "this server keeps no retained messages");
  return false;
}

void Connection::accept(const Connect& connect, const std::string& client, bool assigned) {
  const auto most = static_cast<std::uint32_t>(broker_->needs().config.session_expiry_max.us / 1'000'000);
  const std::uint32_t wanted = version_ == Version::v5 ? connect.properties.session_expiry_s.value_or(0)
                               : connect.clean         ? 0
                                                       : most;
  bool present = false;
  session_ = broker_->attach(client, connect.clean, std::min(wanted, most), present);
  std::string out;
  if (!session_) {
    broker_->metrics().refused("sessions");
    append_connack_refusal(out, version_, Reason::quota_exceeded, "there are too many sessions");
    stream_.send(out);
    end(Reason::success, {}, false);
    return;
  }
  session_->connection = this;
  session_->will.reset();
  if (connect.will)
    session_->will = {std::string(connect.will->topic), std::string(connect.will->payload),
                      connect.will->properties.will_delay_s.value_or(0)};
  state_ = State::connected;
  keep_alive_s_ = connect.keep_alive_s;
  receive_maximum_ = connect.properties.receive_maximum.value_or(65'535);
  peer_packet_size_max_ = connect.properties.packet_size_max.value_or(0);
  ServerLimits limits;
  limits.packet_size_max = static_cast<std::uint32_t>(broker_->needs().config.packet_size_max);
  limits.topic_alias_maximum = topic_aliases_max;
  if (assigned) limits.assigned_client_id = client;
  limits.session_expiry_s = session_->expiry_s;
  limits.session_expiry_changed = wanted > most;
  append_connack(out, version_, present, limits);
  stream_.send(out);
  if (session_->persistent) broker_->save(*session_);
  if (!session_->filters->empty()) start_reader();
  set_alarm();
}

void Connection::take_disconnect(const Disconnect& disconnect) {
  const auto expiry = disconnect.properties.session_expiry_s;
  if (expiry && session_->expiry_s == 0 && *expiry != 0)
    return fail({Reason::protocol_error, "DISCONNECT gives an expiry to a session that ends with its connection"});
  if (expiry) {
    const auto most = static_cast<std::uint32_t>(broker_->needs().config.session_expiry_max.us / 1'000'000);
    session_->expiry_s = std::min(*expiry, most);
    if (session_->expiry_s == 0 && session_->persistent) {
      broker_->ledger().forget(session_->client);
      session_->persistent = false;
    }
  }
  end(Reason::success, {}, disconnect.reason == Reason::disconnect_with_will);
}

void Connection::fail(const Malformed& malformed) {
  flush_batch();  // what came before is good
  if (state_ == State::ended) return;
  broker_->metrics().refused("malformed");
  diagnostics::debug("mqtt", "{}: {}", stream_.remote(), malformed.detail);
  end(malformed.reason, malformed.detail, true);
}

/// Says goodbye, unless `reason` is success, and closes.
void Connection::end(Reason reason, std::string_view detail, bool with_will) {
  if (state_ == State::ended) return;
  if (state_ == State::connected && reason != Reason::success) {
    std::string out;
    append_disconnect(out, version_, reason, detail);
    stream_.send(out);
  }
  state_ = State::ended;
  if (session_ && !with_will) session_->will.reset();
  detach();
  stream_.close();
}

/// Parts from the session.
void Connection::detach() {
  if (reader_ != 0) broker_->fanout().remove(std::exchange(reader_, 0));
  portions_.clear();
  input_ = {};
  if (!session_) return;
  const std::shared_ptr<Session> session = std::exchange(session_, nullptr);
  if (session->connection == this) broker_->detach(session);
}

void Connection::taken_over() { end(Reason::session_taken_over, "the client has connected anew", true); }

void Connection::stopping() { end(Reason::server_shutting_down, "the server is stopping", true); }

void Connection::closed() {
  state_ = State::ended;
  detach();
  broker_->metrics().connections.add(-1);
}

void Connection::hold(Hold why, bool held) {
  holds_ = held ? holds_ | why : holds_ & ~static_cast<unsigned>(why);
  if (state_ == State::ended || paused_ == (holds_ != 0)) return;
  paused_ = holds_ != 0;
  if (!paused_) {
    received_ns_ = broker_->clock().monotonic_ns();  // it was not listened to: the client cannot be blamed for silence
    set_alarm();
  }
  stream_.pause(paused_);
}

void Connection::set_alarm() {
  if (state_ != State::connected || keep_alive_s_ == 0) return stream_.set_alarm({-1});
  const std::int64_t silent_us = (broker_->clock().monotonic_ns() - received_ns_) / 1000;
  stream_.set_alarm({std::max<std::int64_t>(keep_alive_s_ * 1'500'000ll - silent_us, 0) + 1});
}

void Connection::alarm() {
  if (state_ == State::awaiting_connect) {
    broker_->metrics().refused("connect_timeout");
    return end(Reason::success, {}, false);
  }
  if (state_ != State::connected || paused_) return;
  const std::int64_t silent_us = (broker_->clock().monotonic_ns() - received_ns_) / 1000;
  if (silent_us < keep_alive_s_ * 1'500'000ll) return set_alarm();
  broker_->metrics().refused("keep_alive");
  end(Reason::keep_alive_timeout, "nothing came for one and a half times the keep-alive", true);
}

Connection::Status Connection::status() const {
  Status status{{}, stream_.remote(), version_, 0, published_, delivered_};
  if (!session_) return status;
  status.client = session_->client;
  status.filters = session_->filters->size();
  return status;
}

}  // namespace iotstream::mqtt
