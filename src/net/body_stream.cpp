#include "net/body_stream.hpp"

#include <exception>

namespace iotstream::net {
namespace {

// A full pool delays a stream; one that stays full for ten seconds ends it.
constexpr auto retry_pause = std::chrono::milliseconds(10);
constexpr int retries_max = 1'000;

BodyStream::Piece produce_from(BodySource& source) {
  BodyStream::Piece piece;
  try {
    const Result<bool> more = source.next(piece.bytes);
    if (!more) {
      piece.error = more.error();
    } else {
      piece.last = !*more;
      piece.pause = source.pause();
    }
  } catch (const std::exception& exception) {
    piece.error = Error{ErrorKind::io, exception.what()};
  }
  return piece;
}

}  // namespace

/// False when no worker could be had.
bool BodyStream::start() {
  {
    const std::lock_guard lock(mutex_);
    if (left_ || state_ != State::idle) return true;
    state_ = State::running;
  }
  if (workers_.submit([stream = shared_from_this()] { stream->produce(); })) return true;
  const std::lock_guard lock(mutex_);
  state_ = State::idle;
  return false;
}

std::optional<BodyStream::Piece> BodyStream::take() {
  const std::lock_guard lock(mutex_);
  if (left_) return Piece{{}, true, Error{ErrorKind::unavailable, "the client has left"}, {}};
  if (state_ != State::ready) return std::nullopt;
  state_ = State::idle;
  return std::exchange(piece_, {});
}

Task<void> BodyStream::rest() {
  const SteadyTime until = std::exchange(rest_until_, {});
  if (until <= std::chrono::steady_clock::now()) co_return;
  Timer timer(loop_->io().get_executor(), until);
  resting_ = &timer;
  error_code cancelled;  // by leave(): take() then tells
  co_await timer.async_wait(asio::redirect_error(use_task, cancelled));
  resting_ = nullptr;
}

Task<BodyStream::Piece> BodyStream::next() {
  co_await rest();
  for (int tries = 0; !start(); ++tries) {
    if (tries == retries_max) {
      Piece failure;
      failure.error = Error{ErrorKind::busy, "All workers are busy; try again later."};
      co_return failure;
    }
    Timer pause(loop_->io().get_executor(), retry_pause);
    co_await pause.async_wait(use_task);
  }
  while (true) {
    std::optional<Piece> piece = take();
    if (piece) {
      const bool more = !piece->last && !piece->error;
      if (more && piece->pause.us > 0) {
        rest_until_ = after(piece->pause);
      } else if (more) {
        start();
      }
      Piece taken = std::move(*piece);
      co_return taken;
    }
    co_await changed_.wait();
  }
}

void BodyStream::produce() {
  std::shared_ptr<BodySource> source;
  {
    const std::lock_guard lock(mutex_);
    source = source_;
  }
  if (!source) return;
  Piece piece = produce_from(*source);
  {
    const std::lock_guard lock(mutex_);
    if (piece.last || piece.error) source_.reset();
    piece_ = std::move(piece);
    state_ = State::ready;
  }
  source.reset();  // where it ended, or the client left meanwhile: here, not on the loop
  loop_->post([stream = shared_from_this()] { stream->changed_.notify(); });
}

void BodyStream::leave() {
  const auto stream = shared_from_this();  // notify() may end the last owner
  std::shared_ptr<BodySource> orphan;
  {
    const std::lock_guard lock(mutex_);
    left_ = true;
    orphan = std::move(source_);
  }
  if (orphan) {
    orphan->note_client_gone();
    workers_.submit([orphan = std::move(orphan)] {});
  }
  if (resting_ != nullptr) resting_->cancel();
  changed_.notify();
}

}  // namespace iotstream::net
