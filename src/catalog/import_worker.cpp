// The importing thread.
#include <iotstream/base/diagnostics.hpp>

#include "catalog/file_imports.hpp"

namespace iotstream::catalog {
namespace {

constexpr auto sweep_interval = std::chrono::seconds(30);

}  // namespace

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

}  // namespace iotstream::catalog
