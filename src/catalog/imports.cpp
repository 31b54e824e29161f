#include <iotstream/catalog/imports.hpp>
#include <iotstream/os/process.hpp>

#include "catalog/file_imports.hpp"

namespace iotstream::catalog {
namespace {

constexpr std::size_t settled_kept = 100;
constexpr std::uint64_t disk_reserve_bytes = 64u << 20;

Error no_import(std::uint64_t id) { return {ErrorKind::not_found, fmt::format("there is no import {}", id)}; }

Error wrong_state(const Job& job, std::string_view what) {
  return {ErrorKind::conflict, fmt::format("import {} is {}: it cannot be {}", job.status.id, name_of(job.status.state), what)};
}

}  // namespace

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
