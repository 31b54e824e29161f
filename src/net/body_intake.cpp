#include "net/body_intake.hpp"

#include <exception>

#include <iotstream/base/diagnostics.hpp>

namespace iotstream::net {
namespace {

// A full pool delays a body; one that stays full for ten seconds refuses it.
constexpr auto retry_pause = std::chrono::milliseconds(10);
constexpr int retries_max = 1'000;

using Timer = asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

}  // namespace

/// Waits for the call that is running.
Task<BodyIntake::Outcome> BodyIntake::settled() {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (left_) co_return Outcome::gone;
      if (!running_) co_return enough_ ? Outcome::enough : Outcome::taken;
    }
    co_await changed_.wait();
  }
}

bool BodyIntake::submit(const Call& call) {
  {
    const std::lock_guard lock(mutex_);
    running_ = true;
  }
  if (workers_.submit([intake = shared_from_this(), call] { intake->run(call); })) return true;
  const std::lock_guard lock(mutex_);
  running_ = false;
  return false;
}

Task<BodyIntake::Outcome> BodyIntake::start(const Call& call) {
  for (int tries = 0; tries < retries_max; ++tries) {
    if (submit(call)) co_return Outcome::taken;
    Timer pause(loop_->io().get_executor(), retry_pause);
    co_await pause.async_wait(use_task);
    const Outcome outcome = co_await settled();
    if (outcome != Outcome::taken) co_return outcome;
  }
  co_return Outcome::too_busy;
}

Task<BodyIntake::Outcome> BodyIntake::give(std::string& piece) {
  Outcome outcome = co_await settled();
  if (outcome != Outcome::taken) co_return outcome;
  const auto bytes = std::make_shared<const std::string>(std::exchange(piece, {}));
  const Call call = [bytes](BodySink& sink) { return sink.take(*bytes); };
  outcome = co_await start(call);
  lost_ = outcome == Outcome::too_busy;
  co_return outcome;
}

Task<BodyIntake::Outcome> BodyIntake::finish(const Respond& respond) {
  Outcome outcome = co_await settled();
  if (outcome == Outcome::gone) co_return outcome;
  if (lost_) co_return Outcome::too_busy;
  const Call call = [respond](BodySink& sink) {
    sink.finish(respond);
    return false;
  };
  bool failed = false;
  {
    const std::lock_guard lock(mutex_);
    enough_ = false;
    failed = failed_;
  }
  if (failed) {
    respond(Response::from(Error{ErrorKind::io, "the server failed while it took the body; a part of it may have been taken"}));
    co_return Outcome::taken;
  }
  outcome = co_await start(call);
  co_return outcome;
}

void BodyIntake::run(const Call& call) {
  std::shared_ptr<BodySink> sink;
  {
    const std::lock_guard lock(mutex_);
    sink = sink_;
  }
  bool more = false;
  bool failed = false;
  try {
    more = sink && call(*sink);
  } catch (const std::exception& exception) {
    failed = true;
    diagnostics::error("net", "a route failed while it took a body: {}", exception.what());
  }
  sink.reset();  // where the client left meanwhile: here, not on the loop
  {
    const std::lock_guard lock(mutex_);
    running_ = false;
    enough_ = !more;
    failed_ = failed;
  }
  loop_->post([intake = shared_from_this()] { intake->changed_.notify(); });
}

void BodyIntake::leave() {
  const auto intake = shared_from_this();  // notify() may end the last owner
  std::shared_ptr<BodySink> orphan;
  {
    const std::lock_guard lock(mutex_);
    left_ = true;
    orphan = std::move(sink_);
  }
  // Its end may take a lock or free much: on a worker where one can be had.
  if (orphan) static_cast<void>(workers_.submit([orphan]() mutable { orphan.reset(); }));
  orphan.reset();
  changed_.notify();
}

}  // namespace iotstream::net
