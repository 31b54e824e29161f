// From bytes to whole lines of a body that is read while it comes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <iotstream/catalog/csv_stream.hpp>
#include <iotstream/ingest/batch.hpp>

#include "ingest/intake.hpp"
#include "ingest/shared.hpp"
#include "ingest/workspace.hpp"

namespace iotstream::ingest {

/// From bytes cut anywhere to whole lines in an Intake. Memory: a workspace, and the longest line. One thread at a time.
class LineFeed {
 public:
  /// `csv`: of a CSV body; without it lines are readings.
  LineFeed(Intake& intake, os::Clock& clock, std::optional<catalog::CsvStream> csv)
      : intake_(intake), clock_(clock), csv_(std::move(csv)) {}

  void take(std::string_view bytes);
  void finish();

 private:
  void read(std::string_view lines, bool end);
  void give_up_line();

  Intake& intake_;
  os::Clock& clock_;
  std::optional<catalog::CsvStream> csv_;
  std::string rest_;       ///< of the last line, that is not whole yet
  bool begun_ = false;     ///< the byte order mark has been looked for
  bool skipping_ = false;  ///< a line that is too long has been rejected: up to its end nothing is read
};

/// What a batch is made of.
struct BatchParts {
  std::shared_ptr<Shared> shared;
  Workspaces& workspaces;
  os::Clock& clock;
  std::optional<catalog::CsvStream> csv;  ///< of a CSV body
  log::Topic* producer_in = nullptr;      ///< entered at the desk of producers: left by the batch
};
std::unique_ptr<Batch> make_batch(BatchParts parts, const Submission& submission);
/// One that takes nothing and is answered with `outcome`.
std::unique_ptr<Batch> make_refused_batch(Outcome outcome);

}  // namespace iotstream::ingest
