// Rows of a CSV file, read and ready to be stored: made on one thread, stored by another.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <iotstream/catalog/csv.hpp>
#include <iotstream/model/row.hpp>

#include "catalog/csv_encoding.hpp"
#include "catalog/csv_form.hpp"
#include "catalog/csv_plan.hpp"

namespace iotstream::catalog {

/// Some rows. Reused; bounded in rows, cells and bytes of text.
struct RowBatch {
  struct Row {
    std::uint64_t line = 0;
    std::int64_t time_us = 0;
  };
  std::vector<Row> rows;
  std::vector<model::Value> cells;  ///< as many a row as there are places; missing: no value; texts are views of `text`
  std::string text;                 ///< never grows beyond its first capacity
  std::uint64_t rejected = 0;
  std::vector<RowProblem> problems;  ///< of these, the first hundred
  std::uint64_t bytes_done = 0;      ///< of the file, when the batch was closed

  RowBatch();
  void clear();
};

/// Turns rows of CSV into rows of batches. One thread; `form` and `plan` outlive it.
class RowParser {
 public:
  /// `own`: columns of the file that get a place each; `more`: those that share the last one, as a JSON object.
  RowParser(const CsvForm& form, const CsvPlan& plan, Encoding encoding, std::vector<std::size_t> own,
            std::vector<std::size_t> more);

  std::size_t places() const { return own_.size() + (more_.empty() ? 0 : 1); }
  /// False: the batch is full, and the row is not in it.
  bool take(const CsvRow& row, RowBatch& batch);

 private:
  void add_cells(std::span<const CsvCell> cells, RowBatch& batch);
  void add_cell(const PlannedColumn& column, std::string_view cell, RowBatch& batch);
  void add_text(model::Value& value, std::string_view text, RowBatch& batch);
  void add_more(const PlannedColumn& column, std::string_view cell);

  const CsvForm& form_;
  const CsvPlan& plan_;
  Encoding encoding_;
  bool decode_;
  std::vector<std::size_t> own_;
  std::vector<std::size_t> more_;
  RowClock clock_;
  std::string scratch_;
  std::string reason_;
  std::string more_json_;
};

/// Hands batches from the thread that fills them to the one that stores them, and back. Either side may end it.
class BatchExchange {
 public:
  BatchExchange();
  /// An empty batch to fill; waits for one. nullptr: the other side has ended it.
  std::unique_ptr<RowBatch> empty();
  void push(std::unique_ptr<RowBatch> batch);
  /// No more batches will be pushed.
  void finish();
  /// The next batch to store; waits for one. nullptr: that was the last.
  std::unique_ptr<RowBatch> pop();
  void give_back(std::unique_ptr<RowBatch> batch);
  /// Nothing more will be stored.
  void stop();

 private:
  std::mutex mutex_;  ///< guards all
  std::condition_variable changed_;
  std::deque<std::unique_ptr<RowBatch>> full_;
  std::vector<std::unique_ptr<RowBatch>> empty_;
  bool finished_ = false;
  bool stopped_ = false;
};

}  // namespace iotstream::catalog
