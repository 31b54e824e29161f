// What every kind of listener needs: an open acceptor, room for descriptors, a count of the connections.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <boost/asio/basic_socket_acceptor.hpp>

#include <iotstream/config/config.hpp>

#include "net/loop.hpp"

namespace iotstream::net {

/// Counts open connections, and waits for the last one. Any thread.
class OpenConnections {
 public:
  std::size_t add() {
    const std::lock_guard lock(mutex_);
    return ++count_;
  }
  void remove() {
    const std::lock_guard lock(mutex_);
    if (--count_ == 0) none_.notify_all();
  }
  bool wait_for_none(Duration patience) {
    std::unique_lock lock(mutex_);
    return none_.wait_for(lock, std::chrono::microseconds(patience.us), [&] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  std::size_t count_ = 0;
};

/// Makes room for `wanted` connections among the process's descriptors; returns how many there is room for.
std::size_t make_descriptor_room(std::size_t wanted);

/// Binds and listens on the loop. `key` is the configuration's, for the message. Errors: io.
Result<std::unique_ptr<Acceptor>> open_acceptor(Loop& loop, const config::Endpoint& endpoint, std::string_view key);

/// True when accepting failed for want of something that ending connections give back.
bool out_of_descriptors(const error_code& error);

/// No delay, keep-alive, and an end for peers that vanished without a word.
void set_socket_options(Socket& socket);

std::string text_of(const asio::ip::tcp::endpoint& endpoint);

}  // namespace iotstream::net
