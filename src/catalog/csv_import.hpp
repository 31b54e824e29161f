// One import of one CSV file into a prototype's rows table.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include <iotstream/catalog/catalog.hpp>
#include <iotstream/sqlite/database.hpp>

#include "catalog/change_lock.hpp"
#include "catalog/csv_file.hpp"
#include "catalog/csv_plan.hpp"
#include "catalog/row_batch.hpp"
#include "catalog/tables.hpp"

namespace iotstream::catalog {

/// Used once. One at a time over all prototypes: the row ids of a file follow one another. The file is looked at without any
/// lock; then one thread reads its rows while the calling one stores them, in transactions of some megabytes, between which
/// `lock` is free for others, and nobody sees them before the last one writes the file's entry. What a crash leaves behind the
/// next import removes.
class CsvImport {
 public:
  /// `lock` guards `database`; both outlive this.
  CsvImport(sqlite::Database& database, ChangeLock& lock, Schemas& schemas, Timestamp now, std::int64_t prototype_id,
            std::string dataset)
      : database_(database),
        lock_(lock),
        schemas_(schemas),
        now_(now),
        prototype_id_(prototype_id),
        dataset_(std::move(dataset)) {}

  /// As Catalog::import_csv(). The lock is not held.
  Result<ImportReport> run(const std::string& path, const CsvChoices& choices, const Progress& progress);

 private:
  Status look(const CsvChoices& choices, const Progress& progress);
  Result<bool> find_known();
  Status remember_source();
  Status declare_fields();
  Status begin_load();
  Status prepare_insert(const std::vector<std::uint32_t>& positions);
  Status store(const Progress& progress);
  Status begin_batch();
  Status end_batch();
  Status finish_load();
  void discard();
  Status replace_former();
  Status sort_rows();
  Status add_file();
  Status parse(BatchExchange& exchange);
  Status store_rows(const RowBatch& batch);
  void bind(int parameter, const model::Value& value);

  sqlite::Database& database_;
  ChangeLock& lock_;
  Schemas& schemas_;
  Timestamp now_;
  std::int64_t prototype_id_;
  std::string dataset_;

  std::optional<CsvFile> file_;
  std::string said_;  ///< the choices, behind the digest: the same file read in another way is another content
  CsvPlan plan_;
  ImportReport report_;
  std::int64_t file_id_ = 0;
  std::vector<StoredColumn> columns_;
  std::vector<FileColumn> file_columns_;
  std::vector<std::size_t> own_;   ///< columns of the file that have one in the table
  std::vector<std::size_t> more_;  ///< those that share the last one

  std::unique_lock<ChangeLock> batch_;
  std::optional<sqlite::Transaction> transaction_;
  std::optional<sqlite::Statement> insert_;
  bool loading_ = false;  ///< rows may have been stored that nobody knows of
  bool sorted_ = true;
  std::optional<Timestamp> earliest_;
  std::optional<Timestamp> latest_;
  std::int64_t first_row_ = 0;
};

}  // namespace iotstream::catalog
