// The ways in over HTTP.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <iotstream/ingest/batch.hpp>
#include <iotstream/ingest/bodies.hpp>

#include "ingest/answers.hpp"
#include "ingest/batch_sink.hpp"
#include "ingest/post_facts.hpp"

namespace iotstream::ingest {
namespace {

constexpr std::size_t body_on_socket_thread_max = 64u << 10;

BodyWay way_of(bool envelope) {
  return {[envelope](const net::Request& request, Submission& submission) { return read_head(request, envelope, submission); },
          [envelope](const Result<Outcome>& result) { return answer_to(result, envelope); }};
}

constexpr std::string_view envelope_path = "/search/results";
constexpr std::string_view events_path = "/api/v1/datasets/{dataset}/events";

/// What a route needs for every request; lives as long as the router.
struct Way {
  BodyWay way;
  Gate& gate;
  os::WorkerPool& workers;
  std::uint64_t size_max;
};

/// One request on its way. Shared by the thread that reads it and whoever answers.
class Post : public std::enable_shared_from_this<Post> {
 public:
  Post(std::shared_ptr<const Way> way, net::Request request, net::Respond respond)
      : way_(std::move(way)), request_(std::move(request)), respond_(std::move(respond)) {}

  // Small plain bodies are read where they are; the rest on a worker, so that one large body does not hold up a thousand
  // devices.
  void start() {
    submission_.source = request_.remote;
    read_ = way_->way.read(request_, submission_);
    const Result<Coding> coding = coding_of(request_);
    if (coding) coding_ = *coding;
    known_coding_ = coding.ok();
    if (read_ && !coding) read_ = coding.error();
    const bool plain = !read_ || coding_ == Coding::identity;
    if (plain && request_.body.size() <= body_on_socket_thread_max) return run();
    const auto self = shared_from_this();
    if (!way_->workers.submit([self] { self->run(); }))
      respond_(way_->way.answer(Error{ErrorKind::busy, "too many large bodies are waiting: try again"}));
  }

 private:
  void run() {
    if (!read_) return reject(read_.error());
    if (coding_ != Coding::identity) {
      Result<std::string> plain = decompress(coding_, request_.body, way_->size_max);
      if (!plain) return plain.error().kind == ErrorKind::too_large ? stream(plain.error()) : reject(plain.error());
      request_.body = std::move(*plain);
    }
    submission_.body = request_.body;
    way_->gate.submit(submission_, [self = shared_from_this()](const Result<Outcome>& result) {
      self->respond_(self->way_->way.answer(result));
    });
  }

  void reject(const Error& error) {
    Submission submission;
    submission.dataset = submission_.dataset;
    submission.source = submission_.source;
    submission.kind = submission_.kind;
    submission.body = request_.body;
    way_->gate.reject(submission, error.message);
    net::Response response = way_->way.answer(error);
    if (!known_coding_) response.headers.emplace_back("Accept-Encoding", "gzip, zstd");
    respond_(std::move(response));
  }

  // Short as it was sent, but longer than may be held at once: lines pass all the same.
  void stream(const Error& too_large) {
    const auto sink = BatchSink::open(way_->gate, submission_, coding_, request_.body, way_->size_max, way_->way.answer);
    if (!sink) return reject(too_large);
    sink->take(request_.body);
    sink->finish(respond_);
  }

  std::shared_ptr<const Way> way_;
  net::Request request_;
  net::Respond respond_;
  Submission submission_;
  Status read_;
  Coding coding_ = Coding::identity;
  bool known_coding_ = true;
};

std::unique_ptr<net::BodySink> open_sink(const BodyWay& way, Gate& gate, std::uint64_t size_max, const net::Request& request,
                                         std::string_view head) {
  Submission submission;
  submission.source = request.remote;
  const Status read = way.read(request, submission);
  const Result<Coding> coding = coding_of(request);
  if (!read || !coding) return nullptr;
  return BatchSink::open(gate, submission, *coding, head, size_max, way.answer);
}

/// Read on the socket thread, a body is in the log, in its order, before its answer comes. Bodies that are known again by a key
/// or a number wait for the one before: it may be the same.
bool overlaps(const net::Request& request) {
  const auto has = [&](std::string_view name) { return request.header(name).has_value(); };
  return request.body.size() <= body_on_socket_thread_max && !has("content-encoding") && !has("idempotency-key") &&
         !has("producer-id");
}

void add_route(net::Router& router, std::string_view path, const std::shared_ptr<const Way>& way) {
  router.add(
      net::Method::post, std::string(path),
      [way](net::Request request, net::Respond respond) {
        std::make_shared<Post>(way, std::move(request), std::move(respond))->start();
      },
      overlaps);
}

void add_sink(net::BodySinks& sinks, std::string_view path, BodyWay way, Gate& gate, std::uint64_t size_max) {
  sinks.add(std::string(path), [way = std::move(way), &gate, size_max](const net::Request& request, std::string_view head) {
    return open_sink(way, gate, size_max, request, head);
  });
}

}  // namespace

void add_body_route(net::Router& router, net::BodySinks& sinks, std::string path, BodyWay way, Gate& gate,
                    os::WorkerPool& workers, std::uint64_t size_max) {
  add_route(router, path, std::make_shared<const Way>(Way{way, gate, workers, size_max}));
  add_sink(sinks, path, std::move(way), gate, size_max);
}

Result<std::string> plain_body(const net::Request& request, std::uint64_t size_max) {
  const Result<Coding> coding = coding_of(request);
  if (!coding) return coding.error();
  return decompress(*coding, request.body, size_max);
}

void add_routes(net::Router& router, Gate& gate, os::WorkerPool& workers, std::uint64_t body_size_max) {
  add_route(router, envelope_path, std::make_shared<const Way>(Way{way_of(true), gate, workers, body_size_max}));
  add_route(router, events_path, std::make_shared<const Way>(Way{way_of(false), gate, workers, body_size_max}));
}

void add_sinks(net::BodySinks& sinks, Gate& gate, std::uint64_t body_size_max) {
  add_sink(sinks, envelope_path, way_of(true), gate, body_size_max);
  add_sink(sinks, events_path, way_of(false), gate, body_size_max);
}

}  // namespace iotstream::ingest
