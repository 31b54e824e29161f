#include <array>
#include <random>

#include <fmt/format.h>

#include <iotstream/base/text.hpp>
#include <iotstream/net/client.hpp>
#include <iotstream/os/process.hpp>

#include "net/admission.hpp"
#include "net/blocking_stream.hpp"
#include "net/response_parser.hpp"
#include "net/text.hpp"
#include "net/websocket_frame.hpp"

namespace iotstream::net {
namespace {

constexpr std::size_t message_size_max = 64u << 20;
constexpr Duration handshake_timeout = Duration::seconds(30);
constexpr Duration close_timeout = Duration::seconds(2);

BlockingStream::Deadline in(Duration duration) {
  return std::chrono::steady_clock::now() + std::chrono::microseconds(duration.us);
}

class WebSocketClientImpl final : public WebSocketClient {
 public:
  explicit WebSocketClientImpl(std::unique_ptr<BlockingStream> stream) : stream_(std::move(stream)) {}
  ~WebSocketClientImpl() override { close(); }

  Status handshake(const Url& url, const std::string& path, Headers headers);
  Status send(std::string_view text) override;
  Result<Message> receive(Duration timeout) override;
  void close() override;
  std::uint16_t close_code() const override { return close_code_; }

 private:
  Mask mask() {
    const auto number = random_();
    return {static_cast<char>(number), static_cast<char>(number >> 8), static_cast<char>(number >> 16),
            static_cast<char>(number >> 24)};
  }
  Status send_control(Opcode opcode, std::string_view payload);
  Result<bool> take(const FrameDecoder::Item& item, Message& message);
  Error closed() const;

  std::unique_ptr<BlockingStream> stream_;  ///< null once closed
  std::mt19937 random_{std::random_device{}()};
  FrameDecoder decoder_{false, message_size_max};
  std::string input_;
  std::string_view pending_;  ///< of input_, not yet decoded
  std::uint16_t close_code_ = 0;
  std::string close_reason_;
};

Status WebSocketClientImpl::handshake(const Url& url, const std::string& path, Headers headers) {
  const std::string key = base64_encode(os::random_bytes(16));
  headers.emplace_back("Connection", "Upgrade");
  headers.emplace_back("Upgrade", "websocket");
  headers.emplace_back("Sec-WebSocket-Version", "13");
  headers.emplace_back("Sec-WebSocket-Key", key);
  const auto request = request_bytes(url, Method::get, path, headers, {});
  if (!request) return request.error();
  const auto deadline = in(handshake_timeout);
  if (const Status sent = stream_->write(*request, deadline); !sent) return sent;
  ResponseParser parser(false);
  std::array<char, 4096> buffer;
  while (!parser.done() && !parser.failed()) {
    const auto count = stream_->read(buffer.data(), buffer.size(), deadline);
    if (!count) return count.error();
    if (*count == 0) break;
    input_.append(buffer.data(), *count);
    input_.erase(0, parser.feed(input_));
  }
  const ClientResponse& response = parser.response();
  if (response.status != 101) {
    return Error{ErrorKind::unavailable,
                 fmt::format("the server refused the WebSocket with status {}: {}", response.status, response.body)};
  }
  if (response.header("sec-websocket-accept") != websocket_accept(key)) {
    return Error{ErrorKind::unavailable, "the server's answer to the upgrade does not fit the request"};
  }
  pending_ = input_;
  return {};
}

Error WebSocketClientImpl::closed() const {
  if (close_code_ == 0) return {ErrorKind::unavailable, "the WebSocket is closed"};
  return {ErrorKind::unavailable, fmt::format("the server closed the WebSocket with code {}: {}", close_code_, close_reason_)};
}

Status WebSocketClientImpl::send(std::string_view text) {
  if (!stream_) return closed();
  std::string frame;
  const Mask key = mask();
  append_frame_header(frame, Opcode::text, text.size(), key);
  const std::size_t at = frame.size();
  frame += text;
  apply_mask(frame.data() + at, text.size(), key, 0);
  return stream_->write(frame, in(handshake_timeout));
}

Status WebSocketClientImpl::send_control(Opcode opcode, std::string_view payload) {
  std::string frame;
  append_control_frame(frame, opcode, payload, mask());
  return stream_->write(frame, in(close_timeout));
}

/// True when `message` is filled.
Result<bool> WebSocketClientImpl::take(const FrameDecoder::Item& item, Message& message) {
  switch (item.kind) {
    case FrameDecoder::Kind::message:
      message = {std::string(item.bytes), item.binary};
      return true;
    case FrameDecoder::Kind::ping: {
      const std::string payload(item.bytes);
      if (const Status sent = send_control(Opcode::pong, payload); !sent) return sent.error();
      return false;
    }
    case FrameDecoder::Kind::close:
    case FrameDecoder::Kind::error:
      close_code_ = item.code;
      close_reason_ = std::string(item.bytes);
      // The answer to a close frame; when it cannot be sent any more, the connection ends all the same.
      static_cast<void>(send_control(Opcode::close, close_payload(item.code, {})));
      stream_.reset();
      return closed();
    default:
      return false;
  }
}

Result<WebSocketClient::Message> WebSocketClientImpl::receive(Duration timeout) {
  const auto deadline = in(timeout);
  while (stream_) {
    Message message;
    while (!pending_.empty()) {
      const FrameDecoder::Item item = decoder_.next(pending_);
      const auto taken = take(item, message);
      if (!taken) return taken.error();
      if (*taken) return message;
    }
    input_.resize(64u << 10);
    const auto count = stream_->read(input_.data(), input_.size(), deadline);
    if (!count) return count.error();
    if (*count == 0) {
      stream_.reset();
      break;
    }
    pending_ = std::string_view(input_).substr(0, *count);
  }
  return closed();
}

void WebSocketClientImpl::close() {
  if (!stream_) return;
  const bool sent = send_control(Opcode::close, close_payload(close_code::normal, {})).ok();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::microseconds(close_timeout.us);
  while (sent && stream_ && std::chrono::steady_clock::now() < deadline) {
    if (!receive(close_timeout)) break;
  }
  stream_.reset();
}

}  // namespace

Result<std::unique_ptr<WebSocketClient>> WebSocketClient::connect(const std::string& url, const std::string& path,
                                                                  Headers headers) {
  const auto parsed = Url::parse(url);
  if (!parsed) return parsed.error();
  auto stream = BlockingStream::connect(*parsed, in(handshake_timeout));
  if (!stream) return stream.error();
  auto client = std::make_unique<WebSocketClientImpl>(std::move(*stream));
  if (const Status done = client->handshake(*parsed, path, std::move(headers)); !done) return done.error();
  return std::unique_ptr<WebSocketClient>(std::move(client));
}

}  // namespace iotstream::net
