#include "ingest/intake.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "ingest/letter_record.hpp"
#include "ingest/place.hpp"

namespace iotstream::ingest {
namespace {

// Weather, not the reading's fault: the same reading may be taken later.
bool passing(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::busy:
    case ErrorKind::unavailable:
    case ErrorKind::disk_full:
    case ErrorKind::io:
    case ErrorKind::corrupt:
      return true;
    default:
      return false;
  }
}

constexpr std::int64_t pause_us = 1'000;  // between tries to append to a full ring

constexpr std::string_view another_body = "this Idempotency-Key was used for another body: choose a new key";

ErrorKind kind_of(log::AppendStatus status) {
  switch (status) {
    case log::AppendStatus::back_pressured:
      return ErrorKind::busy;
    case log::AppendStatus::too_large:
      return ErrorKind::too_large;
    case log::AppendStatus::disk_full:
      return ErrorKind::disk_full;
    default:
      return ErrorKind::unavailable;
  }
}

}  // namespace

DeadLetter letter_of(const Submission& submission, Timestamp arrival, const std::string& reason) {
  DeadLetter letter;
  letter.time = arrival;
  letter.dataset = submission.dataset;
  letter.source = submission.source;
  letter.device = submission.device;
  letter.kind = name_of(submission.kind);
  letter.reason = reason;
  return letter;
}

// The key is known again by its hash alone, so the hash must be a good one: FNV-1a, stirred as MurmurHash3 ends.
Numbering numbering_of(std::string_view key, std::uint32_t fingerprint) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdULL;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  hash ^= hash >> 33;
  return {hash | log::producer_key_begin, std::uint64_t{fingerprint} << 32, true};
}

Intake::Intake(Workspace& workspace, DeadLetters& letters, const Submission& submission, Timestamp arrival,
               std::optional<Numbering> numbering, std::uint64_t handled, Outcome outcome)
    : workspace_(workspace),
      letters_(letters),
      submission_(submission),
      arrival_(arrival),
      numbering_(numbering),
      skip_(handled),
      handled_(handled),
      body_(without_mark(submission.body)),
      pick_([this](std::string_view dataset) { return workspace_.encoder(dataset); }),
      csv_lines_(body_),
      outcome_(std::move(outcome)) {}

Status Intake::run() {
  Result<Layout> layout = layout_of(body_, submission_.format);
  if (!layout) return unreadable(layout.error().message);
  layout_ = *layout;
  outcome_.single = layout_ == Layout::object;
  return layout_ == Layout::csv ? run_csv() : run_json(layout_);
}

Status Intake::run_json(Layout layout) {
  Pieces pieces(body_, layout);
  Piece piece;
  while (pieces.next(piece))
    if (due() && !known(piece.number)) take(piece);
  if (layout == Layout::object && outcome_.rejected == 1 && outcome_.errors.front().kind == ErrorKind::invalid)
    return Error{ErrorKind::invalid, outcome_.errors.front().reason};
  if (!pieces.broken()) return {};
  std::string reason = fmt::format("{}: {}", place_in(body_, pieces.broken()->offset), pieces.broken()->reason);
  if (outcome_.accepted + outcome_.duplicates + outcome_.rejected == 0) return unreadable(std::move(reason));
  const Piece rest{trimmed(body_.substr(std::min(body_.size(), pieces.broken()->offset))), piece.number + 1};
  if (due()) reject(rest, submission_.dataset, ErrorKind::invalid, std::move(reason));
  return {};
}

std::size_t Intake::read_lines(std::string_view lines, Layout layout, bool end, Timestamp arrival) {
  arrival_ = arrival;
  layout_ = layout;
  body_ = lines;
  Pieces pieces(lines, layout, lines_, end);
  Piece piece;
  while (pieces.next(piece))
    if (due()) take(piece);
  lines_ = pieces.number();
  return pieces.at();
}

void Intake::read_csv(catalog::CsvStream& stream, std::string_view lines, bool end, Timestamp arrival) {
  arrival_ = arrival;
  layout_ = Layout::csv;
  body_ = lines;
  csv_lines_ = CsvLines(lines, lines_ + 1);
  if (csv_header_.empty()) csv_header_ = without_mark(csv_lines_.header());
  const auto visit = [&](const catalog::CsvTable::Row& row) {
    if (due()) take(row, stream.columns());
  };
  stream.feed(lines, visit);
  if (end) stream.finish(visit);
  lines_ += csv_lines_.breaks();
}

void Intake::reject_line(std::string_view text, Layout layout, ErrorKind kind, std::string reason) {
  layout_ = layout;
  ++lines_;
  if (due()) reject({text, lines_}, submission_.dataset, kind, std::move(reason));
}

Status Intake::run_csv() {
  if (submission_.dataset.empty())
    return unreadable("CSV rows do not say their DatasetType: post them to /api/v1/datasets/{dataset}/events");
  // With its byte order mark: the table passes over one, and a second one is a part of the first name.
  Result<catalog::CsvTable> table = catalog::CsvTable::open(submission_.body);
  if (!table) return unreadable(table.error().message);
  table->each([&](const catalog::CsvTable::Row& row) {
    if (due()) take(row, table->columns());
  });
  return {};
}

void Intake::take(const catalog::CsvTable::Row& row, const std::vector<std::string>& columns) {
  const Piece piece{{}, row.line};  // its text is looked for only when it is rejected
  if (!row.problem.empty()) return reject(piece, submission_.dataset, ErrorKind::invalid, std::string(row.problem));
  Result<Encoder*> picked = workspace_.encoder(submission_.dataset);
  if (!picked) return fail(piece, submission_.dataset, std::move(picked).error());
  Encoder& encoder = **picked;
  encoder.begin();
  encoder.set_time(row.time);
  Member* previous = nullptr;
  for (const catalog::Cell& cell : row.cells) {
    Member& member = encoder.members().find(encoder.members().top(), previous, columns[cell.column]);
    if (!member.problem.empty()) return reject(piece, submission_.dataset, ErrorKind::unprocessable, member.problem);
    previous = &member;
    encoder.place(member) = cell.value;
  }
  finish(piece, encoder);
}

Status Intake::unreadable(std::string message) {
  ++outcome_.rejected;
  DeadLetter letter = letter_of(submission_, arrival_, message);
  letter.form = LetterForm::body;
  letter.raw = submission_.body.substr(0, letter_size_max);
  letter.size = submission_.body.size();
  letters_.keep(std::move(letter));
  return Error{ErrorKind::invalid, std::move(message)};
}

bool Intake::due() {
  if (++seen_ <= skip_) return false;
  if (!outcome_.refusal) return true;
  ++outcome_.refused;
  return false;
}

void Intake::take(const Piece& piece) {
  Encoder* encoder = nullptr;
  std::optional<Problem> problem;
  if (layout_ == Layout::points) {
    problem = workspace_.points().read(piece.text, *submission_.points, pick_, encoder);
  } else if (submission_.dataset.empty()) {
    problem = workspace_.reader().read_envelope(piece.text, body_, pick_, encoder);
  } else {
    Result<Encoder*> picked = workspace_.encoder(submission_.dataset);
    if (!picked) return fail(piece, submission_.dataset, std::move(picked).error());
    encoder = *picked;
    problem = workspace_.reader().read(piece.text, body_, *encoder);
  }
  if (problem)
    return fail(piece, encoder == nullptr ? submission_.dataset : std::string_view(encoder->topic().name()),
                {problem->kind, located(piece, *problem)});
  finish(piece, *encoder);
}

bool Intake::known(std::uint64_t number) {
  if (std::find(submission_.known.begin(), submission_.known.end(), number) == submission_.known.end()) return false;
  ++outcome_.duplicates;
  ++handled_;
  return true;
}

void Intake::mark(std::uint64_t number, Encoder& encoder) {
  if (!submission_.device.empty()) encoder.set_device(submission_.device);
  if (submission_.token.empty()) return;
  token_ = submission_.token;
  const auto short_number = static_cast<std::uint32_t>(number);
  token_.append(reinterpret_cast<const char*>(&short_number), sizeof short_number);
  encoder.set_token(token_);
}

void Intake::finish(const Piece& piece, Encoder& encoder) {
  mark(piece.number, encoder);
  Result<Encoded> encoded = encoder.finish(arrival_, submission_.source);
  if (!encoded) return fail(piece, encoder.topic().name(), std::move(encoded).error());
  append(piece, encoder, *encoded);
}

void Intake::append(const Piece& piece, Encoder& encoder, const Encoded& encoded) {
  log::Partition& partition = encoder.topic().partition(encoded.partition);
  log::Appended appended = append_once(partition, encoded);
  for (std::int64_t waited_us = 0; appended.status == log::AppendStatus::back_pressured && waited_us < patience_.us;
       waited_us += pause_us) {
    std::this_thread::sleep_for(std::chrono::microseconds(pause_us));
    appended = append_once(partition, encoded);
  }
  switch (appended.status) {
    case log::AppendStatus::accepted:
      ++outcome_.accepted;
      break;
    case log::AppendStatus::duplicate:
    case log::AppendStatus::duplicate_unplaced:
      ++outcome_.duplicates;
      break;
    case log::AppendStatus::out_of_order:
      return reject(piece, encoder.topic().name(), ErrorKind::unprocessable, std::string(another_body));
    default:
      return fail(piece, encoder.topic().name(), {kind_of(appended.status), std::string(log::describe(appended.status))});
  }
  ++handled_;
  touch(partition, appended.offset);
  if (!outcome_.last || outcome_.last->topic != encoder.topic().name())
    outcome_.last = Position{encoder.topic().name(), encoded.partition, appended.offset};
  outcome_.last->partition = encoded.partition;
  outcome_.last->offset = appended.offset;
}

log::Appended Intake::append_once(log::Partition& partition, const Encoded& encoded) {
  return numbering_ ? append_numbered(partition, encoded) : partition.append(encoded.time, encoded.key, encoded.row);
}

log::Appended Intake::append_numbered(log::Partition& partition, const Encoded& encoded) {
  // Of one body the numbers rise within each partition; that none is left out the gate sees to, over all partitions.
  const log::Producer producer{numbering_->producer, numbering_->first + seen_ - 1, log::Producer::Order::increasing};
  if (numbering_->of_key) {
    const auto last = partition.last_sequence(producer.id);
    if (last && *last >> 32 != producer.sequence >> 32) return {log::AppendStatus::out_of_order, {}, 0};
  }
  return partition.append(encoded.time, encoded.key, encoded.row, producer);
}

void Intake::touch(log::Partition& partition, Offset offset) {
  std::vector<Touched>& touched = workspace_.touched();
  const auto found =
      std::find_if(touched.begin(), touched.end(), [&](const Touched& one) { return one.partition == &partition; });
  if (found == touched.end())
    touched.push_back({&partition, offset});
  else
    found->last = offset;
}

void Intake::fail(const Piece& piece, std::string_view dataset, Error error) {
  if (!passing(error.kind)) return reject(piece, dataset, error.kind, std::move(error.message));
  outcome_.refusal = std::move(error);
  ++outcome_.refused;
}

void Intake::reject(const Piece& piece, std::string_view dataset, ErrorKind kind, std::string reason) {
  ++outcome_.rejected;
  ++handled_;
  keep(piece, dataset, reason);
  if (outcome_.errors.size() < errors_max) outcome_.errors.push_back({piece.number, std::move(reason), kind});
}

void Intake::keep(const Piece& piece, std::string_view dataset, const std::string& reason) {
  DeadLetter letter = letter_of(submission_, arrival_, reason);
  letter.dataset = dataset;
  letter.line = piece.number;
  std::string_view text = piece.text;
  if (layout_ == Layout::csv) {
    letter.form = LetterForm::csv;
    letter.header = csv_header_.empty() ? csv_lines_.header() : std::string_view(csv_header_);
    text = csv_lines_.row_at(piece.number);
  } else if (layout_ == Layout::points) {
    letter.form = LetterForm::point;
    letter.header = encode(*submission_.points);
  } else {
    letter.form = submission_.dataset.empty() ? LetterForm::envelope : LetterForm::reading;
  }
  letter.raw = text.substr(0, letter_size_max);
  letter.size = text.size();
  letters_.keep(std::move(letter));
}

std::string Intake::located(const Piece& piece, const Problem& problem) const {
  if (!problem.offset) return problem.reason;
  if (layout_ == Layout::lines) return fmt::format("column {}: {}", *problem.offset + 1, problem.reason);
  const auto begin = static_cast<std::size_t>(piece.text.data() - body_.data());
  return fmt::format("{}: {}", place_in(body_, begin + *problem.offset), problem.reason);
}

}  // namespace iotstream::ingest
