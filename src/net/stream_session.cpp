#include "net/stream_session.hpp"

#include <algorithm>
#include <exception>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <iotstream/base/diagnostics.hpp>

namespace iotstream::net {
namespace {

// Small sends grow one chunk up to this size: fewer buffers for the system call.
constexpr std::size_t chunk_size_max = 64u << 10;
constexpr std::size_t buffers_max = 60;

}  // namespace

void StreamSession::send(std::string_view bytes) {
  if (closing_ || broken_ || bytes.empty()) return;
  if (queue_.empty() || queue_.back().shared || queue_.back().own.size() >= chunk_size_max) queue_.emplace_back();
  queue_.back().own += bytes;
  queued_bytes_ += bytes.size();
  wake_writer();
}

void StreamSession::send(std::shared_ptr<const std::string> bytes) {
  if (closing_ || broken_ || bytes->empty()) return;
  queued_bytes_ += bytes->size();
  queue_.push_back({{}, std::move(bytes)});
  wake_writer();
}

// By post(): what the rest of this turn sends goes along.
void StreamSession::wake_writer() {
  if (std::exchange(wake_posted_, true)) return;
  loop_->post([session = self()] {
    session->wake_posted_ = false;
    session->wake_.notify();
  });
}

void StreamSession::pause(bool paused) {
  paused_ = paused;
  if (!paused) loop_->post([session = self()] { session->resume_.notify(); });
}

void StreamSession::close() {
  if (std::exchange(closing_, true)) return;
  wake_writer();
  pause(false);
}

void StreamSession::drop() {
  broken_ = true;
  closing_ = true;
  if (transport_) transport_->close(true);
  wake_writer();
  pause(false);
}

void StreamSession::set_alarm(Duration after_now) {
  alarm_ = after_now.us < 0 ? never : after(after_now);
  move_deadline();
}

void StreamSession::move_deadline() { deadline = std::min({alarm_, write_stuck_, end_late_}); }

void StreamSession::expired() {
  const SteadyTime now = std::chrono::steady_clock::now();
  if (now >= write_stuck_ || now >= end_late_) {
    write_stuck_ = end_late_ = alarm_ = never;
    drop();
  } else if (now >= alarm_) {
    alarm_ = never;
    move_deadline();
    if (handler_ && !closing_) handler_->alarm();
    return;
  }
  move_deadline();
}

void StreamSession::stop(bool at_once) {
  if (at_once || !handler_) {
    drop();
  } else if (!closing_) {
    handler_->stopping();
  }
}

Task<void> StreamSession::run() {
  loop_->watch(shared_from_this());
  try {
    co_await serve();
  } catch (const std::exception& exception) {
    diagnostics::error("net", "the connection of {} is dropped: {}", remote_, exception.what());
  }
  reader_ended_ = true;
  while (writer_running_) {
    wake_.notify();
    if (writer_running_) co_await writer_ended_.wait();
  }
  closing_ = true;
  broken_ = true;
  transport_->close(false);
  loop_->forget(*this);
  // The handler often holds what holds the stream: it ends here.
  const std::shared_ptr<StreamHandler> handler = std::exchange(handler_, nullptr);
  if (handler) handler->closed();
}

Task<void> StreamSession::serve() {
  end_late_ = after(shared_->options.handshake_timeout);
  move_deadline();
  const error_code error = co_await transport_->handshake();
  if (error || broken_) co_return;
  end_late_ = never;
  handler_ = shared_->accept(*this);
  if (!handler_) co_return;
  move_deadline();
  writer_running_ = true;
  asio::co_spawn(loop_->io(), write(self()), asio::detached);
  co_await read();
}

/// False when there is nothing more to read for anybody.
Task<bool> StreamSession::wait_while_paused() {
  while (paused_ && !closing_) co_await resume_.wait();
  co_return !broken_;
}

Task<void> StreamSession::read() {
  while (true) {
    const bool goes_on = co_await wait_while_paused();
    if (!goes_on) co_return;
    const Read read = co_await transport_->read();
    if (read.error) {
      broken_ = broken_ || !closing_;
      co_return;
    }
    shared_->bytes_in.add(read.bytes.size());
    if (!closing_) handler_->received(read.bytes);
  }
}

Task<void> StreamSession::write(std::shared_ptr<StreamSession> session) {
  try {
    bool goes_on = true;
    while (goes_on) {
      goes_on = co_await session->write_pending();
      if (goes_on) co_await session->wake_.wait();
    }
    if (!session->broken_) {
      // All is said: end our side, and let the peer read it.
      session->finished_ = true;
      session->end_late_ = after(session->shared_->options.linger_timeout);
      session->move_deadline();
      co_await session->transport_->finish();
    }
  } catch (const std::exception& exception) {
    diagnostics::error("net", "the connection of {} is dropped: {}", session->remote_, exception.what());
    session->broken_ = true;
  }
  if (session->broken_) session->transport_->cancel();
  session->writer_running_ = false;
  session->writer_ended_.notify();
}

/// Writes until nothing is left; false when the writer's work is over.
Task<bool> StreamSession::write_pending() {
  const auto progress = [this](std::size_t written) {
    shared_->bytes_out.add(written);
    queued_bytes_ -= std::min(queued_bytes_, written);
    write_stuck_ = after(shared_->options.write_timeout);
  };
  bool wrote = false;
  while (!queue_.empty() && !broken_ && !reader_ended_) {
    writing_.swap(queue_);
    for (std::size_t next = 0; next < writing_.size() && !broken_;) {
      std::vector<asio::const_buffer> buffers;
      while (next < writing_.size() && buffers.size() < buffers_max)
        buffers.push_back(asio::buffer(writing_[next].bytes().data(), writing_[next].bytes().size())), ++next;
      progress(0);
      move_deadline();
      const error_code error = co_await transport_->write(buffers, progress);
      if (error) broken_ = true;
    }
    writing_.clear();
    wrote = true;
  }
  write_stuck_ = never;
  move_deadline();
  if (writing_.capacity() > 4) writing_ = {};
  if (queue_.empty() && queue_.capacity() > 4) queue_ = {};
  if (broken_ || reader_ended_) co_return false;
  if (wrote && !closing_) handler_->drained();
  co_return !closing_ || !queue_.empty();
}

}  // namespace iotstream::net
