#include "sim/transport.hpp"

#include <mutex>
#include <utility>

#include <fmt/format.h>

#include <iotstream/net/client.hpp>

namespace iotstream::sim {
namespace {

// Devices share them by lane; enough that one slow answer holds up few.
constexpr unsigned connections = 64;

Verdict verdict_of(unsigned status) {
  if (status >= 200 && status < 300) return Verdict::acknowledged;
  if (status == 408 || status == 429 || status >= 500) return Verdict::refused;
  return Verdict::dropped;
}

class HttpTransport final : public Transport {
 public:
  explicit HttpTransport(std::unique_ptr<net::AsyncClient> client) : client_(std::move(client)) {}

  Sent send(std::uint64_t lane, std::string body, Answered answered) override {
    const auto done = [answered](const Result<net::ClientResponse>& response) {
      if (!response) return answered(Verdict::refused, response.error().message);
      const Verdict verdict = verdict_of(response->status);
      answered(verdict,
               verdict == Verdict::acknowledged ? std::string() : fmt::format("{}: {}", response->status, response->body));
    };
    if (Status posted = client_->post(lane, "/search/results", "application/json", std::move(body), done); !posted)
      answered(Verdict::refused, posted.error().message);
    return Sent::waiting;
  }
  void stop() override { client_->stop(); }

 private:
  std::unique_ptr<net::AsyncClient> client_;
};

// Between the engine and answers that come after it is gone: the log answers on its own time.
class Answers {
 public:
  void deliver(const Answered& answered, Verdict verdict, std::string problem) {
    const std::scoped_lock lock(mutex_);
    if (!closed_) answered(verdict, std::move(problem));
  }
  void close() {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
  }

 private:
  std::mutex mutex_;  ///< held while an answer is delivered, so that none is on its way when close() returns
  bool closed_ = false;
};

class InprocTransport final : public Transport {
 public:
  explicit InprocTransport(ingest::Gate& gate) : gate_(gate) {}
  ~InprocTransport() override { answers_->close(); }

  Sent send(std::uint64_t, std::string body, Answered answered) override {
    ingest::Submission submission;
    submission.format = ingest::BodyFormat::json;
    submission.body = body;
    submission.source = "simulation";
    submission.kind = ingest::SourceKind::simulation;
    gate_.submit(submission, [answers = answers_, answered = std::move(answered)](const Result<ingest::Outcome>& outcome) {
      if (!outcome) return answers->deliver(answered, Verdict::dropped, outcome.error().message);
      if (outcome->refusal) return answers->deliver(answered, Verdict::refused, outcome->refusal->message);
      if (outcome->rejected > 0) return answers->deliver(answered, Verdict::dropped, outcome->errors.front().reason);
      answers->deliver(answered, Verdict::acknowledged, {});
    });
    return Sent::placed;
  }
  void stop() override { answers_->close(); }

 private:
  ingest::Gate& gate_;
  std::shared_ptr<Answers> answers_ = std::make_shared<Answers>();
};

}  // namespace

Result<std::unique_ptr<Transport>> http_transport(const std::string& url, const std::string& token) {
  net::Headers headers;
  if (!token.empty()) headers.emplace_back("Authorization", "Bearer " + token);
  Result<std::unique_ptr<net::AsyncClient>> client = net::AsyncClient::create(url, connections, 4096, std::move(headers));
  if (!client) return std::move(client).error();
  return std::unique_ptr<Transport>(std::make_unique<HttpTransport>(std::move(*client)));
}

std::unique_ptr<Transport> inproc_transport(ingest::Gate& gate) { return std::make_unique<InprocTransport>(gate); }

}  // namespace iotstream::sim
