#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <iotstream/base/json.hpp>
#include <iotstream/elastic/routes.hpp>
#include <iotstream/ingest/bodies.hpp>

#include "elastic/answers.hpp"
#include "elastic/bulk.hpp"

namespace iotstream::elastic {
namespace {

constexpr std::size_t actions_at_once = 1'000;

struct Parts {
  ingest::Gate& gate;
  os::WorkerPool& workers;
  Options options;
};
using Shared = std::shared_ptr<const Parts>;

/// The answer that is given when all that was taken is durable: it is written while the disk works.
class Pending {
 public:
  explicit Pending(net::Respond respond) : respond_(std::move(respond)) {}
  void wait_for_one() { ++open_; }
  void arrived(const Status& status) {
    if (!status) {
      const std::scoped_lock lock(mutex_);
      status_ = status;
    }
    leave();
  }
  /// The last call of who made this.
  void written(net::Response response) {
    response_ = std::move(response);
    leave();
  }

 private:
  void leave() {
    if (--open_ > 0) return;
    respond_(status_ ? std::move(response_) : error_response(status_.error()));
  }
  net::Respond respond_;
  std::atomic<std::size_t> open_{1};  ///< seq_cst: who brings it to 0 sees all that the others wrote
  std::mutex mutex_;                  ///< guards status_ while several arrive
  Status status_;
  net::Response response_;
};

std::string_view why_refused(const Action& action) {
  if (action.operation == Operation::update || action.operation == Operation::delete_)
    return "a log is not changed: only index and create are taken here";
  return action.index.empty() ? "index is missing" : "";
}

ingest::Submission submission_of(const Action& action, std::string_view source) {
  ingest::Submission submission;
  submission.dataset = action.index;
  submission.format = ingest::BodyFormat::json;
  submission.body = action.source;
  submission.source = source;
  submission.kind = ingest::SourceKind::elasticsearch;
  return submission;
}

/// One body of `_bulk`, in the order of its actions.
class Bulk {
 public:
  Bulk(ingest::Gate& gate, const net::Request& request, std::shared_ptr<Pending> pending)
      : gate_(gate), request_(request), pending_(std::move(pending)) {}

  net::Response run(const std::vector<Action>& actions) {
    const auto begin = std::chrono::steady_clock::now();
    json::Writer json(items_);
    json.begin_array();
    for (std::size_t at = 0; at < actions.size(); at += actions_at_once) {
      const std::size_t count = std::min(actions_at_once, actions.size() - at);
      run_some({actions.data() + at, count}, json);
    }
    json.end_array();
    const auto took = std::chrono::steady_clock::now() - begin;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
    return respond_with(fmt::format(R"({{"took":{},"errors":{},"items":{}}})", ms, errors_, items_));
  }

 private:
  void run_some(std::span<const Action> actions, json::Writer& json) {
    std::vector<ingest::Submission> submissions;
    for (const Action& action : actions)
      if (why_refused(action).empty()) submissions.push_back(submission_of(action, request_.remote));
    std::vector<Result<ingest::Outcome>> results;
    if (!refused_ && !submissions.empty()) {
      pending_->wait_for_one();
      results = gate_.take(submissions, ingest::Acks::durable,
                           [pending = pending_](const Status& status) { pending->arrived(status); });
      refused_ = results.size() < submissions.size() || (results.back() && results.back()->refusal);
    }
    std::size_t next = 0;
    for (const Action& action : actions) {
      const std::string_view reason = why_refused(action);
      unsigned status = 0;
      if (!reason.empty()) {
        status = write_refused_item(json, action, reason);
      } else {
        status = write_item(json, action, next < results.size() ? &results[next] : nullptr);
        ++next;
      }
      errors_ = errors_ || status >= 300;
    }
  }

  ingest::Gate& gate_;
  const net::Request& request_;
  std::shared_ptr<Pending> pending_;
  std::string items_;
  bool errors_ = false;
  bool refused_ = false;  ///< the log did not take one: those behind it are not tried
};

void run_bulk(const Parts& parts, const net::Request& request, net::Respond respond) {
  if (request.param("index").size() > ingest::name_size_max)  // it would stand in every item of the answer
    return respond(error_response(400, "invalid_index_name_exception", "the index's name is too long"));
  const Result<std::string> body = ingest::plain_body(request, parts.options.body_size_max);
  if (!body) return respond(error_response(body.error()));
  const Result<std::vector<Action>> actions = read_bulk(*body, request.param("index"));
  if (!actions) return respond(error_response(actions.error()));
  const auto pending = std::make_shared<Pending>(std::move(respond));
  pending->written(Bulk(parts.gate, request, pending).run(*actions));
}

/// One document.
void run_document(const Parts& parts, const net::Request& request, net::Respond respond, Operation operation) {
  const Result<std::string> body = ingest::plain_body(request, parts.options.body_size_max);
  if (!body) return respond(error_response(body.error()));
  Action action;
  action.operation = operation;
  action.index = request.param("index");
  action.id = request.param("id");
  action.source = *body;
  const auto pending = std::make_shared<Pending>(std::move(respond));
  pending->wait_for_one();
  const ingest::Submission submission = submission_of(action, request.remote);
  const auto results =
      parts.gate.take({&submission, 1}, ingest::Acks::durable, [pending](const Status& status) { pending->arrived(status); });
  std::string text;
  json::Writer json(text);
  json.begin_object();
  const unsigned status = write_outcome(json, action, &results.front());
  json.end_object();
  pending->written(respond_with(std::move(text), status));
}

/// Creates the dataset, so that a client that asks afterwards finds it.
void create_index(const Parts& parts, const net::Request& request, const net::Respond& respond) {
  const std::string index(request.param("index"));
  if (parts.options.exists(index))
    return respond(error_response(400, "resource_already_exists_exception", fmt::format("index [{}] already exists", index)));
  if (auto topic = parts.gate.topic(index); !topic)
    return respond(error_response(400, "invalid_index_name_exception", topic.error().message));
  std::string body;
  json::Writer json(body);
  json.begin_object();
  json.key("acknowledged").value(true).key("shards_acknowledged").value(true).key("index").value(index);
  json.end_object();
  respond(respond_with(std::move(body)));
}

net::Response index_of(const Parts& parts, const net::Request& request) {
  const std::string_view index = request.param("index");
  if (!parts.options.exists(index)) return no_such_index(index);
  std::string body;
  json::Writer json(body);
  json.begin_object().key(index).begin_object();
  for (const char* name : {"aliases", "mappings", "settings"}) json.key(name).begin_object().end_object();
  json.end_object().end_object();
  return respond_with(std::move(body));
}

using Work = std::function<void(const Parts&, const net::Request&, net::Respond)>;

void on_worker(net::Router& router, net::Method method, std::string path, const Shared& parts, Work work) {
  router.add(method, std::move(path), [parts, work = std::move(work)](net::Request request, net::Respond respond) {
    const auto shared = std::make_shared<net::Request>(std::move(request));
    if (!parts->workers.submit([parts, work, shared, respond] { work(*parts, *shared, respond); }))
      respond(error_response(429, "es_rejected_execution_exception", "too many requests are waiting: try again"));
  });
}

void answers(net::Router& router, net::Method method, std::string path, std::string body) {
  router.add(method, std::move(path),
             [body = std::move(body)](const net::Request&, const net::Respond& respond) { respond(respond_with(body)); });
}

bool asks_for_json(const net::Request& request) {
  const std::string_view accept = request.header("accept").value_or(std::string_view());
  return accept.find("json") != std::string_view::npos && accept.find("text/html") == std::string_view::npos;
}

void add_documents(net::Router& router, const Shared& parts) {
  for (const char* path : {"/_bulk", "/{index}/_bulk"})
    for (const net::Method method : {net::Method::post, net::Method::put}) on_worker(router, method, path, parts, run_bulk);
  const auto document = [](Operation operation) {
    return [operation](const Parts& all, const net::Request& request, net::Respond respond) {
      run_document(all, request, std::move(respond), operation);
    };
  };
  on_worker(router, net::Method::post, "/{index}/_doc", parts, document(Operation::index));
  for (const net::Method method : {net::Method::post, net::Method::put}) {
    on_worker(router, method, "/{index}/_doc/{id}", parts, document(Operation::index));
    on_worker(router, method, "/{index}/_create/{id}", parts, document(Operation::create));
  }
}

}  // namespace

void add_routes(net::Router& router, ingest::Gate& gate, os::WorkerPool& workers, const Options& options) {
  if (!options.enabled) return;
  const auto parts = std::make_shared<const Parts>(Parts{gate, workers, options});
  add_documents(router, parts);
  on_worker(router, net::Method::put, "/{index}", parts, create_index);
  router.add(net::Method::get, "/{index}",
             [parts](const net::Request& request, const net::Respond& respond) { respond(index_of(*parts, request)); });
  answers(router, net::Method::get, "/_cluster/health", cluster_health());
  for (const char* path : {"/_refresh", "/{index}/_refresh"})
    for (const net::Method method : {net::Method::get, net::Method::post})
      answers(router, method, path, R"({"_shards":{"total":1,"successful":1,"failed":0}})");
}

std::optional<net::Response> banner_for(const net::Request& request) {
  if (!asks_for_json(request)) return std::nullopt;
  return respond_with(banner());
}

}  // namespace iotstream::elastic
