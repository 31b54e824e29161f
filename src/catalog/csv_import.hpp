// One import of one CSV file into a prototype's rows table.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <iotstream/catalog/catalog.hpp>
#include <iotstream/sqlite/database.hpp>

#include "catalog/csv_file.hpp"
#include "catalog/csv_plan.hpp"
#include "catalog/tables.hpp"

namespace iotstream::catalog {

/// Used once. The caller holds the lock of the writing connection.
class CsvImport {
 public:
  CsvImport(sqlite::Database& database, Schemas& schemas, Timestamp now, std::int64_t prototype_id, std::string dataset)
      : database_(database), schemas_(schemas), now_(now), prototype_id_(prototype_id), dataset_(std::move(dataset)) {}

  /// As Catalog::import_csv().
  Result<ImportReport> run(const std::string& path, const Progress& progress);

 private:
  Result<bool> find_known();
  Status remember_source();
  Status make_plan(const Progress& progress);
  Status declare_fields();
  Status replace_former();
  Status store(const Progress& progress);
  Status prepare_insert(const std::vector<std::uint32_t>& positions);
  void take(const CsvRow& row);
  std::optional<Timestamp> time_of(const CsvRow& row, std::string& reason);
  void bind_cell(int parameter, const PlannedColumn& column, std::string_view cell);
  void bind_text(int parameter, std::string_view cell);
  void reject(std::uint64_t line, std::string reason);
  Status sort_rows();
  Status add_file();
  Status finish_file();
  bool stored(std::size_t column) const;

  sqlite::Database& database_;
  Schemas& schemas_;
  Timestamp now_;
  std::int64_t prototype_id_;
  std::string dataset_;

  std::optional<CsvFile> file_;
  CsvPlan plan_;
  ImportReport report_;
  std::int64_t file_id_ = 0;
  std::vector<StoredColumn> columns_;
  std::vector<FileColumn> file_columns_;

  std::optional<sqlite::Statement> insert_;
  Status status_;  ///< the first failure while rows are stored
  bool header_seen_ = false;
  bool sorted_ = true;
  std::optional<double> elapsed_first_;
  double elapsed_last_ = 0;
  std::optional<Timestamp> previous_;
  std::optional<Timestamp> earliest_;
  std::optional<Timestamp> latest_;
  std::int64_t first_row_ = 0;
  std::int64_t last_row_ = -1;
  std::string scratch_;
  std::string reason_;
};

}  // namespace iotstream::catalog
