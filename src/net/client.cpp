#include <array>

#include <fmt/format.h>

#include <iotstream/net/client.hpp>

#include "net/blocking_stream.hpp"
#include "net/response_parser.hpp"
#include "net/url.hpp"

namespace iotstream::net {
namespace {

class ClientImpl final : public Client {
 public:
  ClientImpl(Url url, Duration timeout) : url_(std::move(url)), timeout_(timeout) {}

  Result<ClientResponse> request(Method method, const std::string& path, std::string body, Headers headers) override {
    const auto bytes = request_bytes(url_, method, path, headers, body);
    if (!bytes) return bytes.error();
    return exchange(*bytes, method == Method::head, nullptr);
  }

  Result<ClientResponse> stream(Method method, const std::string& path, const std::function<bool(std::string_view)>& piece,
                                Headers headers) override {
    const auto bytes = request_bytes(url_, method, path, headers, {});
    if (!bytes) return bytes.error();
    return exchange(*bytes, method == Method::head, piece);
  }

 private:
  using Deadline = BlockingStream::Deadline;
  Deadline deadline() const { return std::chrono::steady_clock::now() + std::chrono::microseconds(timeout_.us); }

  Result<ClientResponse> exchange(const std::string& bytes, bool head, const std::function<bool(std::string_view)>& piece) {
    if (stream_ && stream_->stale()) stream_.reset();
    const bool reused = stream_ != nullptr;
    started_ = false;
    Result<ClientResponse> response = attempt(bytes, head, piece);
    if (response) return response;
    stream_.reset();
    // The server may have closed the connection while the request was on its way: once more, over a new one.
    if (reused && !started_) {
      response = attempt(bytes, head, piece);
      if (!response) stream_.reset();
    }
    return response;
  }

  Result<ClientResponse> attempt(const std::string& bytes, bool head, const std::function<bool(std::string_view)>& piece) {
    if (!stream_) {
      auto stream = BlockingStream::connect(url_, deadline());
      if (!stream) return stream.error();
      stream_ = std::move(*stream);
    }
    if (const Status sent = stream_->write(bytes, deadline()); !sent) return sent.error();
    std::string input;
    while (true) {
      ResponseParser parser(head, piece);
      if (const Status received = receive(parser, input); !received) return received.error();
      if (parser.interim()) continue;
      if (!parser.done() || !parser.keep_alive() || !input.empty()) stream_.reset();
      return std::move(parser.response());
    }
  }

  /// Reads until the answer is whole, or the taker of its pieces wants no more. Each read may take the whole timeout: a long
  /// answer may come slowly.
  Status receive(ResponseParser& parser, std::string& input) {
    std::array<char, 16u << 10> buffer;
    while (true) {
      input.erase(0, parser.feed(input));
      if (parser.done() || parser.stopped()) return {};
      if (parser.failed()) return Error{ErrorKind::unavailable, "what came from the server is no HTTP answer"};
      const auto count = stream_->read(buffer.data(), buffer.size(), deadline());
      if (!count) return count.error();
      if (*count == 0) {
        if (parser.finish()) return {};
        return Error{ErrorKind::unavailable, "the server ended the connection in the middle of its answer"};
      }
      started_ = true;
      input.append(buffer.data(), *count);
    }
  }

  Url url_;
  Duration timeout_;
  std::unique_ptr<BlockingStream> stream_;
  bool started_ = false;  ///< a byte of the answer has come
};

}  // namespace

Result<std::unique_ptr<Client>> Client::create(const std::string& url, Duration timeout) {
  auto parsed = Url::parse(url);
  if (!parsed) return parsed.error();
  return std::unique_ptr<Client>(std::make_unique<ClientImpl>(std::move(*parsed), timeout));
}

}  // namespace iotstream::net
