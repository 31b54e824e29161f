#include "store/checkpointer.hpp"

#include <sqlite3.h>

#include <iotstream/base/diagnostics.hpp>

namespace iotstream::store {

namespace {
constexpr int pages_max = 4000;  ///< 16 MiB; measured: README.md
constexpr std::chrono::seconds age_max{30};
constexpr std::string_view pin_name = "history";
}  // namespace

Checkpointer::Checkpointer(sqlite::Database& database, log::Log& log, metrics::Table& metrics)
    : database_(database),
      log_(log),
      checkpoints_(metrics.counter("iotstream_store_checkpoints_total", "Complete checkpoints of history.db.")),
      wal_pages_(metrics.gauge("iotstream_store_wal_pages", "Pages in history.db's write-ahead log.")),
      pages_next_(pages_max),
      last_(std::chrono::steady_clock::now()) {
  // Replaces SQLite's own checkpoint at 1,000 pages, which is a hook, too.
  sqlite3_wal_hook(database_.handle(), note_pages, this);
}

Checkpointer::~Checkpointer() { sqlite3_wal_hook(database_.handle(), nullptr, nullptr); }

int Checkpointer::note_pages(void* self, sqlite3* /*database*/, const char* /*name*/, int pages) {
  static_cast<Checkpointer*>(self)->pages_ = pages;
  return SQLITE_OK;
}

void Checkpointer::after_commit(const State& state, Time now) {
  wal_pages_.set(pages_);
  if (pages_ >= pages_next_ || now - last_ >= age_max) checkpoint(state, now);
}

void Checkpointer::checkpoint(const State& state, Time now) {
  last_ = now;
  int pages = 0;
  int copied = 0;
  const int code = sqlite3_wal_checkpoint_v2(database_.handle(), "main", SQLITE_CHECKPOINT_PASSIVE, &pages, &copied);
  if (code != SQLITE_OK) {
    // Busy: somebody else is at it. Full or failing: rows are safe in the write-ahead log; the commits will complain.
    diagnostics::debug("store", "checkpoint of history.db: {}", sqlite3_errmsg(database_.handle()));
    pages_next_ = pages_ + pages_max;
    return;
  }
  if (copied < pages) {
    // A reader still needs older pages. Not again at every commit: each try is a sync.
    pages_next_ = pages + pages_max;
    return;
  }
  pages_ = 0;
  pages_next_ = pages_max;
  checkpoints_.add();
  wal_pages_.set(0);
  pin(state);
}

void Checkpointer::pin(const State& state) {
  for (const auto& [name, dataset] : state) {
    log::Topic* topic = log_.find(name);
    if (topic == nullptr) continue;
    for (std::uint32_t i = 0; i < topic->partition_count() && i < dataset->partitions.size(); ++i) {
      topic->partition(PartitionId(i)).pin(pin_name, dataset->partitions[i].next);
    }
  }
}

}  // namespace iotstream::store
