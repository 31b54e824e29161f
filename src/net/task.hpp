// The coroutines of this room: each runs on one io_context that one thread drives, so that it needs no strand and no
// type-erased executor.
#pragma once

#include <chrono>
#include <utility>

#include <boost/asio/any_completion_handler.hpp>
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
          [this](auto handler) { waiter_ = std::move(handler); }, use_task);
    }
    notified_ = false;
  }

  void notify() {
    notified_ = true;
    if (waiter_) std::exchange(waiter_, nullptr)();
  }

 private:
  asio::any_completion_handler<void()> waiter_;
  bool notified_ = false;
};

}  // namespace iotstream::net
