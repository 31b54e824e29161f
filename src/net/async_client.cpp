#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>
#include <iotstream/net/client.hpp>

#include "net/loop.hpp"
#include "net/response_parser.hpp"
#include "net/transport.hpp"
#include "net/url.hpp"

namespace iotstream::net {
namespace {

constexpr Duration timeout = Duration::seconds(30);  // from taking a request up to its answer
constexpr Duration tick = Duration::milliseconds(500);

using Done = std::function<void(Result<ClientResponse>)>;

struct Job {
  std::string bytes;
  Done done;
};

/// What the connections of one client share.
struct Shared {
  asio::ip::tcp::endpoint server;
  std::string authority;
  std::size_t in_flight_max = 0;
  std::atomic<std::size_t> in_flight{0};  ///< relaxed: a bound
};

Error unavailable(std::string message) { return {ErrorKind::unavailable, std::move(message)}; }

/// One connection: takes its jobs in order, one at a time. Everything on the loop's thread.
class LaneConnection final : public Watched {
 public:
  LaneConnection(std::shared_ptr<Loop> loop, std::shared_ptr<Shared> shared)
      : loop_(std::move(loop)), shared_(std::move(shared)) {}

  void add(Job job) {
    if (stopping_) return finish(job, unavailable("the client is stopping"));
    jobs_.push_back(std::move(job));
    wake_.notify();
  }

  Task<void> run();

  void expired() override {
    late_ = true;
    if (transport_) transport_->close(true);
  }
  void stop(bool) override {
    stopping_ = true;
    if (transport_) transport_->close(false);
    wake_.notify();
  }

 private:
  void finish(Job& job, Result<ClientResponse> response) {
    shared_->in_flight.fetch_sub(1, std::memory_order_relaxed);
    job.done(std::move(response));
  }
  Task<Result<ClientResponse>> exchange(const Job& job);
  Task<Status> attempt(const Job& job, ResponseParser& parser);
  Task<Status> connect();
  Error lost(const error_code& error) const;

  std::shared_ptr<Loop> loop_;
  std::shared_ptr<Shared> shared_;
  std::unique_ptr<Transport> transport_;
  std::deque<Job> jobs_;
  Signal wake_;
  bool stopping_ = false;
  bool late_ = false;
};

Task<void> LaneConnection::run() {
  loop_->watch(shared_from_this());
  while (!stopping_) {
    if (jobs_.empty()) {
      deadline = never;
      co_await wake_.wait();
      continue;
    }
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    deadline = after(timeout);
    late_ = false;
    Result<ClientResponse> response = co_await exchange(job);
    finish(job, std::move(response));
  }
  for (Job& job : std::exchange(jobs_, {})) finish(job, unavailable("the client is stopping"));
  transport_.reset();
  loop_->forget(*this);
}

Task<Result<ClientResponse>> LaneConnection::exchange(const Job& job) {
  const bool reused = transport_ != nullptr;
  ResponseParser parser(false);
  Status outcome = co_await attempt(job, parser);
  if (!outcome) transport_.reset();
  if (!outcome && reused && !parser.started() && !stopping_ && !late_) {
    // The server closed the connection while it was idle, or as the request came: once more, over a new one.
    ResponseParser second(false);
    outcome = co_await attempt(job, second);
    if (outcome) {
      Result<ClientResponse> response(std::move(second.response()));
      co_return response;
    }
    transport_.reset();
  }
  Result<ClientResponse> response(ClientResponse{});
  if (outcome) {
    response = std::move(parser.response());
  } else {
    response = outcome.error();
  }
  co_return response;
}

Error LaneConnection::lost(const error_code& error) const {
  if (late_) return unavailable(fmt::format("{} did not answer in time", shared_->authority));
  if (stopping_) return unavailable("the client is stopping");
  return unavailable(fmt::format("the connection to {} is lost: {}", shared_->authority, error.message()));
}

Task<Status> LaneConnection::attempt(const Job& job, ResponseParser& parser) {
  if (!transport_) {
    const Status connected = co_await connect();
    if (!connected) co_return connected;
  }
  asio::const_buffer buffer = asio::buffer(job.bytes);
  const std::span<asio::const_buffer> buffers(&buffer, 1);
  const auto progress = [](std::size_t) {};
  const error_code written = co_await transport_->write(buffers, progress);
  if (written) co_return lost(written);
  std::string input;
  while (!parser.done()) {
    const Read read = co_await transport_->read();
    if (read.error == asio::error::eof && parser.finish()) break;
    if (read.error) co_return lost(read.error);
    if (!input.empty()) {
      input.append(read.bytes);
      input.erase(0, parser.feed(input));
    } else {
      input.append(read.bytes.substr(parser.feed(read.bytes)));
    }
    if (parser.failed()) co_return unavailable(fmt::format("what came from {} is no HTTP answer", shared_->authority));
  }
  if (!parser.keep_alive() || !input.empty()) transport_.reset();
  co_return Status();
}

Task<Status> LaneConnection::connect() {
  error_code error;
  transport_ = plain_transport(*loop_, Socket(loop_->io().get_executor()));
  co_await transport_->socket().async_connect(shared_->server, asio::redirect_error(use_task, error));
  if (error) {
    transport_.reset();
    co_return lost(error);
  }
  transport_->socket().set_option(asio::ip::tcp::no_delay(true), error);
  transport_->socket().non_blocking(true, error);
  co_return Status();
}

class AsyncClientImpl final : public AsyncClient {
 public:
  AsyncClientImpl(Url url, Headers headers, std::shared_ptr<Shared> shared, unsigned connections)
      : url_(std::move(url)),
        headers_(std::move(headers)),
        shared_(std::move(shared)),
        loop_(std::make_shared<Loop>("net-client", tick)) {
    for (unsigned i = 0; i < connections; ++i) {
      connections_.push_back(std::make_shared<LaneConnection>(loop_, shared_));
      asio::co_spawn(loop_->io(), run(connections_.back()), asio::detached);
    }
    loop_->start();
  }
  ~AsyncClientImpl() override { stop(); }

  Status post(std::uint64_t lane, std::string path, std::string content_type, std::string body, Done done) override {
    Headers headers = headers_;
    headers.emplace_back("Content-Type", std::move(content_type));
    auto bytes = request_bytes(url_, Method::post, path, headers, body);
    if (!bytes) return bytes.error();
    const std::lock_guard lock(mutex_);  // against stop(): what is taken here is answered there at the latest
    if (stopped_) return unavailable("the client is stopped");
    if (shared_->in_flight.fetch_add(1, std::memory_order_relaxed) >= shared_->in_flight_max) {
      shared_->in_flight.fetch_sub(1, std::memory_order_relaxed);
      return unavailable(fmt::format("{} requests are under way already", shared_->in_flight_max));
    }
    loop_->post([connection = connections_[lane % connections_.size()],
                 job = Job{std::move(*bytes), std::move(done)}]() mutable { connection->add(std::move(job)); });
    return {};
  }

  void stop() override {
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(stopped_, true)) return;
    }
    loop_->post([loop = loop_] { loop->stop_all(true); });
    loop_->join();
  }

 private:
  static Task<void> run(std::shared_ptr<LaneConnection> connection) { co_await connection->run(); }

  Url url_;
  Headers headers_;
  std::shared_ptr<Shared> shared_;
  std::shared_ptr<Loop> loop_;
  std::vector<std::shared_ptr<LaneConnection>> connections_;
  std::mutex mutex_;
  bool stopped_ = false;
};

}  // namespace

Result<std::unique_ptr<AsyncClient>> AsyncClient::create(const std::string& url, unsigned connections,
                                                         std::size_t in_flight_max, Headers headers) {
  auto parsed = Url::parse(url);
  if (!parsed) return parsed.error();
  if (parsed->tls)
    return Error{ErrorKind::unsupported,
                 fmt::format("{}: only http is spoken here; give the server a plain listener on 127.0.0.1", url)};
  asio::io_context context;
  asio::ip::tcp::resolver resolver(context);
  error_code error;
  const auto found = resolver.resolve(parsed->host, std::to_string(parsed->port), error);
  if (error || found.empty()) return unavailable(fmt::format("{} cannot be found: {}", parsed->host, error.message()));
  auto shared = std::make_shared<Shared>();
  shared->server = *found.begin();
  shared->authority = parsed->authority();
  shared->in_flight_max = in_flight_max;
  return std::unique_ptr<AsyncClient>(
      std::make_unique<AsyncClientImpl>(std::move(*parsed), std::move(headers), std::move(shared), std::max(1u, connections)));
}

}  // namespace iotstream::net
