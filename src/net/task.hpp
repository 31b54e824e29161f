// The coroutines of this room: each runs on one io_context that one thread drives, so that it needs no strand and no
// type-erased executor.
//
// Two habits here keep clear of faults of g++ 12.2:
//   A co_await never stands in a condition: its outcome is named first. A coroutine without other local variables where
//   `if (!co_await f())` stands gets a frame whose start is off by eight bytes; resuming it ends in an illegal instruction.
//   Nothing that owns memory is a temporary in the arguments of a co_await: such temporaries may be destroyed twice.
#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <iotstream/base/time.hpp>

namespace iotstream::net {

namespace asio = boost::asio;
using boost::system::error_code;

using Executor = asio::io_context::executor_type;
template <class T>
using Task = asio::awaitable<T, Executor>;
constexpr asio::use_awaitable_t<Executor> use_task{};

using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

/// Deadlines are on the clock that never jumps.
using SteadyTime = std::chrono::steady_clock::time_point;
inline SteadyTime after(Duration duration) { return std::chrono::steady_clock::now() + std::chrono::microseconds(duration.us); }
constexpr SteadyTime never = SteadyTime::max();

/// Wakes the one coroutine that waits for it; a notify() that comes first is remembered, several count as one. All on one
/// loop's thread. notify() runs the waiting coroutine before it returns: nothing of the caller's may depend on state that the
/// coroutine changes.
class Signal {
 public:
  Task<void> wait() {
    if (!notified_) {
      co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(
          [this](auto handler) { waiter_ = std::make_unique<Holder<decltype(handler)>>(std::move(handler)); }, use_task);
    }
    notified_ = false;
  }

  void notify() {
    notified_ = true;
    if (const auto waiter = std::exchange(waiter_, nullptr)) waiter->wake();
  }

 private:
  struct Waiter {
    virtual ~Waiter() = default;
    virtual void wake() = 0;
  };
  // In place of asio's any_completion_handler, whose assignment recurses without end in Boost 1.81.
  template <class Handler>
  struct Holder final : Waiter {
    explicit Holder(Handler given) : handler(std::move(given)) {}
    void wake() override { std::move(handler)(); }
    Handler handler;
  };

  std::unique_ptr<Waiter> waiter_;
  bool notified_ = false;
};

}  // namespace iotstream::net
