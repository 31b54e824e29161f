// Dead letters through the gate again.
#include <future>
#include <utility>

#include <fmt/format.h>

#include <iotstream/ingest/gate.hpp>

#include "ingest/letter_record.hpp"

namespace iotstream::ingest {
namespace {

std::string body_of(const DeadLetter& letter) {
  return letter.form == LetterForm::csv ? fmt::format("{}\n{}\n", letter.header, letter.raw) : letter.raw;
}

BodyFormat format_of(LetterForm form) {
  switch (form) {
    case LetterForm::csv:
      return BodyFormat::csv;
    case LetterForm::point:
      return BodyFormat::points;
    case LetterForm::body:
      return BodyFormat::detect;
    default:
      return BodyFormat::json;
  }
}

/// Hands one letter over; the answer comes when it is durable.
std::future<Result<Outcome>> send(Gate& gate, const DeadLetter& letter) {
  const std::string body = body_of(letter);
  const std::string source = fmt::format("{} again", letter.source);
  Submission submission;
  const bool names_itself = letter.form == LetterForm::envelope || letter.form == LetterForm::point;
  submission.dataset = names_itself ? std::string_view() : std::string_view(letter.dataset);
  submission.format = format_of(letter.form);
  if (letter.form == LetterForm::point) submission.points = std::make_shared<const PointRules>(decode_rules(letter.header));
  submission.body = body;
  submission.source = source;
  submission.device = letter.device;
  submission.kind = SourceKind::resend;
  auto promise = std::make_shared<std::promise<Result<Outcome>>>();
  auto answer = promise->get_future();
  gate.submit(submission, [promise](Result<Outcome> result) { promise->set_value(std::move(result)); });
  return answer;
}

void list(Outcome& total, std::size_t place, ErrorKind kind, std::string reason) {
  total.errors.push_back({place + 1, std::move(reason), kind});
}

/// Adds one letter's outcome to the total; true when the letter is settled.
bool add(Outcome& total, std::size_t place, const Result<Outcome>& answer) {
  if (!answer) {
    ++total.rejected;
    list(total, place, answer.error().kind, answer.error().message);
    return true;
  }
  total.accepted += answer->accepted;
  total.rejected += answer->rejected;
  for (const LineError& error : answer->errors) list(total, place, error.kind, error.reason);
  if (!answer->refusal) return true;
  total.refused += answer->refused;
  total.refusal = answer->refusal;
  return false;
}

}  // namespace

Result<Outcome> resend(Gate& gate, const std::string& dataset, const std::vector<DeadLetter>& letters) {
  // All are handed over before any is waited for: one sync for many.
  std::vector<std::future<Result<Outcome>>> answers(letters.size());
  for (std::size_t i = 0; i != letters.size(); ++i)
    if (!letters[i].truncated) answers[i] = send(gate, letters[i]);
  Outcome total;
  std::vector<std::string> settled;
  for (std::size_t i = 0; i != letters.size(); ++i) {
    if (!answers[i].valid()) {
      ++total.refused;
      list(total, i, ErrorKind::too_large,
           fmt::format("only {} of its {} bytes were kept: it cannot be sent again", letters[i].raw.size(), letters[i].size));
    } else if (add(total, i, answers[i].get())) {
      settled.push_back(letters[i].id);
    }
  }
  // A crash before this line sends them twice rather than never.
  if (!settled.empty())
    if (Status done = gate.dead_letters().settle(dataset, settled); !done) return done.error();
  return total;
}

}  // namespace iotstream::ingest
