#include "sqlite/budget.hpp"

#include <atomic>
#include <mutex>
#include <new>
#include <sqlite3.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include <iotstream/base/assert.hpp>

namespace iotstream::sqlite {

namespace {

thread_local Budget* thread_budget = nullptr;
sqlite3_mem_methods plain;  // SQLite's own allocator; set once, before its first use
sqlite3_vfs* plain_vfs = nullptr;
sqlite3_vfs counting_vfs;

void* counted_malloc(int bytes) {
  Budget* budget = thread_budget;
  if (budget == nullptr) return plain.xMalloc(bytes);
  if (!budget->take_memory(bytes)) return nullptr;
  void* memory = plain.xMalloc(bytes);
  // What it really takes may be a little more; that is what free will give back.
  budget->give_memory(memory == nullptr ? bytes : bytes - plain.xSize(memory));
  return memory;
}

void counted_free(void* memory) {
  if (thread_budget != nullptr && memory != nullptr) thread_budget->give_memory(plain.xSize(memory));
  plain.xFree(memory);
}

void* counted_realloc(void* memory, int bytes) {
  Budget* budget = thread_budget;
  if (budget == nullptr) return plain.xRealloc(memory, bytes);
  const int before = plain.xSize(memory);
  if (!budget->take_memory(std::int64_t{bytes} - before)) return nullptr;
  void* moved = plain.xRealloc(memory, bytes);
  budget->give_memory(moved == nullptr ? std::int64_t{bytes} - before : std::int64_t{bytes} - plain.xSize(moved));
  return moved;
}

// ---- temporary files ----

/// SQLite gives szOsFile bytes for one of these; the real file stands behind it.
struct CountedFile {
  sqlite3_file base;
  std::string* path;   ///< the real file keeps a pointer to it
  std::int64_t bytes;  ///< taken from the budget
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

CountedFile& counted(sqlite3_file* file) { return *reinterpret_cast<CountedFile*>(file); }

int counted_close(sqlite3_file* file) {
  CountedFile& self = counted(file);
  if (thread_budget != nullptr) thread_budget->give_temporary(self.bytes);
  const int code = self.real()->pMethods->xClose(self.real());
  delete self.path;
  return code;
}
int counted_read(sqlite3_file* file, void* to, int bytes, sqlite3_int64 offset) {
  sqlite3_file* real = counted(file).real();
  return real->pMethods->xRead(real, to, bytes, offset);
}
int counted_write(sqlite3_file* file, const void* from, int bytes, sqlite3_int64 offset) {
  CountedFile& self = counted(file);
  const std::int64_t grown = offset + bytes - self.bytes;
  if (grown > 0 && thread_budget != nullptr) {
    if (!thread_budget->take_temporary(grown)) return SQLITE_FULL;
    self.bytes += grown;
  }
  return self.real()->pMethods->xWrite(self.real(), from, bytes, offset);
}
int counted_truncate(sqlite3_file* file, sqlite3_int64 size) {
  CountedFile& self = counted(file);
  if (size < self.bytes && thread_budget != nullptr) {
    thread_budget->give_temporary(self.bytes - size);
    self.bytes = size;
  }
  return self.real()->pMethods->xTruncate(self.real(), size);
}
int counted_sync(sqlite3_file*, int) { return SQLITE_OK; }  // nobody reads it after a loss of power
int counted_size(sqlite3_file* file, sqlite3_int64* size) {
  sqlite3_file* real = counted(file).real();
  return real->pMethods->xFileSize(real, size);
}
int counted_lock(sqlite3_file*, int) { return SQLITE_OK; }  // nobody else can have it open
int counted_reserved(sqlite3_file*, int* reserved) {
  *reserved = 0;
  return SQLITE_OK;
}
int counted_control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int counted_sector(sqlite3_file*) { return 4096; }
int counted_characteristics(sqlite3_file*) { return 0; }

/// Version 1: without memory maps, which would go past counted_write.
constexpr sqlite3_io_methods counted_methods = {1,
                                                counted_close,
                                                counted_read,
                                                counted_write,
                                                counted_truncate,
                                                counted_sync,
                                                counted_size,
                                                counted_lock,
                                                counted_lock,
                                                counted_reserved,
                                                counted_control,
                                                counted_sector,
                                                counted_characteristics,
                                                nullptr,
                                                nullptr,
                                                nullptr,
                                                nullptr,
                                                nullptr,
                                                nullptr};

int open_counted(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  Budget* budget = thread_budget;
  // Databases and their logs are opened as ever; only what is temporary counts.
  if (name != nullptr || budget == nullptr) return plain_vfs->xOpen(plain_vfs, name, file, flags, out_flags);
  static std::atomic<std::uint64_t> number{0};
  CountedFile& self = counted(file);
  self.base.pMethods = nullptr;
  self.bytes = 0;
  self.path = new (std::nothrow) std::string(fmt::format("{}/query-{}-{}.tmp", budget->folder(), ::getpid(), ++number));
  if (self.path == nullptr) return SQLITE_NOMEM;
  // With SQLITE_OPEN_DELETEONCLOSE in `flags` the name is gone as soon as the file is open: nothing is left after a crash.
  const int code = plain_vfs->xOpen(plain_vfs, self.path->c_str(), self.real(), flags, out_flags);
  if (code != SQLITE_OK) {
    delete self.path;
    return code;
  }
  self.base.pMethods = &counted_methods;
  return SQLITE_OK;
}

void install() {
  if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &plain) == SQLITE_OK) {
    sqlite3_mem_methods methods = plain;
    methods.xMalloc = counted_malloc;
    methods.xFree = counted_free;
    methods.xRealloc = counted_realloc;
    const int code = sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    IOTSTREAM_ASSERT(code == SQLITE_OK, "SQLite was used before its first Database: {}", code);
  }
  sqlite3_initialize();
  plain_vfs = sqlite3_vfs_find(nullptr);
  IOTSTREAM_ASSERT(plain_vfs != nullptr, "SQLite has no file system");
  counting_vfs = *plain_vfs;
  counting_vfs.zName = "iotstream-budget";
  counting_vfs.pNext = nullptr;
  counting_vfs.szOsFile = static_cast<int>(sizeof(CountedFile)) + plain_vfs->szOsFile;
  counting_vfs.xOpen = open_counted;
  sqlite3_vfs_register(&counting_vfs, 1);
}

}  // namespace

void install_budgets() {
  static std::once_flag once;
  std::call_once(once, install);
}

Budget::Budget(std::uint64_t memory, std::uint64_t temporary, std::string folder)
    : memory_max_(static_cast<std::int64_t>(memory)),
      temporary_max_(static_cast<std::int64_t>(temporary)),
      folder_(std::move(folder)) {
  IOTSTREAM_ASSERT(thread_budget == nullptr, "one budget a thread");
  thread_budget = this;
}

Budget::~Budget() { thread_budget = nullptr; }

Budget* Budget::current() { return thread_budget; }

bool Budget::take_memory(std::int64_t bytes) {
  if (bytes > 0 && memory_used_ + bytes > memory_max_) {
    memory_refused_ = true;
    return false;
  }
  memory_used_ += bytes;
  return true;
}

bool Budget::take_temporary(std::int64_t bytes) {
  if (temporary_used_ + bytes > temporary_max_) {
    temporary_refused_ = true;
    return false;
  }
  temporary_used_ += bytes;
  return true;
}

}  // namespace iotstream::sqlite
