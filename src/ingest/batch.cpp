#include "ingest/batch.hpp"

#include <utility>

#include <fmt/format.h>

#include "ingest/acknowledgement.hpp"
#include "ingest/pieces.hpp"

namespace iotstream::ingest {
namespace {

constexpr std::size_t mark_size = 3;  // of UTF-8
/// A batch is quicker than the log's writer, whose ring is drained in a millisecond. What takes longer is a disk that stalls,
/// and then the thread has others to serve.
constexpr Duration patience = Duration::milliseconds(100);

class RefusedBatch final : public Batch {
 public:
  explicit RefusedBatch(Outcome outcome) : outcome_(std::move(outcome)) {}
  bool take(std::string_view) override { return false; }
  void fail(Error) override {}
  void finish(Done done) override { done(std::move(outcome_)); }

 private:
  Outcome outcome_;
};

class LineBatch final : public Batch {
 public:
  LineBatch(BatchParts parts, const Submission& submission);
  ~LineBatch() override;
  bool take(std::string_view bytes) override;
  void fail(Error error) override { failure_ = std::move(error); }
  void finish(Done done) override;

 private:
  static std::optional<Numbering> numbering(const Submission& submission);
  void count(std::uint64_t bytes);
  void leave_desk();

  std::shared_ptr<Shared> shared_;
  Workspaces& workspaces_;
  log::Topic* producer_in_;
  std::int64_t begun_ns_;
  std::string dataset_;
  std::string source_;
  std::string device_;
  Submission submission_;  ///< of the texts above
  std::unique_ptr<Workspace> workspace_;
  Intake intake_;
  LineFeed feed_;
  Outcome counted_;  ///< what the metrics know of
  std::optional<Error> failure_;
};

std::optional<Numbering> LineBatch::numbering(const Submission& submission) {
  if (submission.numbered) return Numbering{submission.numbered->producer, submission.numbered->sequence, false};
  if (submission.idempotency_key.empty()) return std::nullopt;
  const std::string key = fmt::format("{}\n{}", submission.dataset, submission.idempotency_key);
  return numbering_of(key, static_cast<std::uint32_t>(fingerprint_of(submission.body) >> 32));
}

LineBatch::LineBatch(BatchParts parts, const Submission& submission)
    : shared_(std::move(parts.shared)),
      workspaces_(parts.workspaces),
      producer_in_(parts.producer_in),
      begun_ns_(parts.clock.monotonic_ns()),
      dataset_(submission.dataset),
      source_(submission.source),
      device_(submission.device),
      submission_(submission),
      workspace_(workspaces_.take()),
      intake_(*workspace_, shared_->letters, submission_, parts.clock.now(), numbering(submission), 0, {}),
      feed_(intake_, parts.clock, parts.layout, std::move(parts.csv)) {
  submission_.dataset = dataset_;
  submission_.source = source_;
  submission_.device = device_;
  submission_.body = {};
  submission_.idempotency_key = {};
  intake_.wait_up_to(patience);
}

LineBatch::~LineBatch() {
  leave_desk();
  workspaces_.give_back(std::move(workspace_));
  shared_->batches.fetch_sub(1, std::memory_order_relaxed);
}

/// Before the answer: with it the sender may send its next body.
void LineBatch::leave_desk() {
  if (log::Topic* in = std::exchange(producer_in_, nullptr))
    shared_->producers.leave(*in, submission_.numbered->producer, submission_.numbered->sequence + intake_.handled());
}

/// At every step, so that the metrics balance while a long body is under way.
void LineBatch::count(std::uint64_t bytes) {
  const Outcome& now = intake_.outcome();
  Outcome step;
  step.accepted = now.accepted - std::exchange(counted_.accepted, now.accepted);
  step.rejected = now.rejected - std::exchange(counted_.rejected, now.rejected);
  step.duplicates = now.duplicates - std::exchange(counted_.duplicates, now.duplicates);
  step.refused = now.refused - std::exchange(counted_.refused, now.refused);
  shared_->tally.add(submission_.kind, step, bytes);
}

bool LineBatch::take(std::string_view bytes) {
  feed_.take(bytes);
  count(bytes.size());
  return !intake_.outcome().refusal;
}

void LineBatch::finish(Done done) {
  if (!failure_ && !intake_.outcome().refusal) feed_.finish();
  count(0);
  leave_desk();
  Outcome outcome = intake_.outcome();
  // A refusal came first, and is why the rest of the body was not wanted.
  if (failure_ && !outcome.refusal) outcome.refusal = std::move(failure_);
  acknowledge(workspace_->touched(), submission_.acks,
              [shared = shared_, begun_ns = begun_ns_, outcome = std::move(outcome),
               done = std::move(done)](const Status& acknowledged) mutable {
                if (!acknowledged) outcome.refusal = Error{ErrorKind::unavailable, acknowledged.error().message};
                shared->tally.latency().record_us((shared->clock.monotonic_ns() - begun_ns) / 1000);
                done(std::move(outcome));
              });
}

}  // namespace

std::unique_ptr<Batch> make_batch(BatchParts parts, const Submission& submission) {
  if (parts.shared->batches.fetch_add(1, std::memory_order_relaxed) < batches_max)
    return std::make_unique<LineBatch>(std::move(parts), submission);
  parts.shared->batches.fetch_sub(1, std::memory_order_relaxed);
  if (parts.producer_in != nullptr)
    parts.shared->producers.leave(*parts.producer_in, submission.numbered->producer, submission.numbered->sequence);
  Outcome outcome;
  outcome.refusal = Error{ErrorKind::busy, fmt::format("{} bodies are being read while they arrive: try again", batches_max)};
  outcome.refused = 1;
  parts.shared->tally.add(submission.kind, outcome, submission.body.size());
  return make_refused_batch(std::move(outcome));
}

std::unique_ptr<Batch> make_refused_batch(Outcome outcome) { return std::make_unique<RefusedBatch>(std::move(outcome)); }

/// Reads whole lines; what is left of them is a point that is not whole.
std::string_view LineFeed::read(std::string_view lines, bool end) {
  if (csv_) {
    intake_.read_csv(*csv_, lines, end, clock_.now());
    return {};
  }
  return lines.substr(intake_.read_lines(lines, layout_, end, clock_.now()));
}

void LineFeed::take(std::string_view bytes) {
  if (!begun_) {
    rest_.append(bytes);
    if (rest_.size() < mark_size) return;
    begun_ = true;
    const std::string first = std::exchange(rest_, {});
    return take(csv_ ? std::string_view(first) : without_mark(first));
  }
  if (skipping_) {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) return;
    skipping_ = false;
    bytes.remove_prefix(end + 1);
  }
  const std::size_t last = bytes.rfind('\n');
  const std::size_t whole = last == std::string_view::npos ? 0 : last + 1;
  if (rest_.empty() && whole > 0) {
    rest_ = read(bytes.substr(0, whole), false);
  } else if (whole > 0) {
    rest_.append(bytes.substr(0, whole));
    const std::string lines = std::exchange(rest_, {});
    rest_ = read(lines, false);
  }
  rest_.append(bytes.substr(whole));
  if (rest_.size() > reading_size_max) give_up_line();
}

/// The last line is longer than a reading may be, and its end is still to come.
void LineFeed::give_up_line() {
  const std::string lines = std::exchange(rest_, {});
  // The reader of CSV has limits of its own, and line breaks other than LF.
  if (csv_) {
    read(lines, false);
    return;
  }
  // A quote that stays open costs its own line; those behind it are points again.
  const std::size_t whole = lines.rfind('\n') + 1;
  if (whole > 0) read(std::string_view(lines).substr(0, whole), true);
  rest_ = lines.substr(whole);
  if (rest_.size() <= reading_size_max) return;
  intake_.reject_line(rest_, layout_, ErrorKind::too_large,
                      fmt::format("the reading has more than {} bytes", reading_size_max));
  rest_.clear();
  skipping_ = true;
}

void LineFeed::finish() {
  if (!begun_) {
    begun_ = true;
    if (!csv_) rest_ = std::string(without_mark(rest_));
  }
  const std::string lines = std::exchange(rest_, {});
  read(lines, true);
}

}  // namespace iotstream::ingest
