#include <charconv>

#include <fmt/format.h>

#include "bench/support/child_process.hpp"
#include "bench/support/peers.hpp"
#include "bench/support/socket.hpp"

namespace iotstream::bench {

namespace {

const std::string hello = "CONNECT {\"verbose\":false,\"headers\":true}\r\n";

/// Its messages are `PUB subject reply size` from us and `MSG subject subscription [reply] size` from it, each with its bytes
/// in the next line. JetStream listens to subjects that begin with `$JS`.
class Nats final : public Peer {
 public:
  Nats(std::unique_ptr<ChildProcess> process, std::unique_ptr<Socket> publisher, std::unique_ptr<Socket> consumer)
      : process_(std::move(process)), publisher_(std::move(publisher)), consumer_(std::move(consumer)) {}
  const char* name() const override { return "nats-server JetStream, file storage"; }

  Status begin() override {
    if (round_ == 0) {
      // Each hears the answers to its own requests only.
      if (auto status = publisher_->send(hello + "SUB answer.publisher 1\r\n"); !status) return status;
      if (auto status = consumer_->send(hello + "SUB answer.consumer 1\r\n"); !status) return status;
    } else if (auto status = ask(*publisher_, fmt::format("STREAM.DELETE.S{}", round_), ""); !status) {
      return status;
    }
    ++round_;
    return ask(*publisher_, fmt::format("STREAM.CREATE.S{}", round_),
               fmt::format(R"({{"name":"S{0}","subjects":["s{0}"],"storage":"file","retention":"limits"}})", round_));
  }

  Status publish(std::uint64_t count, std::string_view payload, std::uint64_t outstanding) override {
    std::string batch;
    for (std::uint64_t i = 0; i != publish_batch; ++i)
      batch += fmt::format("PUB s{} answer.publisher {}\r\n{}\r\n", round_, payload.size(), payload);
    std::uint64_t sent = 0;
    for (std::uint64_t acknowledged = 0; acknowledged != count; ++acknowledged) {
      for (; sent != count && sent + publish_batch - acknowledged <= outstanding; sent += publish_batch)
        if (auto status = publisher_->send(batch); !status) return status;
      if (auto status = answer(*publisher_); !status) return status;
    }
    return {};
  }

  Status consume(std::uint64_t count) override {
    if (auto status = consumer_->send(fmt::format("SUB to{} 2\r\n", round_)); !status) return status;
    // The answer may come behind the first messages: all are counted.
    const std::string config = fmt::format(
        R"({{"stream_name":"S{0}","config":{{"deliver_subject":"to{0}","deliver_policy":"all","ack_policy":"none"}}}})",
        round_);
    const std::string subject = fmt::format("CONSUMER.CREATE.S{}", round_);
    if (auto status = consumer_->send(request(subject, "answer.consumer", config)); !status) return status;
    for (std::uint64_t consumed = 0, answered = 0; consumed + answered != count + 1;) {
      auto got = message(*consumer_);
      if (!got) return got.error();
      if (got->subject != "answer.consumer") {
        ++consumed;
      } else if (++answered; got->bytes.find("\"error\"") != std::string_view::npos) {
        return Error{ErrorKind::unavailable, fmt::format("nats-server: {}", got->bytes)};
      }
    }
    return consumer_->send("UNSUB 2\r\n");
  }

 private:
  struct Message {
    std::string subject;
    std::string_view bytes;
  };

  static std::string request(std::string_view subject, std::string_view reply, std::string_view body) {
    return fmt::format("PUB $JS.API.{} {} {}\r\n{}\r\n", subject, reply, body.size(), body);
  }

  /// The next message; what else the server says is dealt with.
  static Result<Message> message(Socket& socket) {
    for (;;) {
      auto said = socket.line();
      if (!said) return said.error();
      if (*said == "PING") {
        if (auto status = socket.send("PONG\r\n"); !status) return status.error();
      } else if (said->starts_with("-ERR")) {
        return Error{ErrorKind::unavailable, fmt::format("nats-server: {}", *said)};
      } else if (said->starts_with("MSG ")) {
        Message got;
        got.subject = said->substr(4, said->find(' ', 4) - 4);
        const std::string_view digits = said->substr(said->rfind(' ') + 1);
        std::size_t size = 0;
        std::from_chars(digits.data(), digits.data() + digits.size(), size);
        auto bytes = socket.block(size);
        if (!bytes) return bytes.error();
        got.bytes = *bytes;
        return got;
      }
    }
  }

  static Status answer(Socket& socket) {
    auto got = message(socket);
    if (!got) return got.error();
    if (got->bytes.find("\"error\"") == std::string_view::npos) return {};
    return Error{ErrorKind::unavailable, fmt::format("nats-server: {}", got->bytes)};
  }

  static Status ask(Socket& socket, std::string_view subject, std::string_view body) {
    if (auto status = socket.send(request(subject, "answer.publisher", body)); !status) return status;
    return answer(socket);
  }

  std::unique_ptr<ChildProcess> process_;
  std::unique_ptr<Socket> publisher_;
  std::unique_ptr<Socket> consumer_;
  std::uint64_t round_ = 0;
};

}  // namespace

Result<std::unique_ptr<Peer>> start_nats(const std::string& folder) {
  const std::string program = find_program("nats-server");
  if (program.empty()) return std::unique_ptr<Peer>();
  const std::uint16_t port = free_port();
  auto process =
      ChildProcess::execute(program, {"nats-server", "-a", "127.0.0.1", "-p", std::to_string(port), "-js", "-sd", folder}, -1);
  if (!process) return process.error();
  auto publisher = Socket::connect(port);
  if (!publisher) return publisher.error();
  auto consumer = Socket::connect(port);
  if (!consumer) return consumer.error();
  return std::unique_ptr<Peer>(std::make_unique<Nats>(std::move(*process), std::move(*publisher), std::move(*consumer)));
}

}  // namespace iotstream::bench
