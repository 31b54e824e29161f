// Imported files where a route asks for a dataset: `file:<id>`.
#pragma once

#include <memory>

#include <iotstream/catalog/files.hpp>
#include <iotstream/query/filter.hpp>

#include "http/parameters.hpp"

namespace iotstream::http {

/// A row of a file as a filter sees it: its device is the file's prototype, its offset the row's number.
class FileEvent final : public query::EventView {
 public:
  FileEvent(const catalog::FileRow& row, const catalog::FileInfo& file) : row_(row), file_(file) {}
  Timestamp time() const override { return row_.time; }
  std::string_view device() const override { return file_.prototype; }
  PartitionId partition() const override { return PartitionId(0); }
  Offset offset() const override { return Offset(row_.number); }
  FactsId facts() const override { return FactsId(0); }
  model::Value value(FieldId field) const override;

 private:
  const catalog::FileRow& row_;
  const catalog::FileInfo& file_;
};

/// Whether the route's `{dataset}` is an imported file.
bool is_file(const net::Request& request);
/// Errors: not_found.
Result<std::unique_ptr<catalog::FileRows>> open_file_of(const Services& services, const net::Request& request);

// The routes of datasets for a file.
Answer file_dataset(Services& services, const net::Request& request);
Answer file_schema(Services& services, const net::Request& request);
Answer file_events(Services& services, const net::Request& request);
Answer file_series(Services& services, const net::Request& request);

}  // namespace iotstream::http
