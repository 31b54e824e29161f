// The cursor over a prototype's imported rows.
#pragma once

#include <deque>
#include <optional>
#include <simdjson.h>

#include <iotstream/catalog/catalog.hpp>
#include <iotstream/sqlite/database.hpp>

#include "catalog/tables.hpp"

namespace iotstream::catalog {

/// Reads in chunks and holds no transaction between them: a slow walk keeps neither the write-ahead log from being folded back
/// nor an import from committing.
class StoredRowCursor final : public RowCursor {
 public:
  static Result<std::unique_ptr<RowCursor>> open(const std::string& path, std::int64_t prototype_id);

  const std::vector<std::string>& columns() const override { return names_; }
  Result<bool> next(Row& row) override;
  void rewind() override;
  std::uint64_t row_count() const override { return row_count_; }

 private:
  struct FilePart {
    std::int64_t id = 0;
    std::int64_t first_row = 0;
    std::int64_t last_row = 0;
    std::vector<FileColumn> columns;
  };
  /// A text while its chunk is read: place and length in texts_.
  struct TextPlace {
    std::size_t cell = 0;
    std::size_t begin = 0;
    std::size_t length = 0;
  };
  struct ChunkRow {
    Timestamp time;
    std::size_t cells_end = 0;
  };

  StoredRowCursor(sqlite::Database database, std::int64_t prototype_id)
      : database_(std::move(database)), prototype_id_(prototype_id) {}
  Status load_files();
  Status open_file();
  Result<bool> load_chunk();
  void take_cell(int column, const FileColumn& file_column);
  void take_text(Cell cell, std::string_view text, const FileColumn& column);
  Status take_more(int place, const FilePart& file);

  sqlite::Database database_;
  std::int64_t prototype_id_;
  std::vector<StoredColumn> stored_;
  std::vector<std::string> names_;
  std::vector<FilePart> files_;
  std::uint64_t row_count_ = 0;
  Status loaded_;  ///< of the last rewind

  std::size_t file_ = 0;
  std::int64_t row_id_ = 0;  ///< the last one read
  bool more_ = false;        ///< the file has fields without a column of their own
  std::optional<sqlite::Statement> select_;
  simdjson::dom::parser parser_;

  std::vector<ChunkRow> chunk_;
  std::size_t chunk_next_ = 0;
  std::vector<Cell> cells_;
  std::string texts_;
  std::vector<TextPlace> text_places_;
};

}  // namespace iotstream::catalog
