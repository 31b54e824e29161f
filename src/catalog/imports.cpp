#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>
#include <iotstream/catalog/imports.hpp>
#include <iotstream/os/process.hpp>

#include "catalog/folder_watch.hpp"
#include "catalog/upload_files.hpp"

namespace iotstream::catalog {
namespace {

constexpr std::size_t settled_kept = 100;
constexpr std::uint64_t disk_reserve_bytes = 64u << 20;
constexpr auto sweep_interval = std::chrono::seconds(30);

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

Error no_import(std::uint64_t id) { return {ErrorKind::not_found, fmt::format("there is no import {}", id)}; }

Error wrong_state(const Job& job, std::string_view what) {
  return {ErrorKind::conflict, fmt::format("import {} is {}: it cannot be {}", job.status.id, name_of(job.status.state), what)};
}

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

Status FileImports::start() {
  auto uploads = files_.load();
  if (!uploads) return uploads.error();
  const Timestamp now = clock_.now();
  for (StoredUpload& upload : *uploads) {
    auto job = std::make_shared<Job>();
    job->request = upload.request;
    job->status = {upload.id,
                   ImportState::receiving,
                   "upload",
                   upload.request.name,
                   upload.request.prototype,
                   upload.size,
                   upload.received,
                   0,
                   upload.created,
                   Timestamp{now.us + upload.changed.us},
                   {},
                   {},
                   {},
                   ErrorKind::invalid};
    job->upload = std::move(upload);
    jobs_[job->status.id] = job;
    last_id_ = std::max(last_id_, job->status.id);
    if (job->status.bytes_received == job->status.bytes_total) enqueue(job, ImportState::checking);
  }
  open_.set(static_cast<std::int64_t>(open_count()));
  thread_ = std::thread([this] {
    os::name_thread("imports");
    run();
  });
  return {};
}

void FileImports::watch() {
  const std::lock_guard lock(mutex_);
  watching_ = true;
  wake_.notify_one();
}

void FileImports::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    ending_.store(true, std::memory_order_relaxed);
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

JobPtr FileImports::add(ImportState state, std::string source, const ImportRequest& request, std::uint64_t size) {
  const Timestamp now = clock_.now();
  last_id_ = std::max(last_id_ + 1, static_cast<std::uint64_t>(std::max<std::int64_t>(now.us, 0)) / 1000);
  auto job = std::make_shared<Job>();
  job->request = request;
  job->status = {last_id_, state, std::move(source), request.name, request.prototype, size, 0, 0, now, now, {},
                 {},       {},    ErrorKind::invalid};
  job->upload = {last_id_, request, size, 0, now, now, files_.path_of(last_id_, request.name)};
  jobs_[last_id_] = job;
  forget_old();
  open_.set(static_cast<std::int64_t>(open_count()));
  return job;
}

JobPtr FileImports::job_of(std::uint64_t id) const {
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? nullptr : found->second;
}

void FileImports::enqueue(const JobPtr& job, ImportState state) {
  job->status.state = state;
  job->status.bytes_done = 0;
  job->status.changed = clock_.now();
  queue_.push_back(job);
  wake_.notify_one();
}

bool is_open(ImportState state) { return state < ImportState::done; }

std::size_t FileImports::open_count() const {
  std::size_t count = 0;
  for (const auto& [id, job] : jobs_) count += is_open(job->status.state) ? 1 : 0;
  return count;
}

void FileImports::forget_old() {
  std::size_t ended = jobs_.size() - open_count();
  for (auto at = jobs_.begin(); at != jobs_.end() && ended > settled_kept;) {
    const bool open = is_open(at->second->status.state);
    at = open ? std::next(at) : jobs_.erase(at);
    if (!open) --ended;
  }
}

Status FileImports::room_for(std::uint64_t size) const {
  if (open_count() >= options_.open_max)
    return Error{ErrorKind::busy, fmt::format("{} imports are under way; try again when some have ended", options_.open_max)};
  const auto free = disk_.free_bytes(options_.directory);
  // The file itself, and its rows.
  if (free && *free < size * 2 + disk_reserve_bytes)
    return Error{ErrorKind::disk_full, fmt::format("{} bytes need twice their room and {} are free", size, *free)};
  return {};
}

Result<ImportStatus> FileImports::create(const ImportRequest& request, std::uint64_t size) {
  if (size == 0) return Error{ErrorKind::unprocessable, "an upload says how many bytes it will have: size, above 0"};
  if (size > options_.upload_bytes_max)
    return Error{ErrorKind::too_large, fmt::format("an upload of {} bytes; {} are allowed", size, options_.upload_bytes_max)};
  const std::lock_guard lock(mutex_);
  if (Status room = room_for(size); !room) return std::move(room).error();
  const JobPtr job = add(ImportState::receiving, "upload", request, size);
  if (Status created = files_.create(job->upload); !created) {
    files_.remove(job->upload);
    jobs_.erase(job->status.id);
    return std::move(created).error();
  }
  return job->status;
}

Result<ImportStatus> FileImports::append(std::uint64_t id, std::uint64_t offset, ByteView bytes) {
  JobPtr job;
  {
    const std::lock_guard lock(mutex_);
    job = job_of(id);
    if (!job) return no_import(id);
    const std::uint64_t received = job->status.bytes_received;
    if (offset <= received && offset + bytes.size() <= received) return job->status;  // an answer was lost
    if (job->status.state != ImportState::receiving) return wrong_state(*job, "continued");
    if (job->writing) return Error{ErrorKind::conflict, fmt::format("another piece of import {} is being written", id)};
    if (offset != received)
      return Error{ErrorKind::conflict,
                   fmt::format("{} bytes are here: go on at offset {}, not {}", received, received, offset)};
    if (bytes.size() > job->status.bytes_total - received)
      return Error{ErrorKind::too_large, fmt::format("{} bytes were announced; this piece ends at {}", job->status.bytes_total,
                                                     offset + bytes.size())};
    job->writing = true;
  }
  const Status written = files_.append(job->upload, offset, bytes);
  const std::lock_guard lock(mutex_);
  job->writing = false;
  if (!written) return written.error();
  if (job->cancelled) {
    files_.remove(job->upload);
    return no_import(id);
  }
  upload_bytes_.add(bytes.size());
  job->status.bytes_received += bytes.size();
  job->status.changed = clock_.now();
  if (job->status.bytes_received == job->status.bytes_total) enqueue(job, ImportState::checking);
  return job->status;
}

Result<ImportStatus> FileImports::look(std::uint64_t id, const CsvChoices& choices) {
  const std::lock_guard lock(mutex_);
  const JobPtr job = job_of(id);
  if (!job) return no_import(id);
  if (job->status.state != ImportState::preview) return wrong_state(*job, "looked at again");
  job->request.choices = choices;
  enqueue(job, ImportState::checking);
  return job->status;
}

Result<ImportStatus> FileImports::accept(std::uint64_t id, const ImportRequest& request) {
  const std::lock_guard lock(mutex_);
  const JobPtr job = job_of(id);
  if (!job) return no_import(id);
  if (job->status.state != ImportState::preview) return wrong_state(*job, "accepted");
  if (request.prototype.empty() && job->request.prototype.empty())
    return Error{ErrorKind::unprocessable, "say which prototype the rows belong to"};
  const auto take_over = [](std::string& target, const std::string& said) {
    if (!said.empty()) target = said;
  };
  take_over(job->request.prototype, request.prototype);
  take_over(job->request.dataset, request.dataset);
  take_over(job->request.label, request.label);
  take_over(job->request.name, request.name);
  if (request.choices.any()) job->request.choices = request.choices;
  job->status.prototype = job->request.prototype;
  job->status.name = job->request.name;
  job->accepted = true;
  enqueue(job, ImportState::waiting);
  return job->status;
}

Result<ImportStatus> FileImports::load(const ImportRequest& request, std::string_view body) {
  if (request.prototype.empty())
    return Error{ErrorKind::unprocessable, "say which prototype the rows belong to: ?prototype=CODE"};
  JobPtr job;
  {
    const std::lock_guard lock(mutex_);
    if (Status room = room_for(body.size()); !room) return std::move(room).error();
    job = add(ImportState::waiting, "body", request, body.size());
    job->accepted = true;
  }
  const Status written = files_.write_whole(job->upload.path, as_bytes(body));
  const std::lock_guard lock(mutex_);
  if (!written) {
    jobs_.erase(job->status.id);
    return written.error();
  }
  job->status.bytes_received = body.size();
  enqueue(job, ImportState::waiting);
  return job->status;
}

Status FileImports::remove(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const JobPtr job = job_of(id);
  if (!job) return no_import(id);
  job->cancelled.store(true, std::memory_order_relaxed);
  if (!job->status.settled()) return {};  // the importing thread ends it
  if (is_open(job->status.state) && !job->writing) files_.remove(job->upload);
  jobs_.erase(id);
  open_.set(static_cast<std::int64_t>(open_count()));
  return {};
}

std::optional<ImportStatus> FileImports::find(std::uint64_t id) const {
  const std::lock_guard lock(mutex_);
  const JobPtr job = job_of(id);
  return job ? std::optional(job->status) : std::nullopt;
}

std::vector<ImportStatus> FileImports::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<ImportStatus> all;
  for (auto at = jobs_.rbegin(); at != jobs_.rend(); ++at) all.push_back(at->second->status);
  return all;
}

void FileImports::when_settled(std::uint64_t id, std::function<void(const ImportStatus&)> callback) {
  std::unique_lock lock(mutex_);
  const JobPtr job = job_of(id);
  if (!job) return;
  if (!job->status.settled()) {
    job->callbacks.push_back(std::move(callback));
    return;
  }
  const ImportStatus status = job->status;
  lock.unlock();
  callback(status);
}

void FileImports::run() {
  auto next_sweep = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (!queue_.empty()) {
      const JobPtr job = queue_.front();
      queue_.pop_front();
      lock.unlock();
      job->accepted ? import(job, job->upload.path) : check(job);
      lock.lock();
      continue;
    }
    const bool watching = watching_;
    lock.unlock();
    const auto now = std::chrono::steady_clock::now();
    if (now >= next_sweep) {
      sweep();
      next_sweep = now + sweep_interval;
    }
    if (watching) look_into_folders();
    lock.lock();
    if (stopping_ || !queue_.empty()) continue;
    std::int64_t wait_ns = std::chrono::nanoseconds(sweep_interval).count();
    if (watching)
      for (const FolderWatch& folder : watches_)
        wait_ns = std::min(wait_ns, std::max<std::int64_t>(0, folder.due_ns() - clock_.monotonic_ns()));
    wake_.wait_for(lock, std::chrono::nanoseconds(wait_ns),
                   [&] { return stopping_ || !queue_.empty() || watching_ != watching; });
  }
}

bool FileImports::advance(const JobPtr& job, std::uint64_t done) {
  const std::lock_guard lock(mutex_);
  job->status.bytes_done = done;
  return !job->cancelled.load(std::memory_order_relaxed) && !ending_.load(std::memory_order_relaxed);
}

void FileImports::check(const JobPtr& job) {
  CsvChoices choices;
  {
    const std::lock_guard lock(mutex_);
    choices = job->request.choices;
  }
  auto preview = preview_csv(job->upload.path, choices, [&](std::uint64_t done, std::uint64_t) { return advance(job, done); });
  if (ending_.load(std::memory_order_relaxed)) return;  // the next process looks again
  const bool first = !job->status.preview;
  if (preview) {
    const std::lock_guard lock(mutex_);
    job->status.preview = std::make_shared<const CsvPreview>(std::move(*preview));
    job->status.problem.clear();
  }
  if (preview || !first) return settle(job, ImportState::preview, preview ? nullptr : &preview.error());
  settle(job, ImportState::failed, &preview.error());
}

Status FileImports::ensure_prototype(const ImportRequest& request) {
  if (catalog_.find(request.prototype)) return {};
  Prototype prototype;
  prototype.code = request.prototype;
  prototype.dataset = request.dataset.empty() ? request.prototype : request.dataset;
  prototype.label = request.label.empty() ? request.prototype : request.label;
  return catalog_.put(prototype);
}

void FileImports::import(const JobPtr& job, const std::string& path) {
  ImportRequest request;
  {
    const std::lock_guard lock(mutex_);
    request = job->request;
    job->status.state = ImportState::running;
  }
  const Status prototype = ensure_prototype(request);
  Result<ImportReport> report =
      prototype
          ? catalog_.import_csv(
                request.prototype, path, [&](std::uint64_t done, std::uint64_t) { return advance(job, done); }, request.choices)
          : Result<ImportReport>(prototype.error());
  if (report) {
    report->path = request.name;
    const std::lock_guard lock(mutex_);
    job->status.report = std::make_shared<const ImportReport>(std::move(*report));
  }
  settle(job, report ? ImportState::done : ImportState::failed, report ? nullptr : &report.error());
}

/// Ends a step: files that are no longer needed go, and those who wait are told.
void FileImports::settle(const JobPtr& job, ImportState state, const Error* error) {
  std::vector<std::function<void(const ImportStatus&)>> callbacks;
  ImportStatus status;
  {
    const std::lock_guard lock(mutex_);
    const bool cancelled = job->cancelled.load(std::memory_order_relaxed) && state != ImportState::done;
    job->status.state = cancelled ? ImportState::cancelled : state;
    job->status.changed = clock_.now();
    if (error != nullptr && !cancelled) {
      job->status.problem = error->message;
      // Where an upload lies is nobody's business.
      if (job->status.source != "folder" && error->message.starts_with(job->upload.path))
        job->status.problem.replace(0, job->upload.path.size(), job->status.name);
      job->status.problem_kind = error->kind;
    }
    if (!is_open(job->status.state) && job->status.source != "folder") files_.remove(job->upload);
    callbacks = std::exchange(job->callbacks, {});
    open_.set(static_cast<std::int64_t>(open_count()));
    status = job->status;
  }
  if (status.state == ImportState::failed) {
    failed_.add();
    diagnostics::warning("catalog", "import of {} failed: {}", status.name, status.problem);
  }
  for (const auto& callback : callbacks) callback(status);
}

void FileImports::sweep() {
  const std::lock_guard lock(mutex_);
  const Timestamp oldest = clock_.now() - options_.keep;
  for (auto at = jobs_.begin(); at != jobs_.end();) {
    const Job& job = *at->second;
    const bool idle = job.status.state == ImportState::receiving || job.status.state == ImportState::preview;
    if (!idle || job.writing || job.status.changed >= oldest) {
      ++at;
      continue;
    }
    diagnostics::info("catalog", "the upload of {} was left alone for too long: removed", job.status.name);
    files_.remove(job.upload);
    at = jobs_.erase(at);
  }
  open_.set(static_cast<std::int64_t>(open_count()));
}

void FileImports::look_into_folders() {
  for (FolderWatch& folder : watches_) {
    if (clock_.monotonic_ns() < folder.due_ns()) continue;
    for (const std::string& path : folder.look(clock_.monotonic_ns())) {
      if (ending_.load(std::memory_order_relaxed)) return;
      take_from_folder(folder, path);
    }
  }
}

void FileImports::take_from_folder(FolderWatch& folder, const std::string& path) {
  const config::Watch& settings = folder.settings();
  ImportRequest request;
  request.name = path;
  request.prototype = folder.prototype_of(path);
  request.dataset = settings.dataset;
  request.label = settings.label;
  if (catalog_.imported_unchanged(request.prototype, path)) return folder.done_with(path);
  JobPtr job;
  {
    const std::lock_guard lock(mutex_);
    std::error_code ignored;
    job = add(ImportState::waiting, "folder", request, 0);
    job->accepted = true;
  }
  import(job, path);
  const auto status = find(job->status.id);
  const bool later = status && status->state == ImportState::failed && status->problem_kind == ErrorKind::conflict;
  if (!later && !ending_.load(std::memory_order_relaxed)) folder.done_with(path);
  if (status && status->state == ImportState::done) {
    diagnostics::info("catalog", "{}: {} rows for {}, {} could not be taken", path, status->report->rows, request.prototype,
                      status->report->rejected);
    if (options_.loaded) options_.loaded(settings, request.prototype);
  }
}

}  // namespace

std::string_view name_of(ImportState state) {
  constexpr std::string_view names[] = {"receiving", "checking", "preview", "waiting",
                                        "running",   "done",     "failed",  "cancelled"};
  return names[static_cast<std::size_t>(state)];
}

Result<std::unique_ptr<Imports>> Imports::open(ImportsOptions options, Catalog& catalog, os::Disk& disk, os::Clock& clock,
                                               metrics::Table& metrics) {
  auto imports = std::make_unique<FileImports>(std::move(options), catalog, disk, clock, metrics);
  if (Status started = imports->start(); !started) return std::move(started).error();
  return std::unique_ptr<Imports>(std::move(imports));
}

}  // namespace iotstream::catalog
