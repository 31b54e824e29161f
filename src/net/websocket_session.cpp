#include "net/websocket_session.hpp"

#include <algorithm>
#include <exception>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <iotstream/base/diagnostics.hpp>

namespace iotstream::net {
namespace {

// A payload up to this size is copied behind its header: one buffer costs less than two in a gathering write.
constexpr std::size_t copied_size_max = 1u << 10;
// One write: the buffers that asio hands to a single system call, and enough bytes to fill a socket's buffer.
constexpr std::size_t batch_buffers_max = 60;
constexpr std::size_t batch_bytes_max = 256u << 10;

SteadyTime plus(SteadyTime time, Duration duration) { return time + std::chrono::microseconds(duration.us); }

}  // namespace

/// The buffers of one write: headers and small payloads in one text, large payloads where they are.
struct WebSocketSession::Batch {
  struct Piece {
    const char* shared = nullptr;  ///< null: in `copied`
    std::size_t at = 0;
    std::size_t size = 0;
  };
  std::string copied;
  std::vector<Piece> pieces;
  std::size_t bytes = 0;
  std::size_t payload = 0;

  bool full() const { return pieces.size() + 2 > batch_buffers_max || bytes >= batch_bytes_max; }

  void add(const Message& message) {
    const std::string& text = *message.bytes;
    const std::size_t at = copied.size();
    append_frame_header(copied, message.binary ? Opcode::binary : Opcode::text, text.size());
    if (text.size() <= copied_size_max) copied += text;
    extend(at);
    if (text.size() > copied_size_max) pieces.push_back({text.data(), 0, text.size()});
    bytes += copied.size() - at + (text.size() > copied_size_max ? text.size() : 0);
    payload += text.size();
  }

  std::vector<asio::const_buffer> buffers() const {
    std::vector<asio::const_buffer> out;
    out.reserve(pieces.size());
    for (const Piece& piece : pieces)
      out.emplace_back(piece.shared != nullptr ? piece.shared : copied.data() + piece.at, piece.size);
    return out;
  }

 private:
  void extend(std::size_t at) {
    if (pieces.empty() || pieces.back().shared != nullptr) pieces.push_back({nullptr, at, 0});
    pieces.back().size += copied.size() - at;
  }
};

SendResult WebSocketSession::send(std::shared_ptr<const std::string> message, bool binary) {
  bool post = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || closing_) return SendResult::closed;
    // A message larger than the limit is taken by an empty queue: it could never be sent otherwise.
    if (queued_bytes_ > 0 && queued_bytes_ + message->size() > state_->options.websocket_queue_size_max) {
      state_->metrics.back_pressured.add();
      return SendResult::back_pressured;
    }
    queued_bytes_ += message->size();
    queue_.push_back({std::move(message), binary});
    post = !std::exchange(wake_posted_, true);
  }
  if (post) wake_writer();
  return SendResult::queued;
}

void WebSocketSession::close(std::uint16_t code, std::string_view reason) {
  if (enqueue_close(code, reason, false)) wake_writer();
}

std::size_t WebSocketSession::queued_bytes() const {
  const std::lock_guard lock(mutex_);
  return queued_bytes_;
}

bool WebSocketSession::enqueue_close(std::uint16_t code, std::string_view reason, bool drop_queue) {
  const std::lock_guard lock(mutex_);
  if (drop_queue) {
    for (const Message& message : queue_) queued_bytes_ -= message.bytes->size();
    queue_.clear();
  }
  if (closed_ || closing_) return false;
  closing_ = true;
  append_control_frame(close_frame_, Opcode::close, close_payload(code, reason));
  return true;
}

void WebSocketSession::wake_writer() {
  loop_->post([session = self()] { session->wake_.notify(); });
}

void WebSocketSession::mark_closed() {
  std::vector<Message> dropped;  // freed outside the lock
  const std::lock_guard lock(mutex_);
  closed_ = true;
  queued_bytes_ = 0;
  dropped.swap(queue_);
}

Task<void> WebSocketSession::run() {
  loop_->watch(shared_from_this());
  state_->metrics.websockets.add(1);
  last_received_ = std::chrono::steady_clock::now();
  last_ping_ = last_received_;
  move_deadline();
  writer_running_ = true;
  asio::co_spawn(loop_->io(), write(self()), asio::detached);

  try {
    co_await read();
  } catch (const std::exception& exception) {
    diagnostics::error("net", "a WebSocket is dropped: {}", exception.what());
  }
  reader_ended_ = true;
  while (writer_running_) {
    wake_.notify();
    if (writer_running_) co_await writer_ended_.wait();
  }
  if (close_sent_) {
    // Both close frames have passed: the server ends the connection first (RFC 6455 §7.1.1).
    close_late_ = plus(std::chrono::steady_clock::now(), state_->options.linger_timeout);
    move_deadline();
    co_await transport().finish();
    if (!failed_) co_await transport().drain(*loop_);
  }
  mark_closed();
  writing_.clear();
  transport().close(false);
  loop_->forget(*this);
  state_->metrics.websockets.add(-1);
  // The events often hold the WebSocket itself: they end here, or neither would.
  const WebSocketEvents events = std::exchange(upgrade_.events, {});
  if (events.closed) events.closed();
}

Task<void> WebSocketSession::read() {
  FrameDecoder decoder(true, state_->options.websocket_message_size_max);
  const std::string early = std::exchange(upgrade_.early, {});
  std::string_view bytes = early;
  while (true) {
    while (!failed_) {
      const FrameDecoder::Item item = decoder.next(bytes);
      if (item.kind == FrameDecoder::Kind::more) break;
      if (!take(item)) co_return;
    }
    const Read read = co_await transport().read();
    if (read.error) co_return;
    state_->metrics.bytes_in.add(read.bytes.size());
    last_received_ = std::chrono::steady_clock::now();
    bytes = read.bytes;
  }
}

/// False when the peer has said its last.
bool WebSocketSession::take(const FrameDecoder::Item& item) {
  switch (item.kind) {
    case FrameDecoder::Kind::message: {
      state_->metrics.messages_in.add();
      const bool closing = [&] {
        const std::lock_guard lock(mutex_);
        return closing_;
      }();
      if (!closing && upgrade_.events.message) upgrade_.events.message(item.bytes, item.binary);
      return true;
    }
    case FrameDecoder::Kind::ping:
      pong_due_ = std::string(item.bytes);
      wake_.notify();
      return true;
    case FrameDecoder::Kind::close:
      enqueue_close(item.code, {}, true);
      return false;
    case FrameDecoder::Kind::error:
      fail(item.code, item.bytes);
      return true;
    default:
      return true;
  }
}

void WebSocketSession::fail(std::uint16_t code, std::string_view reason) {
  failed_ = true;
  enqueue_close(code, reason, true);
  wake_.notify();
}

Task<void> WebSocketSession::write(std::shared_ptr<WebSocketSession> session) {
  try {
    bool goes_on = co_await session->write_bytes(session->upgrade_.greeting);
    session->upgrade_.greeting = std::string();
    while (goes_on) {
      goes_on = co_await session->write_pending();
      if (goes_on) co_await session->wake_.wait();
    }
  } catch (const std::exception& exception) {
    diagnostics::error("net", "a WebSocket is dropped: {}", exception.what());
  }
  session->writer_running_ = false;
  session->mark_closed();
  session->transport().cancel();  // the reader, if it still waits for a peer that is gone
  session->writer_ended_.notify();
}

/// Writes until nothing is left; false when the writer's work is over.
Task<bool> WebSocketSession::write_pending() {
  while (true) {
    const std::string urgent = urgent_frames();
    if (!urgent.empty()) {
      const bool went_on = co_await write_bytes(urgent);
      if (!went_on) co_return false;
    }
    bool close_due = false;
    bool broken = false;
    {
      const std::lock_guard lock(mutex_);
      writing_.swap(queue_);
      if (writing_.empty()) wake_posted_ = false;
      close_due = closing_ && !close_sent_ && writing_.empty();
      broken = reader_ended_ && !closing_;
    }
    if (broken) co_return false;  // the peer has gone without a close frame
    if (!writing_.empty()) {
      const bool went_on = co_await write_batch();
      if (!went_on) co_return false;
    } else if (close_due) {
      close_sent_ = true;
      close_late_ = plus(std::chrono::steady_clock::now(), state_->options.websocket_close_timeout);
      const bool went_on = co_await write_bytes(close_frame_);
      if (!went_on) co_return false;
    } else if (std::exchange(wrote_, false)) {
      if (upgrade_.events.drained && !close_sent_) upgrade_.events.drained();
    } else {
      co_return !(reader_ended_ && close_sent_);
    }
  }
}

std::string WebSocketSession::urgent_frames() {
  std::string frames;
  if (close_sent_) return frames;
  if (pong_due_) append_control_frame(frames, Opcode::pong, *std::exchange(pong_due_, std::nullopt));
  if (std::exchange(ping_due_, false)) append_control_frame(frames, Opcode::ping, {});
  return frames;
}

Task<bool> WebSocketSession::write_batch() {
  std::size_t next = 0;
  while (next < writing_.size()) {
    Batch batch;
    const std::size_t first = next;
    while (next < writing_.size() && !batch.full()) batch.add(writing_[next++]);
    auto buffers = batch.buffers();
    const bool went_on = co_await write_buffers(buffers);
    if (!went_on) co_return false;
    state_->metrics.messages_out.add(next - first);
    for (std::size_t i = first; i < next; ++i) writing_[i].bytes.reset();
    {
      const std::lock_guard lock(mutex_);
      queued_bytes_ -= std::min(queued_bytes_, batch.payload);
    }
    if (pong_due_ || ping_due_) {
      const std::string urgent = urgent_frames();
      const bool urgent_went = co_await write_bytes(urgent);
      if (!urgent_went) co_return false;
    }
  }
  writing_.clear();
  wrote_ = true;
  co_return true;
}

Task<bool> WebSocketSession::write_bytes(const std::string& bytes) {
  asio::const_buffer buffer = asio::buffer(bytes);
  const std::span<asio::const_buffer> buffers(&buffer, 1);
  co_return co_await write_buffers(buffers);
}

Task<bool> WebSocketSession::write_buffers(std::span<asio::const_buffer> buffers) {
  const auto progress = [this](std::size_t written) {
    state_->metrics.bytes_out.add(written);
    write_stuck_ = plus(std::chrono::steady_clock::now(), state_->options.write_timeout);
  };
  progress(0);
  move_deadline();
  const error_code error = co_await transport().write(buffers, progress);
  write_stuck_ = never;
  co_return !error;
}

/// The earliest thing that may be late. Progress moves the members, not the deadline: expired() comes then, sees that nothing
/// is late, and looks again.
void WebSocketSession::move_deadline() {
  const SteadyTime silent = plus(last_received_, state_->options.config.idle_timeout);
  const SteadyTime ping = plus(std::max(last_received_, last_ping_), state_->options.websocket_ping_interval);
  deadline = std::min({silent, ping, write_stuck_, close_late_});
}

void WebSocketSession::expired() {
  const SteadyTime now = std::chrono::steady_clock::now();
  const bool silent = now >= plus(last_received_, state_->options.config.idle_timeout);
  if (silent || now >= write_stuck_ || now >= close_late_) {
    transport().cancel();
    transport().close(true);
    deadline = never;
    return;
  }
  if (now >= plus(std::max(last_received_, last_ping_), state_->options.websocket_ping_interval)) {
    last_ping_ = now;
    ping_due_ = true;
    move_deadline();
    wake_.notify();
    return;
  }
  move_deadline();
}

void WebSocketSession::stop(bool at_once) {
  if (at_once) {
    transport().close(true);
  } else {
    close(close_code::going_away, "the server is stopping");
  }
}

}  // namespace iotstream::net
