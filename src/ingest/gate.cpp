#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include <iotstream/base/text.hpp>
#include <iotstream/ingest/gate.hpp>

#include "ingest/acknowledgement.hpp"
#include "ingest/batch.hpp"
#include "ingest/intake.hpp"
#include "ingest/place.hpp"
#include "ingest/schema_topic.hpp"
#include "ingest/shared.hpp"
#include "ingest/workspace.hpp"

namespace iotstream::ingest {

std::uint64_t fingerprint_of(std::string_view body) {
  const std::uint32_t begin = crc32c(as_bytes(body.substr(0, batch_fingerprint_size)));
  const std::uint32_t all = body.size() <= batch_fingerprint_size ? begin : crc32c(as_bytes(body));
  return (std::uint64_t{begin} << 32) | (all ^ static_cast<std::uint32_t>(body.size()));
}

namespace {

Status check_dataset(std::string_view name) {
  const auto refuse = [](std::string_view reason) {
    return Error{ErrorKind::unprocessable, fmt::format("the dataset's name {}", reason)};
  };
  if (name.empty()) return refuse("is empty");
  if (name.size() > name_size_max) return refuse(fmt::format("is longer than {} bytes", name_size_max));
  if (name.front() == '_') return refuse("begins with _: such names are internal");
  if (first_invalid_utf8(name) < name.size()) return refuse("is not UTF-8");
  for (const char c : name)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return refuse("has a control character");
  return {};
}

class GateImpl final : public Gate {
 public:
  GateImpl(log::Log& log, catalog::Schemas& schemas, os::Clock& clock, std::shared_ptr<Shared> shared)
      : log_(log),
        clock_(clock),
        shared_(std::move(shared)),
        workspaces_(schemas, [this](std::string_view name) { return topic(name); }) {}

  void submit(const Submission& submission, Done done) override;
  std::unique_ptr<Batch> open_batch(const Submission& submission);
  void reject(const Submission& submission, const std::string& reason) override;
  DeadLetters& dead_letters() override { return shared_->letters; }
  Result<log::Topic*> topic(std::string_view dataset) override;
  std::vector<Result<Outcome>> take(std::span<const Submission> submissions, Acks acks, Acknowledged acknowledged) override;

 private:
  // A submission on its way to its answer.
  struct Running {
    std::shared_ptr<Shared> shared;
    std::int64_t begun_ns = 0;
    std::string key;  // empty: none was given
    std::optional<Numbering> numbering;
    log::Topic* producer_in = nullptr;  // entered at the desk of producers
    std::uint64_t handled = 0;
    Outcome outcome;
    Done done;
    void answer(const Status& acknowledged);
  };
  bool admit(const Submission& submission, Running& running);
  bool admit_numbered(const Submission& submission, Running& running);
  Outcome refusal_of(const Submission& submission, const Producers::Admission& admission);
  void read(const Submission& submission, Running running);

  log::Log& log_;
  os::Clock& clock_;
  std::shared_ptr<Shared> shared_;
  Workspaces workspaces_;
};

Result<log::Topic*> GateImpl::topic(std::string_view dataset) {
  if (Status checked = check_dataset(dataset); !checked) return checked.error();
  if (log::Topic* found = log_.find(dataset)) return found;
  const auto topics = log_.topics();
  const auto internal =
      std::count_if(topics.begin(), topics.end(), [](const log::Topic* t) { return t->name().starts_with('_'); });
  if (topics.size() - static_cast<std::size_t>(internal) >= datasets_max)
    return Error{ErrorKind::unprocessable, fmt::format("there are {} datasets already: no new one is taken", datasets_max)};
  return log_.topic(dataset);
}

void GateImpl::Running::answer(const Status& acknowledged) {
  // Whatever the disk said, to the sender it is one thing: not promised, and not to be had before a restart.
  if (!acknowledged) outcome.refusal = Error{ErrorKind::unavailable, acknowledged.error().message};
  shared->tally.latency().record_us((shared->clock.monotonic_ns() - begun_ns) / 1000);
  if (!key.empty()) shared->idempotency.finish(key, outcome, handled, acknowledged.ok());
  done(std::move(outcome));
}

// False when the answer is known, or will be, without reading the body.
bool GateImpl::admit(const Submission& submission, Running& running) {
  if (submission.numbered) return admit_numbered(submission, running);
  if (submission.idempotency_key.empty()) return true;
  running.key = fmt::format("{}\n{}", submission.dataset, submission.idempotency_key);
  const Done repeat = [shared = shared_, kind = submission.kind, bytes = submission.body.size(),
                       done = running.done](Result<Outcome> result) {
    Outcome unread;
    unread.rejected = 1;
    shared->tally.add(kind, result ? *result : unread, bytes);
    done(std::move(result));
  };
  const std::uint64_t fingerprint = fingerprint_of(submission.body);
  Idempotency::Admission admission = shared_->idempotency.enter(running.key, fingerprint, running.begun_ns, repeat);
  running.numbering = numbering_of(running.key, static_cast<std::uint32_t>(fingerprint >> 32));
  running.handled = admission.handled;
  running.outcome = std::move(admission.earlier);
  return admission.verdict == Idempotency::Verdict::proceed;
}

bool GateImpl::admit_numbered(const Submission& submission, Running& running) {
  const auto [id, sequence] = *submission.numbered;
  Result<log::Topic*> in = topic(submission.dataset);
  if (!in) {
    reject(submission, in.error().message);
    running.done(in.error());
    return false;
  }
  const Producers::Admission admission = shared_->producers.enter(**in, id, sequence);
  if (admission.verdict == Producers::Verdict::proceed) {
    running.numbering = Numbering{id, sequence, false};
    running.producer_in = *in;
    return true;
  }
  running.done(refusal_of(submission, admission));
  return false;
}

/// Of a numbered body that is not read.
Outcome GateImpl::refusal_of(const Submission& submission, const Producers::Admission& admission) {
  const auto [id, sequence] = *submission.numbered;
  Outcome refused;
  refused.refused = 1;  // of the body nothing was read
  shared_->tally.add(submission.kind, refused, submission.body.size());
  if (admission.verdict == Producers::Verdict::gap) {
    refused.expected_sequence = admission.expected;
    refused.refusal = Error{
        ErrorKind::conflict,
        fmt::format("readings are missing: producer {} goes on at sequence {}, not at {}", id, admission.expected, sequence)};
  } else {
    refused.refusal =
        Error{ErrorKind::busy, fmt::format("another body of producer {} is being read: send one after the other", id)};
  }
  return refused;
}

void GateImpl::read(const Submission& submission, Running running) {
  std::unique_ptr<Workspace> workspace = workspaces_.take();
  Intake intake(*workspace, shared_->letters, submission, clock_.now(), running.numbering, running.handled,
                std::move(running.outcome));
  const Status readable = intake.run();
  if (running.producer_in != nullptr)
    shared_->producers.leave(*running.producer_in, submission.numbered->producer,
                             submission.numbered->sequence + (readable ? intake.handled() : 0));
  shared_->tally.add(submission.kind, intake.outcome(), submission.body.size());
  const std::vector<Touched> touched = workspace->touched();
  workspaces_.give_back(std::move(workspace));
  if (!readable) {
    if (!running.key.empty()) shared_->idempotency.finish(running.key, readable.error(), 0, false);
    running.done(readable.error());
    return;
  }
  running.outcome = std::move(intake.outcome());
  running.handled = intake.handled();
  acknowledge(touched, submission.acks,
              [running = std::move(running)](const Status& acknowledged) mutable { running.answer(acknowledged); });
}

void GateImpl::submit(const Submission& submission, Done done) {
  Running running{shared_, clock_.monotonic_ns(), {}, {}, nullptr, 0, {}, std::move(done)};
  if (admit(submission, running)) read(submission, std::move(running));
}

std::unique_ptr<Batch> GateImpl::open_batch(const Submission& submission) {
  const Result<Layout> layout = layout_of(without_mark(submission.body), submission.format);
  if (!layout || *layout == Layout::object || *layout == Layout::array) return nullptr;
  BatchParts parts{shared_, workspaces_, clock_, {}, nullptr};
  if (*layout == Layout::csv) {
    if (submission.dataset.empty()) return nullptr;
    Result<catalog::CsvStream> csv = catalog::CsvStream::open(submission.body);
    if (!csv) return nullptr;
    parts.csv.emplace(std::move(*csv));
  }
  if (submission.numbered) {
    Result<log::Topic*> in = topic(submission.dataset);
    if (!in) return nullptr;
    const Producers::Admission admission =
        shared_->producers.enter(**in, submission.numbered->producer, submission.numbered->sequence);
    if (admission.verdict != Producers::Verdict::proceed) return make_refused_batch(refusal_of(submission, admission));
    parts.producer_in = *in;
  }
  return make_batch(std::move(parts), submission);
}

void GateImpl::reject(const Submission& submission, const std::string& reason) {
  Outcome outcome;
  outcome.rejected = 1;
  shared_->tally.add(submission.kind, outcome, submission.body.size());
  DeadLetter letter = letter_of(submission, clock_.now(), reason);
  letter.form = LetterForm::body;
  letter.raw = submission.body.substr(0, letter_size_max);
  letter.size = submission.body.size();
  shared_->letters.keep(std::move(letter));
}

std::vector<Result<Outcome>> GateImpl::take(std::span<const Submission> submissions, Acks acks, Acknowledged acknowledged) {
  const std::int64_t begun_ns = clock_.monotonic_ns();
  const Timestamp arrival = clock_.now();
  std::vector<Result<Outcome>> outcomes;
  outcomes.reserve(submissions.size());
  std::unique_ptr<Workspace> workspace = workspaces_.take();
  bool refused = false;
  for (const Submission& submission : submissions) {
    if (refused) break;
    Intake intake(*workspace, shared_->letters, submission, arrival, std::nullopt, submission.skip, {});
    const Status readable = intake.run();
    shared_->tally.add(submission.kind, intake.outcome(), submission.body.size());
    refused = intake.outcome().refusal.has_value();
    outcomes.push_back(readable ? Result<Outcome>(std::move(intake.outcome())) : readable.error());
  }
  const std::vector<Touched> touched = workspace->touched();
  workspaces_.give_back(std::move(workspace));
  acknowledge(touched, acks, [shared = shared_, begun_ns, acknowledged = std::move(acknowledged)](const Status& status) {
    shared->tally.latency().record_us((shared->clock.monotonic_ns() - begun_ns) / 1000);
    acknowledged(status);
  });
  return outcomes;
}

}  // namespace

std::unique_ptr<Batch> open_batch(Gate& gate, const Submission& submission) {
  return static_cast<GateImpl&>(gate).open_batch(submission);
}

Result<std::unique_ptr<Gate>> Gate::open(log::Log& log, catalog::Schemas& schemas, os::Clock& clock, metrics::Table& metrics) {
  auto shared = std::make_shared<Shared>(log, clock, metrics);
  if (Status opened = open_schema_topic(log, schemas, clock, shared->tally.schema_records()); !opened) return opened.error();
  metrics.observe("iotstream_ingest_conflicts_total", "Values that did not fit their field as it began, taken or not.",
                  [&schemas] { return static_cast<double>(schemas.conflicts_total()); });
  return std::unique_ptr<Gate>(std::make_unique<GateImpl>(log, schemas, clock, std::move(shared)));
}

}  // namespace iotstream::ingest
