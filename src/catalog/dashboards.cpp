#include <iterator>
#include <mutex>

#include <fmt/format.h>

#include <iotstream/catalog/dashboards.hpp>
#include <iotstream/os/process.hpp>
#include <iotstream/sqlite/database.hpp>

#include "catalog/tables.hpp"

namespace iotstream::catalog {

namespace {

// Beside the format, as `loads`: programs of before know nothing of it and need not.
constexpr std::string_view ddl =
    "CREATE TABLE IF NOT EXISTS dashboards(id TEXT PRIMARY KEY, name TEXT NOT NULL, document TEXT NOT NULL, "
    "changed_us INTEGER NOT NULL) WITHOUT ROWID";
constexpr std::size_t id_bytes = 8;

Error no_dashboard(std::string_view id) { return {ErrorKind::not_found, fmt::format("there is no dashboard '{}'", id)}; }

std::string new_id() {
  std::string id;
  for (const char byte : os::random_bytes(id_bytes))
    fmt::format_to(std::back_inserter(id), "{:02x}", static_cast<unsigned char>(byte));
  return id;
}

Status check(std::string_view name, std::string_view document) {
  if (name.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return Error{ErrorKind::unprocessable, "a dashboard needs a 'name'"};
  if (name.size() > Dashboards::name_bytes_max)
    return Error{ErrorKind::unprocessable,
                 fmt::format("the name of a dashboard has at most {} bytes", Dashboards::name_bytes_max)};
  if (document.size() > Dashboards::document_bytes_max)
    return Error{ErrorKind::too_large, fmt::format("the document has {} bytes; a dashboard has at most {}", document.size(),
                                                   Dashboards::document_bytes_max)};
  return {};
}

class SqliteDashboards final : public Dashboards {
 public:
  SqliteDashboards(sqlite::Database database, os::Clock& clock) : database_(std::move(database)), clock_(clock) {}

  Result<std::vector<DashboardLine>> list() override {
    const std::lock_guard lock(mutex_);
    auto select = database_.prepare(
        "SELECT id, name, changed_us, length(CAST(document AS BLOB)) FROM dashboards ORDER BY name COLLATE NOCASE, id");
    if (!select) return std::move(select).error();
    std::vector<DashboardLine> lines;
    for (;;) {
      const auto row = select->step();
      if (!row) return row.error();
      if (!*row) return lines;
      lines.push_back({std::string(select->text(0)), std::string(select->text(1)), Timestamp{select->integer(2)},
                       static_cast<std::uint64_t>(select->integer(3))});
    }
  }

  Result<Dashboard> find(std::string_view id) override {
    const std::lock_guard lock(mutex_);
    return select(id);
  }

  Result<Dashboard> create(std::string_view name, std::string_view document) override {
    if (Status good = check(name, document); !good) return std::move(good).error();
    const std::lock_guard lock(mutex_);
    const auto count = number(database_, "SELECT count(*) FROM dashboards");
    if (!count) return count.error();
    if (static_cast<std::size_t>(*count) >= count_max)
      return Error{ErrorKind::unprocessable, fmt::format("there are {} dashboards already; delete one first", *count)};
    return store("INSERT INTO dashboards(name, document, changed_us, id) VALUES(?, ?, ?, ?)", new_id(), name, document);
  }

  Result<Dashboard> change(std::string_view id, std::string_view name, std::string_view document) override {
    if (Status good = check(name, document); !good) return std::move(good).error();
    const std::lock_guard lock(mutex_);
    if (auto known = select(id); !known) return std::move(known).error();
    return store("UPDATE dashboards SET name = ?, document = ?, changed_us = ? WHERE id = ?", std::string(id), name, document);
  }

  Status remove(std::string_view id) override {
    const std::lock_guard lock(mutex_);
    if (auto known = select(id); !known) return std::move(known).error();
    return run(database_, "DELETE FROM dashboards WHERE id = ?", id);
  }

 private:
  Result<Dashboard> select(std::string_view id) {
    auto select = database_.prepare("SELECT name, document, changed_us FROM dashboards WHERE id = ?");
    if (!select) return std::move(select).error();
    select->bind(1, id);
    const auto row = select->step();
    if (!row) return row.error();
    if (!*row) return no_dashboard(id);
    return Dashboard{std::string(id), std::string(select->text(0)), std::string(select->text(1)),
                     Timestamp{select->integer(2)}};
  }

  Result<Dashboard> store(std::string_view sql, std::string id, std::string_view name, std::string_view document) {
    Dashboard dashboard{std::move(id), std::string(name), std::string(document), clock_.now()};
    if (Status done = run(database_, sql, dashboard.name, dashboard.document, dashboard.changed.us, dashboard.id); !done)
      return std::move(done).error();
    return dashboard;
  }

  std::mutex mutex_;
  sqlite::Database database_;  ///< guarded by mutex_
  os::Clock& clock_;
};

}  // namespace

Result<std::unique_ptr<Dashboards>> Dashboards::open(const std::string& directory, os::Clock& clock) {
  auto database = sqlite::Database::open(directory + "/catalog.db", sqlite::OpenMode::read_write);
  if (!database) return std::move(database).error();
  if (Status created = database->execute(ddl); !created) return std::move(created).error();
  return std::unique_ptr<Dashboards>(std::make_unique<SqliteDashboards>(std::move(*database), clock));
}

}  // namespace iotstream::catalog
