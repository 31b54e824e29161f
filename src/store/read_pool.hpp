// Read-only connections to history.db, shared by all threads that ask.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/sqlite/database.hpp>

#include "store/layout.hpp"

namespace iotstream::store {

/// One connection with what it remembers. One thread at a time.
class ReadConnection {
 public:
  explicit ReadConnection(sqlite::Database database) : database_(std::move(database)) {}

  /// A statement kept prepared under its text; reset, without bindings that matter: the caller binds all. Valid until the
  /// connection is given back.
  Result<sqlite::Statement*> prepare(const std::string& sql);
  /// How the dataset lies in the database as this transaction sees it; nullptr: it is not there.
  Result<LayoutPtr> layout(std::string_view dataset);
  /// The device's id; nothing: it has no events.
  Result<std::optional<std::int64_t>> device_id(const Layout& layout, std::string_view name);
  Result<std::string> device_name(std::int64_t id);

  sqlite::Database& database() { return database_; }
  /// Interrupts what runs on it as soon as `cancelled` says so; nothing: nobody does.
  void watch(std::function<bool()> cancelled);
  /// Between queries: forgets statements when there are many.
  void tidy();

 private:
  sqlite::Database database_;
  std::unordered_map<std::string, sqlite::Statement> statements_;  ///< die before the connection
  std::unordered_map<std::string, LayoutPtr> layouts_;
  std::unique_ptr<std::function<bool()>> cancelled_;  ///< SQLite has its address
};

/// A consistent picture of the database while it lives.
class ReadTransaction {
 public:
  static Result<ReadTransaction> begin(ReadConnection& connection);
  ReadTransaction(ReadTransaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  ReadTransaction& operator=(ReadTransaction&&) = delete;
  ~ReadTransaction();

 private:
  explicit ReadTransaction(ReadConnection& connection) : connection_(&connection) {}
  ReadConnection* connection_;
};

/// A few connections; whoever finds none free waits for one. Any thread.
class ReadPool {
 public:
  static Result<std::unique_ptr<ReadPool>> open(const std::string& path, unsigned connections);
  ~ReadPool() { close(); }

  /// Holds a connection and gives it back.
  class Lease {
   public:
    Lease(ReadPool& pool, std::unique_ptr<ReadConnection> connection) : pool_(&pool), connection_(std::move(connection)) {}
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (connection_) pool_->give_back(std::move(connection_));
    }
    ReadConnection& operator*() { return *connection_; }
    ReadConnection* operator->() { return connection_.get(); }

   private:
    ReadPool* pool_;
    std::unique_ptr<ReadConnection> connection_;
  };

  /// Blocks while all are taken. Errors: unavailable after close().
  Result<Lease> acquire();
  /// Interrupts what runs, waits until all are back, closes them. Idempotent.
  void close();

 private:
  ReadPool() = default;
  void give_back(std::unique_ptr<ReadConnection> connection);

  std::mutex mutex_;  ///< guards all below; held for moments only
  std::condition_variable changed_;
  std::vector<std::unique_ptr<ReadConnection>> free_;
  std::vector<ReadConnection*> taken_;
  bool closed_ = false;
};

}  // namespace iotstream::store
