// Reads one submission, reading by reading, into the log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <iotstream/catalog/csv.hpp>
#include <iotstream/ingest/gate.hpp>

#include "ingest/pieces.hpp"
#include "ingest/workspace.hpp"

namespace iotstream::ingest {

inline constexpr std::size_t errors_max = 100;  ///< listed in an outcome

/// One submission. Nothing is waited for but a schema that grows.
class Intake {
 public:
  /// The first `handled` readings are passed over; `outcome` is what they came to before.
  Intake(Workspace& workspace, const Submission& submission, Timestamp arrival, std::uint64_t handled, Outcome outcome);

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
  void take(const Piece& piece);
  void take(const catalog::CsvTable::Row& row, const std::vector<std::string>& columns);
  void finish(std::uint64_t number, Encoder& encoder);
  void append(std::uint64_t number, Encoder& encoder, const Encoded& encoded);
  void touch(log::Partition& partition, Offset offset);
  void fail(std::uint64_t number, Error error);
  void reject(std::uint64_t number, ErrorKind kind, std::string reason);
  std::string located(const Piece& piece, const Problem& problem) const;

  Workspace& workspace_;
  const Submission& submission_;
  Timestamp arrival_;
  std::uint64_t skip_;
  std::uint64_t seen_ = 0;
  std::uint64_t handled_;
  std::string_view body_;
  Layout layout_ = Layout::object;
  JsonReader::Pick pick_;
  Outcome outcome_;
};

}  // namespace iotstream::ingest
