// The one kind of Imports: its door is in imports.cpp, the importing thread's half in import_worker.cpp.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include <iotstream/catalog/imports.hpp>

#include "catalog/folder_watch.hpp"
#include "catalog/upload_files.hpp"

namespace iotstream::catalog {

inline bool is_open(ImportState state) { return state < ImportState::done; }

/// One import. Everything but `cancelled` is guarded by the lock of all.
struct Job {
  ImportStatus status;
  StoredUpload upload;
  ImportRequest request;
  bool writing = false;  ///< a piece is on its way to the disk
  bool accepted = false;
  std::atomic<bool> cancelled{false};  ///< relaxed: the work sees it at its next look
  std::vector<std::function<void(const ImportStatus&)>> callbacks;
};
using JobPtr = std::shared_ptr<Job>;

class FileImports final : public Imports {
 public:
  FileImports(ImportsOptions options, Catalog& catalog, os::Disk& disk, os::Clock& clock, metrics::Table& metrics)
      : options_(std::move(options)),
        catalog_(catalog),
        disk_(disk),
        clock_(clock),
        files_(options_.directory, disk),
        failed_(metrics.counter("iotstream_catalog_imports_failed_total", "CSV files that could not be imported")),
        upload_bytes_(metrics.counter("iotstream_catalog_upload_bytes_total", "bytes of uploads received")),
        open_(metrics.gauge("iotstream_catalog_imports_open", "uploads and imports that have not ended")) {
    for (const config::Watch& watch : options_.watches) watches_.emplace_back(watch, disk);
  }
  ~FileImports() override { stop(); }

  Status start();
  void watch() override;
  void stop() override;
  Result<ImportStatus> create(const ImportRequest& request, std::uint64_t size) override;
  Result<ImportStatus> append(std::uint64_t id, std::uint64_t offset, ByteView bytes) override;
  Result<ImportStatus> look(std::uint64_t id, const CsvChoices& choices) override;
  Result<ImportStatus> accept(std::uint64_t id, const ImportRequest& request) override;
  Result<ImportStatus> load(const ImportRequest& request, std::string_view body) override;
  Status remove(std::uint64_t id) override;
  std::optional<ImportStatus> find(std::uint64_t id) const override;
  std::vector<ImportStatus> list() const override;
  void when_settled(std::uint64_t id, std::function<void(const ImportStatus&)> callback) override;

 private:
  // With the lock held:
  JobPtr add(ImportState state, std::string source, const ImportRequest& request, std::uint64_t size);
  JobPtr job_of(std::uint64_t id) const;
  void enqueue(const JobPtr& job, ImportState state);
  void forget_old();
  std::size_t open_count() const;
  Status room_for(std::uint64_t size) const;

  // On the importing thread, without the lock:
  void run();
  void check(const JobPtr& job);
  void import(const JobPtr& job, const std::string& path);
  Status ensure_prototype(const ImportRequest& request);
  void settle(const JobPtr& job, ImportState state, const Error* error);
  bool advance(const JobPtr& job, std::uint64_t done);
  void sweep();
  void look_into_folders();
  void take_from_folder(FolderWatch& folder, const std::string& path);

  ImportsOptions options_;
  Catalog& catalog_;
  os::Disk& disk_;
  os::Clock& clock_;
  UploadFiles files_;
  metrics::Counter& failed_;
  metrics::Counter& upload_bytes_;
  metrics::Gauge& open_;

  mutable std::mutex mutex_;  ///< guards the jobs, the queue and the flags
  std::condition_variable wake_;
  std::map<std::uint64_t, JobPtr> jobs_;
  std::deque<JobPtr> queue_;
  std::uint64_t last_id_ = 0;
  bool watching_ = false;
  bool stopping_ = false;
  std::atomic<bool> ending_{false};  ///< relaxed, as Job::cancelled

  std::vector<FolderWatch> watches_;  ///< the importing thread's
  std::thread thread_;
};

}  // namespace iotstream::catalog
