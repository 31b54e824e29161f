// catalog.db: prototypes, their datasets and models, and the rows of imported CSV files, ready to be replayed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/catalog/csv.hpp>
#include <iotstream/catalog/schemas.hpp>
#include <iotstream/metrics/metrics.hpp>
#include <iotstream/model/row.hpp>
#include <iotstream/model/schema.hpp>
#include <iotstream/os/clock.hpp>

namespace iotstream::catalog {

struct Prototype {
  std::string code;
  std::string label;
  std::string brand;
  std::string version;
  std::string dataset;
  std::string model_xml;  ///< the `desc --xml` document as given, or empty
  Facts facts = {};       ///< further members of its events, beside the five of enrichment_of()
};

/// The reference system's enrichment of a prototype's events: code_model (the dataset), codep (code), libelle (label), marque
/// (brand), version; then its further facts.
Facts enrichment_of(const Prototype& prototype);

/// A JSON object of texts, numbers, truth values and nulls as facts. Errors: invalid, naming the member that is none; too_large
/// beyond 64 facts or 1,000 bytes of one.
Result<Facts> facts_from_json(std::string_view object);
std::string facts_to_json(const Facts& facts);

/// What one import did.
struct ImportReport {
  std::string path;
  bool unchanged =
      false;  ///< this content was imported before: nothing was done; the rest tells of that import, without its problems
  bool replaced = false;   ///< the file at this path had other content before: its rows gave way to these
  std::uint64_t rows = 0;  ///< taken
  std::uint64_t rejected = 0;
  std::uint64_t left_out = 0;        ///< comments, the header again, units: nothing that a device measured
  std::vector<RowProblem> problems;  ///< the first 100
  std::uint64_t columns = 0;
  std::uint64_t columns_empty = 0;
  char separator = ',';
  std::string encoding;  ///< `utf-8`, `utf-8 with invalid bytes` (they became U+FFFD), `windows-1252`, `utf-16le` or `utf-16be`
  std::string time_column;  ///< `Date + Time` of two; empty: none found; rows are then 1 s apart or by a column of elapsed
                            ///< seconds, from 1970-01-01 on
  std::string pace_column;  ///< that column of elapsed seconds, if there is one
  std::optional<Timestamp> first_time;  ///< nothing without a time column
  std::optional<Timestamp> last_time;
  std::uint64_t bytes = 0;
};

struct ImportFile {
  std::int64_t id = 0;
  std::string prototype;
  std::string path;
  std::uint64_t rows = 0;
  std::uint64_t rejected = 0;
  Timestamp imported;
  std::optional<Timestamp> first_time;
  std::optional<Timestamp> last_time;
};

/// Walks a prototype's imported rows in time order (files by first time, rows within by time, then line), in bounded memory.
/// Rows imported meanwhile appear after a rewind(). Owns its own read-only connection; one thread at a time.
class RowCursor {
 public:
  virtual ~RowCursor() = default;
  /// All columns of all imported files but those that give the time or never hold a value. A place stays a column's place; a
  /// rewind() may add some at the end.
  virtual const std::vector<std::string>& columns() const = 0;
  struct Row {
    Timestamp time;           ///< as recorded
    std::vector<Cell> cells;  ///< only those that have a value
  };
  /// false at the end. Errors: io, corrupt, not_found (the prototype was removed).
  virtual Result<bool> next(Row& row) = 0;
  virtual void rewind() = 0;
  virtual std::uint64_t row_count() const = 0;
};

/// Thread-safe. Changes and imports wait for each other; looking things up does not wait for them: it has a connection of its
/// own, as has every cursor.
class Catalog {
 public:
  virtual ~Catalog() = default;

  /// Opens or creates `<directory>/catalog.db`. `schemas`, `clock`, `metrics` outlive it. Errors: io, corrupt, unsupported (a
  /// newer format).
  static Result<std::unique_ptr<Catalog>> open(const std::string& directory, Schemas& schemas, os::Clock& clock,
                                               metrics::Table& metrics);

  virtual std::vector<Prototype> prototypes() = 0;
  virtual std::optional<Prototype> find(std::string_view code) = 0;
  /// Creates or changes a prototype, declares its model's fields in its dataset's schema and its facts: events from now on have
  /// these, those of before keep theirs. Errors: invalid (the model, with line and reason; an empty code; a fact with a name
  /// that events have already), those of Schemas.
  virtual Status put(const Prototype& prototype) = 0;
  /// Removes a prototype and its imported rows; its events stay, new ones are no longer enriched. not_found.
  virtual Status remove(std::string_view code) = 0;

  /// Loads one CSV file into the prototype's rows: all of it is seen at once, when it is there, or nothing; declares its
  /// columns in the dataset's schema (those that hold values; the time column is the event's time, no field). A file whose
  /// content was loaded before for this prototype changes nothing; one whose content at this path was another, or read by other
  /// choices, replaces that one's rows. Errors: not_found (prototype or file), invalid (a CSV that is none), unprocessable (a
  /// choice that does not fit), conflict (the file is being written), unavailable (`progress` said stop), io, disk_full, those
  /// of Schemas.
  virtual Result<ImportReport> import_csv(std::string_view code, const std::string& path, const Progress& progress,
                                          const CsvChoices& choices = {}) = 0;
  /// Cheap check by path, size and time of change: true when this very file was imported and has not been touched since.
  virtual bool imported_unchanged(std::string_view code, const std::string& path) = 0;
  virtual std::vector<ImportFile> files() = 0;

  /// Errors: not_found.
  virtual Result<std::unique_ptr<RowCursor>> rows(std::string_view code) = 0;

  /// Small documents kept for others under a name: saved dashboards, simulations changed at run time.
  virtual Status put_document(std::string_view kind, std::string_view name, std::string_view json) = 0;
  virtual std::optional<std::string> document(std::string_view kind, std::string_view name) = 0;
};

/// Reads a `desc TABLE --xml` document into drafts: MySQL types mapped (tinyint(1) → boolean, int family → integer,
/// decimal/float/double → real, rest → text). No DTD, no entities. Errors: invalid with `line:column: reason`; too_large above
/// 1 MiB.
Result<std::vector<model::FieldDraft>> read_model(std::string_view xml);

}  // namespace iotstream::catalog
