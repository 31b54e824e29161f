#include <charconv>
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "bench/support/child_process.hpp"
#include "bench/support/peers.hpp"
#include "bench/support/socket.hpp"

namespace iotstream::bench {

namespace {

/// Its requests and answers are arrays of strings: `*2`, `$4`, `XLEN`, `$1`, `s`.
class Redis final : public Peer {
 public:
  Redis(std::unique_ptr<ChildProcess> process, std::unique_ptr<Socket> publisher, std::unique_ptr<Socket> consumer)
      : process_(std::move(process)), publisher_(std::move(publisher)), consumer_(std::move(consumer)) {}
  const char* name() const override { return "redis-server Streams, synced each second"; }

  Status begin() override {
    if (auto status = publisher_->send("DEL s\r\n"); !status) return status;
    auto said = publisher_->line();
    return said ? Status() : said.error();
  }

  Status publish(std::uint64_t count, std::string_view payload, std::uint64_t outstanding) override {
    std::string batch;
    for (std::uint64_t i = 0; i != publish_batch; ++i)
      batch += fmt::format("*5\r\n$4\r\nXADD\r\n$1\r\ns\r\n$1\r\n*\r\n$1\r\nd\r\n${}\r\n{}\r\n", payload.size(), payload);
    std::uint64_t sent = 0;
    for (std::uint64_t acknowledged = 0; acknowledged != count; ++acknowledged) {
      for (; sent != count && sent + publish_batch - acknowledged <= outstanding; sent += publish_batch)
        if (auto status = publisher_->send(batch); !status) return status;
      if (auto id = text(*publisher_); !id) return id.error();
    }
    return {};
  }

  Status consume(std::uint64_t count) override {
    std::string last = "0-0";
    for (std::uint64_t consumed = 0; consumed != count;) {
      if (auto status = consumer_->send(fmt::format("XREAD COUNT 1000 BLOCK 10000 STREAMS s {}\r\n", last)); !status)
        return status;
      // One stream: its name, and its entries.
      auto streams = number(*consumer_, '*');
      if (!streams) return streams.error();
      if (auto two = number(*consumer_, '*'); !two) return two.error();
      if (auto stream = text(*consumer_); !stream) return stream.error();
      auto entries = number(*consumer_, '*');
      if (!entries) return entries.error();
      for (std::size_t i = 0; i != *entries; ++i)
        if (auto status = take_entry(last); !status) return status;
      consumed += *entries;
    }
    return {};
  }

  /// It syncs what was appended up to a second later, on a thread of its own, and a child of it writes the file anew each time
  /// that it has doubled.
  Status settle() override {
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    for (int tries = 0; tries != 300; ++tries) {
      if (auto status = publisher_->send("INFO persistence\r\n"); !status) return status;
      auto said = text(*publisher_);
      if (!said) return said.error();
      const auto says = [&said](std::string_view state) { return said->find(state) != std::string_view::npos; };
      if (says("aof_rewrite_in_progress:0") && says("aof_rewrite_scheduled:0") && says("aof_pending_bio_fsync:0")) return {};
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return Error{ErrorKind::unavailable, "redis-server is still at work on its file after 30 s"};
  }

 private:
  /// The number of a line that begins with `kind`.
  static Result<std::size_t> number(Socket& socket, char kind) {
    auto said = socket.line();
    if (!said) return said.error();
    std::size_t value = 0;
    if (said->empty() || said->front() != kind ||
        std::from_chars(said->data() + 1, said->data() + said->size(), value).ptr != said->data() + said->size())
      return Error{ErrorKind::unavailable, fmt::format("redis-server said '{}'", *said)};
    return value;
  }
  static Result<std::string_view> text(Socket& socket) {
    auto size = number(socket, '$');
    if (!size) return size.error();
    return socket.block(*size);
  }
  /// `*2`, the id, `*2`, the field's name, its value.
  Status take_entry(std::string& id) {
    if (auto two = number(*consumer_, '*'); !two) return two.error();
    auto entry = text(*consumer_);
    if (!entry) return entry.error();
    id = *entry;
    if (auto two = number(*consumer_, '*'); !two) return two.error();
    for (int member = 0; member != 2; ++member)
      if (auto value = text(*consumer_); !value) return value.error();
    return {};
  }

  std::unique_ptr<ChildProcess> process_;
  std::unique_ptr<Socket> publisher_;
  std::unique_ptr<Socket> consumer_;
};

}  // namespace

Result<std::unique_ptr<Peer>> start_redis(const std::string& folder) {
  const std::string program = find_program("redis-server");
  if (program.empty()) return std::unique_ptr<Peer>();
  const std::uint16_t port = free_port();
  auto process = ChildProcess::execute(program,
                                       {"redis-server", "--bind", "127.0.0.1", "--port", std::to_string(port), "--dir", folder,
                                        "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""},
                                       -1);
  if (!process) return process.error();
  auto publisher = Socket::connect(port);
  if (!publisher) return publisher.error();
  auto consumer = Socket::connect(port);
  if (!consumer) return consumer.error();
  return std::unique_ptr<Peer>(std::make_unique<Redis>(std::move(*process), std::move(*publisher), std::move(*consumer)));
}

}  // namespace iotstream::bench
