// The ways in over HTTP.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <iotstream/ingest/bodies.hpp>

#include "ingest/answers.hpp"
#include "ingest/batch_sink.hpp"
#include "ingest/post_facts.hpp"

namespace iotstream::ingest {
namespace {

constexpr std::size_t body_on_socket_thread_max = 64u << 10;

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

std::unique_ptr<net::BodySink> open_sink(const Way& way, const net::Request& request, std::string_view head) {
  Submission submission;
  submission.source = request.remote;
  const Status read = way.way.read(request, submission);
  const Result<Coding> coding = coding_of(request);
  if (!read || !coding) return nullptr;
  return BatchSink::open(way.gate, submission, *coding, head, way.size_max, way.way.answer);
}

}  // namespace

void add_body_route(net::Router& router, std::string path, BodyWay body_way, Gate& gate, os::WorkerPool& workers,
                    std::uint64_t size_max) {
  const auto way = std::make_shared<const Way>(Way{std::move(body_way), gate, workers, size_max});
  router.add(
      net::Method::post, std::move(path),
      [way](net::Request request, net::Respond respond) {
        std::make_shared<Post>(way, std::move(request), std::move(respond))->start();
      },
      [way](const net::Request& request, std::string_view head) { return open_sink(*way, request, head); });
}

Result<std::string> plain_body(const net::Request& request, std::uint64_t size_max) {
  const Result<Coding> coding = coding_of(request);
  if (!coding) return coding.error();
  return decompress(*coding, request.body, size_max);
}

void add_routes(net::Router& router, Gate& gate, os::WorkerPool& workers, std::uint64_t body_size_max) {
  const auto way = [](bool envelope) {
    return BodyWay{
        [envelope](const net::Request& request, Submission& submission) { return read_head(request, envelope, submission); },
        [envelope](const Result<Outcome>& result) { return answer_to(result, envelope); }};
  };
  add_body_route(router, "/search/results", way(true), gate, workers, body_size_max);
  add_body_route(router, "/api/v1/datasets/{dataset}/events", way(false), gate, workers, body_size_max);
}

}  // namespace iotstream::ingest
