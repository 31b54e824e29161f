#include "store/read_pool.hpp"

#include <algorithm>
#include <sqlite3.h>

#include <fmt/format.h>

#include "store/filter_sql.hpp"
#include "store/state.hpp"

namespace iotstream::store {

namespace {
constexpr std::size_t statements_max = 24;  ///< of a connection; a wide one takes some 100 kB
constexpr std::size_t layouts_max = 256;
constexpr int steps_between_looks = 20'000;  ///< of SQLite's machine: about a millisecond
}  // namespace

Result<sqlite::Statement*> ReadConnection::prepare(const std::string& sql) {
  if (const auto found = statements_.find(sql); found != statements_.end()) {
    found->second.reset();
    return &found->second;
  }
  auto statement = database_.prepare(sql);
  if (!statement) return statement.error();
  return &statements_.emplace(sql, std::move(*statement)).first->second;
}

Result<LayoutPtr> ReadConnection::layout(std::string_view dataset) {
  auto count = prepare("SELECT columns FROM datasets WHERE name = ?");
  if (!count) return count.error();
  (*count)->bind(1, dataset);
  auto found = (*count)->step();
  if (!found) return found.error();
  if (!*found) return LayoutPtr();
  const auto columns = static_cast<std::size_t>((*count)->integer(0));
  (*count)->reset();
  // Columns are only ever added: as many as before are the same as before.
  const std::string name(dataset);
  if (const auto known = layouts_.find(name); known != layouts_.end() && known->second->columns().size() == columns) {
    return known->second;
  }
  auto loaded = load_layout(database_, dataset);
  if (loaded && *loaded != nullptr) layouts_[name] = *loaded;
  return loaded;
}

Result<std::optional<std::int64_t>> ReadConnection::device_id(const Layout& layout, std::string_view name) {
  auto statement = prepare("SELECT id FROM devices WHERE dataset = ? AND name = ?");
  if (!statement) return statement.error();
  (*statement)->bind(1, layout.id()).bind(2, name);
  auto found = (*statement)->step();
  if (!found) return found.error();
  std::optional<std::int64_t> id;
  if (*found) id = (*statement)->integer(0);
  (*statement)->reset();
  return id;
}

Result<std::string> ReadConnection::device_name(std::int64_t id) {
  auto statement = prepare("SELECT name FROM devices WHERE id = ?");
  if (!statement) return statement.error();
  (*statement)->bind(1, id);
  auto found = (*statement)->step();
  if (!found) return found.error();
  if (!*found) return Error{ErrorKind::corrupt, fmt::format("history.db: no device has the id {}", id)};
  std::string name((*statement)->text(0));
  (*statement)->reset();
  return name;
}

void ReadConnection::watch(std::function<bool()> cancelled) {
  if (!cancelled) {
    sqlite3_progress_handler(database_.handle(), 0, nullptr, nullptr);
    cancelled_.reset();
    return;
  }
  cancelled_ = std::make_unique<std::function<bool()>>(std::move(cancelled));
  const auto asked = [](void* function) { return (*static_cast<std::function<bool()>*>(function))() ? 1 : 0; };
  sqlite3_progress_handler(database_.handle(), steps_between_looks, asked, cancelled_.get());
}

void ReadConnection::tidy() {
  if (statements_.size() > statements_max) statements_.clear();
  if (layouts_.size() > layouts_max) layouts_.clear();
}

Result<ReadTransaction> ReadTransaction::begin(ReadConnection& connection) {
  // The picture is taken by the first read, not by BEGIN; the caller's look at the layout is that.
  auto begin = connection.prepare("BEGIN");
  if (!begin) return begin.error();
  if (auto begun = (*begin)->run(); !begun) return begun.error();
  return ReadTransaction(connection);
}

ReadTransaction::~ReadTransaction() {
  if (connection_ == nullptr) return;
  // An interrupted or failed statement may have ended the transaction already: then this fails, and that is well.
  static_cast<void>(connection_->database().execute("ROLLBACK"));
}

Result<std::unique_ptr<ReadPool>> ReadPool::open(const std::string& path, unsigned connections) {
  std::unique_ptr<ReadPool> pool(new ReadPool());
  for (unsigned i = 0; i < connections; ++i) {
    auto database = sqlite::Database::open(path, sqlite::OpenMode::read_only);
    if (!database) return database.error();
    if (auto added = add_filter_function(*database); !added) return added.error();
    pool->free_.push_back(std::make_unique<ReadConnection>(std::move(*database)));
  }
  return pool;
}

Result<ReadPool::Lease> ReadPool::acquire() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return closed_ || !free_.empty(); });
  if (closed_) return Error{ErrorKind::unavailable, "history is closed"};
  auto connection = std::move(free_.back());
  free_.pop_back();
  taken_.push_back(connection.get());
  connection->tidy();
  return Lease(*this, std::move(connection));
}

void ReadPool::give_back(std::unique_ptr<ReadConnection> connection) {
  connection->watch(nullptr);
  const std::lock_guard lock(mutex_);
  std::erase(taken_, connection.get());
  free_.push_back(std::move(connection));
  changed_.notify_all();
}

void ReadPool::close() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  changed_.notify_all();
  // Again and again: an interrupt that comes between two statements of a query has nothing to stop.
  while (!taken_.empty()) {
    for (ReadConnection* connection : taken_) connection->database().interrupt();
    changed_.wait_for(lock, std::chrono::milliseconds(10));
  }
  free_.clear();
}

}  // namespace iotstream::store
