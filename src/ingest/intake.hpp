// Reads one submission, reading by reading, into the log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <iotstream/catalog/csv_stream.hpp>
#include <iotstream/ingest/dead_letters.hpp>
#include <iotstream/ingest/gate.hpp>

#include "ingest/csv_lines.hpp"
#include "ingest/pieces.hpp"
#include "ingest/workspace.hpp"

namespace iotstream::ingest {

inline constexpr std::size_t errors_max = 100;  ///< listed in an outcome

/// A letter about a submission: who sent it and when, and why it was not taken.
DeadLetter letter_of(const Submission& submission, Timestamp arrival, const std::string& reason);

/// How the readings of a body are known again: each carries the producer and its number.
struct Numbering {
  std::uint64_t producer = 0;
  std::uint64_t first = 0;  ///< of the body's first reading, accepted or not
  bool of_key = false;      ///< an idempotency key: the upper half of the numbers tells its body from others
};
/// What an idempotency key and a body become.
Numbering numbering_of(std::string_view key, std::uint32_t fingerprint);

/// One submission. Nothing is waited for but a schema that grows.
class Intake {
 public:
  /// The first `handled` readings are passed over; `outcome` is what they came to before.
  Intake(Workspace& workspace, DeadLetters& letters, const Submission& submission, Timestamp arrival,
         std::optional<Numbering> numbering, std::uint64_t handled, Outcome outcome);

  /// For a body that comes in pieces, instead of run(): the log's back-pressure is waited for, up to `patience`.
  void wait_up_to(Duration patience) { patience_ = patience; }
  /// The next whole lines, of layout lines or points, arrived at `arrival`; `end`: there are no more. Bytes read: a point whose
  /// quote is still open is left.
  std::size_t read_lines(std::string_view lines, Layout layout, bool end, Timestamp arrival);
  /// The next lines of a CSV text; `end`: there are no more.
  void read_csv(catalog::CsvStream& stream, std::string_view lines, bool end, Timestamp arrival);
  /// What comes next is not a reading, and is rejected as one of `layout`: `text` is its begin.
  void reject_line(std::string_view text, Layout layout, ErrorKind kind, std::string reason);

  /// Error: the body as a whole cannot be read; the outcome then counts it as one rejected reading.
  Status run();

  Outcome& outcome() { return outcome_; }
  std::uint64_t handled() const { return handled_; }

 private:
  Status run_json(Layout layout);
  Status run_csv();
  Status unreadable(std::string message);
  /// True when this reading is to be looked at.
  bool due();
  /// True when the reading of that number was taken before.
  bool known(std::uint64_t number);
  /// The device and token that the submission gives to every reading.
  void mark(std::uint64_t number, Encoder& encoder);
  void take(const Piece& piece);
  void take(const catalog::CsvTable::Row& row, const std::vector<std::string>& columns);
  void finish(const Piece& piece, Encoder& encoder);
  void append(const Piece& piece, Encoder& encoder, const Encoded& encoded);
  log::Appended append_once(log::Partition& partition, const Encoded& encoded);
  log::Appended append_numbered(log::Partition& partition, const Encoded& encoded);
  void touch(log::Partition& partition, Offset offset);
  /// `dataset`: whose reading it is, as far as that is known.
  void fail(const Piece& piece, std::string_view dataset, Error error);
  void reject(const Piece& piece, std::string_view dataset, ErrorKind kind, std::string reason);
  void keep(const Piece& piece, std::string_view dataset, const std::string& reason);
  std::string located(const Piece& piece, const Problem& problem) const;

  Workspace& workspace_;
  DeadLetters& letters_;
  const Submission& submission_;
  Timestamp arrival_;
  std::optional<Numbering> numbering_;
  std::uint64_t skip_;
  std::uint64_t seen_ = 0;
  std::uint64_t handled_;
  std::string_view body_;
  Layout layout_ = Layout::object;
  JsonReader::Pick pick_;
  CsvLines csv_lines_;
  std::string csv_header_;   ///< of a CSV text that comes in pieces
  std::uint64_t lines_ = 0;  ///< that came in former pieces
  Duration patience_;
  std::string token_;
  Outcome outcome_;
};

}  // namespace iotstream::ingest
