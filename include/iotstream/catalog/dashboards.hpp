// Saved dashboards: small JSON documents with a name, in catalog.db.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/os/clock.hpp>

namespace iotstream::catalog {

struct Dashboard {
  std::string id;  ///< 16 hexadecimal digits, random: a link to a deleted dashboard never leads to another one
  std::string name;
  std::string document;  ///< a JSON object, as it was given
  Timestamp changed;
};

/// A dashboard without its document.
struct DashboardLine {
  std::string id;
  std::string name;
  Timestamp changed;
  std::uint64_t bytes = 0;  ///< of the document
};

/// Thread-safe: one caller at a time, the others wait. Every door may wait for the disk, and a change for 5 s at most for an
/// import that is storing (then busy). Errors of all: busy, io, disk_full, corrupt.
class Dashboards {
 public:
  static constexpr std::size_t document_bytes_max = std::size_t{256} * 1024;
  static constexpr std::size_t name_bytes_max = 200;
  static constexpr std::size_t count_max = 500;

  virtual ~Dashboards() = default;

  /// Opens `<directory>/catalog.db`, which Catalog::open has made. `clock` outlives it.
  static Result<std::unique_ptr<Dashboards>> open(const std::string& directory, os::Clock& clock);

  /// By name.
  virtual Result<std::vector<DashboardLine>> list() = 0;
  /// Errors: also not_found.
  virtual Result<Dashboard> find(std::string_view id) = 0;
  /// `document` is the text of a JSON object; the caller has parsed it. Errors: also unprocessable (no name, a long one, or
  /// there are count_max), too_large (the document).
  virtual Result<Dashboard> create(std::string_view name, std::string_view document) = 0;
  /// Errors: also not_found, unprocessable, too_large.
  virtual Result<Dashboard> change(std::string_view id, std::string_view name, std::string_view document) = 0;
  /// Errors: also not_found.
  virtual Status remove(std::string_view id) = 0;
};

}  // namespace iotstream::catalog
