#include "support/memory_disk.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace iotstream::test {

using os::OpenMode;

namespace {

constexpr std::uint64_t sector_size = 512;

std::string parent(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string without_end_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

Error error(ErrorKind kind, std::string_view action, const std::string& path, std::string_view reason) {
  return {kind, fmt::format("cannot {} {}: {}", action, path, reason)};
}

std::string_view name_of(Operation operation) {
  constexpr std::string_view names[] = {"open", "read",   "write",  "allocate",    "sync", "truncate",
                                        "list", "rename", "remove", "sync folder", "use"};
  return names[static_cast<std::size_t>(operation)];
}

void put(std::string& content, std::uint64_t position, std::string_view bytes) {
  if (bytes.empty()) return;
  if (content.size() < position + bytes.size()) content.resize(position + bytes.size());
  std::memcpy(content.data() + position, bytes.data(), bytes.size());
}

}  // namespace

/// Done to the cache and not yet to the disk: a write, or a new size.
struct MemoryDisk::Change {
  std::uint64_t position = 0;
  std::string bytes;
  std::optional<std::uint64_t> size;

  void apply(std::string& content) const {
    if (size) {
      content.resize(*size);
    } else {
      put(content, position, bytes);
    }
  }

  /// As a failing power supply does it: each sector by itself.
  void apply_torn(std::string& content, std::mt19937_64& random) const {
    const auto fate = random() % 3;
    if (fate == 0) return;
    if (fate == 1 || size) return apply(content);
    for (std::uint64_t at = 0; at < bytes.size();) {
      const std::uint64_t sector_end = ((position + at) / sector_size + 1) * sector_size - position;
      const std::uint64_t next = std::min<std::uint64_t>(sector_end, bytes.size());
      if (random() % 2 == 0) put(content, position + at, std::string_view(bytes).substr(at, next - at));
      at = next;
    }
  }
};

struct MemoryDisk::Inode {
  std::string cached;
  std::string durable;
  std::vector<Change> pending;  ///< what makes `durable` into `cached`, except what a failed sync has dropped

  void change(Change change) {
    change.apply(cached);
    pending.push_back(std::move(change));
  }
};

class MemoryDisk::OpenFile final : public os::File {
 public:
  OpenFile(MemoryDisk& disk, std::shared_ptr<Inode> inode, std::string path, bool writable)
      : disk_(disk), inode_(std::move(inode)), path_(std::move(path)), writable_(writable), life_(disk.life_) {}

  Result<std::size_t> read_at(std::uint64_t position, MutableByteView bytes) const override {
    const std::lock_guard lock(disk_.mutex_);
    if (auto failed = begin(Operation::read, false)) return *failed;
    const std::string& content = inode_->cached;
    if (position >= content.size()) return std::size_t{0};
    const std::size_t n = std::min<std::size_t>(bytes.size(), content.size() - position);
    if (n > 0) std::memcpy(bytes.data(), content.data() + position, n);
    return n;
  }

  Status write_at(std::uint64_t position, ByteView bytes) override {
    const std::lock_guard lock(disk_.mutex_);
    if (auto failed = begin(Operation::write, true)) return *failed;
    return disk_.write(*inode_, path_, position, bytes);
  }

  Status allocate(std::uint64_t position, std::uint64_t length) override {
    const std::lock_guard lock(disk_.mutex_);
    if (auto failed = begin(Operation::allocate, true)) return *failed;
    return disk_.allocate(*inode_, path_, position, length);
  }

  Status sync() override {
    std::unique_lock lock(disk_.mutex_);
    return disk_.sync(lock, *inode_, path_, life_);
  }

  Status truncate(std::uint64_t size) override {
    const std::lock_guard lock(disk_.mutex_);
    if (auto failed = begin(Operation::truncate, true)) return *failed;
    inode_->change({0, {}, size});
    return {};
  }

  Result<std::uint64_t> size() const override {
    const std::lock_guard lock(disk_.mutex_);
    if (!alive()) return dead();
    return inode_->cached.size();
  }

 private:
  bool alive() const { return disk_.powered_ && life_ == disk_.life_; }
  Error dead() const { return error(ErrorKind::io, "use", path_, "the machine has crashed since it was opened"); }

  std::optional<Error> begin(Operation operation, bool changes) const {
    if (!alive()) return dead();
    if (changes && !writable_) return error(ErrorKind::io, name_of(operation), path_, "opened for reading");
    return disk_.begin(operation, path_, changes);
  }

  MemoryDisk& disk_;
  std::shared_ptr<Inode> inode_;
  std::string path_;
  bool writable_;
  std::uint64_t life_;
};

MemoryDisk::MemoryDisk() : folders_{"/", "."} {}
MemoryDisk::~MemoryDisk() = default;

std::optional<Error> MemoryDisk::begin(Operation operation, const std::string& path, bool changes) {
  ++counts_[static_cast<std::size_t>(operation)];
  ++counts_[static_cast<std::size_t>(Operation::any)];
  if (changes && powered_ && changes_left_) {
    powered_ = *changes_left_ != 0;
    if (powered_) --*changes_left_;
  }
  if (!powered_) {
    syncs_changed_.notify_all();
    return error(ErrorKind::io, name_of(operation), path, "the power is off");
  }
  for (Fault& fault : faults_) {
    if ((fault.operation != operation && fault.operation != Operation::any) || fault.times == 0) continue;
    if (fault.skip > 0) {
      --fault.skip;
      continue;
    }
    --fault.times;
    return error(fault.kind, name_of(operation), path, "a fault was injected");
  }
  return std::nullopt;
}

std::uint64_t MemoryDisk::used() const {
  std::uint64_t bytes = 0;
  for (const auto& [path, inode] : names_) bytes += inode->cached.size();
  return bytes;
}

Status MemoryDisk::write(Inode& inode, const std::string& path, std::uint64_t position, ByteView bytes) {
  const std::uint64_t end = position + bytes.size();
  const std::uint64_t growth = end > inode.cached.size() ? end - inode.cached.size() : 0;
  const std::uint64_t free = capacity_ - std::min(capacity_, used());
  const bool full = growth > free;
  // What lies within the file, and what of the rest the disk still has room for.
  const std::uint64_t kept = full ? bytes.size() - std::min<std::uint64_t>(growth - free, bytes.size()) : bytes.size();
  if (kept > 0) inode.change({position, std::string(as_text(bytes.first(kept))), std::nullopt});
  if (full) return error(ErrorKind::disk_full, "write", path, "no space is left");
  return {};
}

Status MemoryDisk::allocate(Inode& inode, const std::string& path, std::uint64_t position, std::uint64_t length) {
  const std::uint64_t end = position + length;
  if (end <= inode.cached.size()) return {};
  if (end - inode.cached.size() > capacity_ - std::min(capacity_, used())) {
    return error(ErrorKind::disk_full, "allocate", path, "no space is left");
  }
  inode.change({0, {}, end});
  return {};
}

Status MemoryDisk::sync(std::unique_lock<std::mutex>& lock, Inode& inode, const std::string& path, std::uint64_t life) {
  if (syncs_held_) {
    ++syncs_waiting_;
    syncs_changed_.notify_all();
    syncs_changed_.wait(lock, [&] { return !syncs_held_ || !powered_ || life != life_; });
    --syncs_waiting_;
  }
  if (life != life_) return error(ErrorKind::io, "sync", path, "the machine has crashed since it was opened");
  if (auto failed = begin(Operation::sync, path, true)) {
    if (powered_) inode.pending.clear();  // the cache calls its pages clean, and nothing will ever write them
    return *failed;
  }
  for (const Change& change : inode.pending) change.apply(inode.durable);
  inode.pending.clear();
  return {};
}

Result<std::unique_ptr<os::File>> MemoryDisk::open(const std::string& path, OpenMode mode) {
  const std::lock_guard lock(mutex_);
  if (auto failed = begin(Operation::open, path, mode == OpenMode::create)) return *failed;
  const auto at = names_.find(path);
  if (mode == OpenMode::create) {
    if (at != names_.end() || folders_.contains(path)) return error(ErrorKind::conflict, "create", path, "it is there already");
    if (!folders_.contains(parent(path))) return error(ErrorKind::not_found, "create", path, "there is no such folder");
    auto inode = std::make_shared<Inode>();
    names_[path] = inode;
    return std::unique_ptr<os::File>(std::make_unique<OpenFile>(*this, std::move(inode), path, true));
  }
  if (at == names_.end()) return error(ErrorKind::not_found, "open", path, "there is no such file");
  return std::unique_ptr<os::File>(std::make_unique<OpenFile>(*this, at->second, path, mode == OpenMode::read_write));
}

Status MemoryDisk::create_directories(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (!powered_) return error(ErrorKind::io, "create folder", path, "the power is off");
  for (std::string folder = without_end_slash(path); !folder.empty(); folder = parent(folder)) {
    if (names_.contains(folder)) return error(ErrorKind::io, "create folder", folder, "it is a file");
    if (!folders_.insert(folder).second) break;
  }
  return {};
}

Result<std::vector<std::string>> MemoryDisk::list(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (auto failed = begin(Operation::list, path, false)) return *failed;
  const std::string folder = without_end_slash(path);
  if (!folders_.contains(folder)) return error(ErrorKind::not_found, "list", path, "there is no such folder");
  std::vector<std::string> names;
  const auto take = [&](const std::string& entry) {
    if (entry != folder && parent(entry) == folder) names.push_back(entry.substr(entry.rfind('/') + 1));
  };
  for (const auto& [entry, inode] : names_) take(entry);
  for (const std::string& entry : folders_) take(entry);
  std::sort(names.begin(), names.end());
  return names;
}

Status MemoryDisk::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  if (auto failed = begin(Operation::rename, from, true)) return *failed;
  const auto at = names_.find(from);
  if (at == names_.end()) return error(ErrorKind::not_found, "rename", from, "there is no such file");
  if (!folders_.contains(parent(to))) return error(ErrorKind::not_found, "rename to", to, "there is no such folder");
  if (from == to) return {};
  names_[to] = at->second;
  names_.erase(from);
  return {};
}

Status MemoryDisk::remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (auto failed = begin(Operation::remove, path, true)) return *failed;
  if (names_.erase(path) > 0) return {};
  if (!folders_.contains(path)) return error(ErrorKind::not_found, "remove", path, "there is no such file");
  const auto inside = [&](const std::string& entry) { return entry != path && parent(entry) == path; };
  const bool occupied = std::any_of(names_.begin(), names_.end(), [&](const auto& entry) { return inside(entry.first); }) ||
                        std::any_of(folders_.begin(), folders_.end(), inside);
  if (occupied) return error(ErrorKind::io, "remove", path, "the folder is not empty");
  folders_.erase(path);
  return {};
}

Status MemoryDisk::sync_directory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (auto failed = begin(Operation::sync_directory, path, true)) return *failed;
  const std::string folder = without_end_slash(path);
  if (!folders_.contains(folder)) return error(ErrorKind::not_found, "sync", path, "there is no such folder");
  std::erase_if(durable_names_, [&](const auto& entry) { return parent(entry.first) == folder; });
  for (const auto& [name, inode] : names_) {
    if (parent(name) == folder) durable_names_[name] = inode;
  }
  return {};
}

bool MemoryDisk::exists(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return powered_ && (names_.contains(path) || folders_.contains(without_end_slash(path)));
}

Result<std::uint64_t> MemoryDisk::free_bytes(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (!powered_) return error(ErrorKind::io, "look at", path, "the power is off");
  return capacity_ - std::min(capacity_, used());
}

void MemoryDisk::restart(std::mt19937_64* random) {
  if (random != nullptr) {
    std::set<std::string> lucky;  // folders whose new names have reached the disk
    for (const std::string& folder : folders_) {
      if ((*random)() % 2 == 0) lucky.insert(folder);
    }
    std::erase_if(durable_names_, [&](const auto& entry) { return lucky.contains(parent(entry.first)); });
    for (const auto& [name, inode] : names_) {
      if (lucky.contains(parent(name))) durable_names_[name] = inode;
    }
  }
  names_ = durable_names_;
  for (const auto& [name, inode] : names_) {
    for (const Change& change : inode->pending) {
      if (random != nullptr) change.apply_torn(inode->durable, *random);
    }
    inode->pending.clear();
    inode->cached = inode->durable;
  }
  ++life_;
  powered_ = true;
  syncs_held_ = false;
  changes_left_.reset();
  faults_.clear();
  syncs_changed_.notify_all();
}

void MemoryDisk::crash() {
  const std::lock_guard lock(mutex_);
  restart(nullptr);
}

void MemoryDisk::crash(std::mt19937_64& random) {
  const std::lock_guard lock(mutex_);
  restart(&random);
}

void MemoryDisk::power_off() {
  const std::lock_guard lock(mutex_);
  powered_ = false;
  syncs_changed_.notify_all();
}

void MemoryDisk::power_off_after(std::uint64_t changes) {
  const std::lock_guard lock(mutex_);
  changes_left_ = changes;
}

bool MemoryDisk::powered() const {
  const std::lock_guard lock(mutex_);
  return powered_;
}

void MemoryDisk::inject(Fault fault) {
  const std::lock_guard lock(mutex_);
  faults_.push_back(fault);
}

void MemoryDisk::clear_faults() {
  const std::lock_guard lock(mutex_);
  faults_.clear();
}

void MemoryDisk::set_capacity(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  capacity_ = bytes;
}

void MemoryDisk::hold_syncs() {
  const std::lock_guard lock(mutex_);
  syncs_held_ = true;
}

void MemoryDisk::release_syncs() {
  const std::lock_guard lock(mutex_);
  syncs_held_ = false;
  syncs_changed_.notify_all();
}

void MemoryDisk::wait_for_syncs(std::size_t count) {
  std::unique_lock lock(mutex_);
  syncs_changed_.wait(lock, [&] { return syncs_waiting_ >= count; });
}

std::uint64_t MemoryDisk::count(Operation operation) const {
  const std::lock_guard lock(mutex_);
  return counts_[static_cast<std::size_t>(operation)];
}

std::optional<std::string> MemoryDisk::content(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto at = names_.find(path);
  return at == names_.end() ? std::nullopt : std::optional(at->second->cached);
}

void MemoryDisk::corrupt(const std::string& path, std::uint64_t position, unsigned char mask) {
  const std::lock_guard lock(mutex_);
  const auto at = names_.find(path);
  IOTSTREAM_ASSERT(at != names_.end() && position < at->second->cached.size(), "no byte {} in {}", position, path);
  for (std::string* content : {&at->second->cached, &at->second->durable}) {
    if (position < content->size()) (*content)[position] = static_cast<char>((*content)[position] ^ mask);
  }
}

std::vector<std::string> MemoryDisk::files(const std::string& prefix) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> paths;
  for (const auto& [path, inode] : names_) {
    if (path.starts_with(prefix)) paths.push_back(path);
  }
  return paths;
}

}  // namespace iotstream::test
