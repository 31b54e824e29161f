// The ways in over HTTP.
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <iotstream/base/json.hpp>
#include <iotstream/ingest/gate.hpp>

#include "ingest/decompress.hpp"
#include "ingest/media_type.hpp"

namespace iotstream::ingest {
namespace {

constexpr std::size_t body_on_socket_thread_max = 64u << 10;
constexpr std::size_t key_size_max = 255;

std::string_view title_of(unsigned status) {
  switch (status) {
    case 409:
      return "Conflict";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 507:
      return "Insufficient Storage";
    default:
      return "Bad Request";
  }
}

void append_counts(json::Writer& json, const Outcome& outcome) {
  json.key("accepted").value(outcome.accepted);
  json.key("rejected").value(outcome.rejected);
  json.key("duplicates").value(outcome.duplicates);
  json.key("errors").begin_array();
  for (const LineError& error : outcome.errors) {
    json.begin_object();
    json.key("line").value(error.line);
    json.key("reason").value(error.reason);
    json.end_object();
  }
  json.end_array();
}

// A problem that also says how far the body came, so that the sender knows what is left to send.
net::Response refused(const Outcome& outcome) {
  net::Response response = net::Response::from(*outcome.refusal);
  if (response.status == 429 || response.status == 503) {
    std::erase_if(response.headers, [](const auto& header) { return header.first == "Retry-After"; });
    response.headers.emplace_back("Retry-After", "1");
  }
  response.body.clear();
  json::Writer json(response.body);
  json.begin_object();
  json.key("type").value("about:blank");
  json.key("title").value(title_of(response.status));
  json.key("status").value(response.status);
  json.key("detail").value(outcome.refusal->message);
  if (outcome.expected_sequence) json.key("expected_sequence").value(*outcome.expected_sequence);
  json.key("refused").value(outcome.refused);
  append_counts(json, outcome);
  json.end_object();
  return response;
}

net::Response position_of(const Outcome& outcome) {
  if (outcome.refusal) return refused(outcome);
  if (!outcome.last) {
    if (outcome.errors.empty()) return net::Response::problem(422, "there was no reading in the body");
    return net::Response::from({outcome.errors.front().kind, outcome.errors.front().reason});
  }
  std::string body;
  json::Writer json(body);
  json.begin_object();
  json.key("topic").value(outcome.last->topic);
  json.key("partition").value(outcome.last->partition.value);
  json.key("offset").value(outcome.last->offset.value);
  json.end_object();
  return net::Response::json(std::move(body));
}

net::Response counts_of(const Outcome& outcome) {
  if (outcome.refusal) return refused(outcome);
  if (outcome.single && outcome.rejected == 1)
    return net::Response::from({outcome.errors.front().kind, outcome.errors.front().reason});
  std::string body;
  json::Writer json(body);
  json.begin_object();
  append_counts(json, outcome);
  json.end_object();
  return net::Response::json(std::move(body));
}

std::optional<Acks> acks_of(const net::Request& request) {
  const std::string_view text = request.query_value("acks").value_or("durable");
  if (text == "durable") return Acks::durable;
  if (text == "written") return Acks::written;
  if (text == "none") return Acks::none;
  return std::nullopt;
}

std::optional<std::uint64_t> below_key_begin(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number >= log::producer_key_begin) return std::nullopt;
  return number;
}

net::Response unsupported_encoding(std::string_view encoding) {
  net::Response response =
      net::Response::problem(415, fmt::format("Content-Encoding {} is not known here: send gzip, zstd or none", encoding));
  response.headers.emplace_back("Accept-Encoding", "gzip, zstd");
  return response;
}

// One request on its way. Shared by the thread that reads it and whoever answers.
class Post : public std::enable_shared_from_this<Post> {
 public:
  Post(Gate& gate, std::uint64_t body_size_max, bool envelope, net::Request request, net::Respond respond)
      : gate_(gate),
        body_size_max_(body_size_max),
        envelope_(envelope),
        request_(std::move(request)),
        respond_(std::move(respond)) {}

  // Small plain bodies are read where they are; the rest on a worker, so that one large body does not hold up a thousand
  // devices.
  void start(os::WorkerPool& workers) {
    const bool plain = !request_.header("content-encoding") || request_.header("content-encoding") == "identity";
    if (plain && request_.body.size() <= body_on_socket_thread_max) return run();
    const auto self = shared_from_this();
    if (!workers.submit([self] { self->run(); }))
      respond_(net::Response::from({ErrorKind::busy, "too many large bodies are waiting: try again"}));
  }

 private:
  void run() {
    Submission submission;
    submission.dataset = envelope_ ? std::string_view() : request_.param("dataset");
    submission.source = request_.remote;
    submission.body = request_.body;
    std::string reason;
    if (auto problem = check(reason)) {
      gate_.reject(submission, reason);
      return respond_(std::move(*problem));
    }
    submission.body = request_.body;
    submission.format = format_;
    submission.acks = acks_;
    submission.idempotency_key = request_.header("idempotency-key").value_or(std::string_view());
    submission.numbered = numbered_;
    gate_.submit(submission, [self = shared_from_this()](const Result<Outcome>& result) { self->answer(result); });
  }

  /// Why the body is not even looked at, if so; `reason` is the same for the dead letter.
  std::optional<net::Response> check(std::string& reason) {
    const std::optional<Acks> acks = acks_of(request_);
    if (!acks) return refuse(400, reason = "acks must be durable, written or none");
    acks_ = *acks;
    const std::optional<BodyFormat> format = format_of(request_.header("content-type").value_or(std::string_view()));
    if (!format) return refuse(415, reason = "send application/json, application/x-ndjson or text/csv, in UTF-8");
    format_ = *format;
    const std::optional<std::string_view> key = request_.header("idempotency-key");
    if (key && (key->empty() || key->size() > key_size_max))
      return refuse(400, reason = fmt::format("an Idempotency-Key has 1 to {} bytes", key_size_max));
    reason = check_producer(key.has_value());
    if (!reason.empty()) return refuse(400, reason);
    return decompress(reason);
  }

  static net::Response refuse(unsigned status, const std::string& reason) { return net::Response::problem(status, reason); }

  /// Why the headers of a sender that numbers its readings cannot be meant; empty when they can.
  std::string check_producer(bool has_key) {
    const std::optional<std::string_view> id = request_.header("producer-id");
    const std::optional<std::string_view> sequence = request_.header("producer-sequence");
    if (!id && !sequence) return {};
    if (!id || !sequence) return "Producer-Id and Producer-Sequence come together";
    if (envelope_) return "Producer-Id belongs to /api/v1/datasets/{dataset}/events";
    if (has_key) return "send an Idempotency-Key or a Producer-Id, not both";
    const std::optional<std::uint64_t> producer = below_key_begin(*id);
    const std::optional<std::uint64_t> first = below_key_begin(*sequence);
    if (!producer || !first) return "Producer-Id and Producer-Sequence are whole numbers from 0 to 9223372036854775807";
    numbered_ = Submission::Numbered{*producer, *first};
    return {};
  }

  std::optional<net::Response> decompress(std::string& reason) {
    const std::string encoding = lower(request_.header("content-encoding").value_or("identity"));
    const std::optional<Coding> coding = coding_of(encoding);
    if (coding == Coding::identity) return std::nullopt;
    if (!coding) {
      reason = fmt::format("Content-Encoding {} is not known here", encoding);
      return unsupported_encoding(encoding);
    }
    Result<std::string> plain = iotstream::ingest::decompress(*coding, request_.body, body_size_max_);
    if (!plain) {
      reason = plain.error().message;
      return net::Response::from(plain.error());
    }
    request_.body = std::move(*plain);
    return std::nullopt;
  }

  void answer(const Result<Outcome>& result) {
    if (!result) return respond_(net::Response::from(result.error()));
    if (envelope_) return respond_(position_of(*result));
    respond_(counts_of(*result));
  }

  Gate& gate_;
  std::uint64_t body_size_max_;
  bool envelope_;
  net::Request request_;
  net::Respond respond_;
  Acks acks_ = Acks::durable;
  BodyFormat format_ = BodyFormat::detect;
  std::optional<Submission::Numbered> numbered_;
};

net::Handler handler(Gate& gate, os::WorkerPool& workers, std::uint64_t body_size_max, bool envelope) {
  return [&gate, &workers, body_size_max, envelope](net::Request request, net::Respond respond) {
    std::make_shared<Post>(gate, body_size_max, envelope, std::move(request), std::move(respond))->start(workers);
  };
}

}  // namespace

void add_routes(net::Router& router, Gate& gate, os::WorkerPool& workers, std::uint64_t body_size_max) {
  router.add(net::Method::post, "/search/results", handler(gate, workers, body_size_max, true));
  router.add(net::Method::post, "/api/v1/datasets/{dataset}/events", handler(gate, workers, body_size_max, false));
}

}  // namespace iotstream::ingest
