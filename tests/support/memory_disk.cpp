#include "support/memory_disk.hpp"

#include "support/memory_disk_state.hpp"

namespace iotstream::test {

class MemoryDisk::MemoryFile final : public os::File {
 public:
  MemoryFile(std::shared_ptr<State> state, std::shared_ptr<Node> node, std::string path)
      : state_(std::move(state)), node_(std::move(node)), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t position, MutableByteView bytes) const override {
    if (auto error = state_->ask(Kind::read, path_)) return *error;
    std::lock_guard lock(state_->mutex);
    if (position >= node_->now.size()) return std::size_t{0};
    const auto size = std::min<std::uint64_t>(bytes.size(), node_->now.size() - position);
    std::copy_n(node_->now.begin() + static_cast<std::ptrdiff_t>(position), size, bytes.begin());
    return static_cast<std::size_t>(size);
  }

  Status write_at(std::uint64_t position, ByteView bytes) override {
    auto error = state_->ask(Kind::write, path_);
    std::lock_guard lock(state_->mutex);
    const ByteView done = error ? bytes.first(bytes.size() / 2) : bytes;
    if (!error || error->kind == ErrorKind::io) {
      if (auto status = state_->write(*node_, position, done); !status) return status;
      state_->keep({Kind::write, node_->id, path_, {}, position, done.size(), {done.begin(), done.end()}});
    }
    return error ? Status(*error) : Status();
  }

  Status allocate(std::uint64_t position, std::uint64_t length) override {
    if (auto error = state_->ask(Kind::allocate, path_)) return *error;
    std::lock_guard lock(state_->mutex);
    const std::uint64_t end = position + length;
    if (end > node_->now.size() && state_->used() + end - node_->now.size() > state_->capacity)
      return Error{ErrorKind::disk_full, fmt::format("cannot reserve space in '{}'", path_)};
    state_->grow(*node_, end);
    state_->keep({Kind::allocate, node_->id, path_, {}, position, length, {}});
    return {};
  }

  Status sync() override {
    auto error = state_->ask(Kind::sync, path_);
    std::lock_guard lock(state_->mutex);
    if (error) {
      for (const auto& [s, versions] : node_->dirty) node_->abandoned.insert(s);
      return *error;
    }
    state_->sync(*node_);
    state_->keep({Kind::sync, node_->id, path_, {}, 0, 0, {}});
    return {};
  }

  Status truncate(std::uint64_t size) override {
    if (auto error = state_->ask(Kind::truncate, path_)) return *error;
    std::lock_guard lock(state_->mutex);
    state_->cut(*node_, size);
    state_->keep({Kind::truncate, node_->id, path_, {}, size, 0, {}});
    return {};
  }

  Result<std::uint64_t> size() const override {
    std::lock_guard lock(state_->mutex);
    return std::uint64_t{node_->now.size()};
  }

 private:
  std::shared_ptr<State> state_;
  std::shared_ptr<Node> node_;
  std::string path_;
};

MemoryDisk::MemoryDisk() : state_(std::make_shared<State>()) {}
MemoryDisk::~MemoryDisk() = default;

Result<std::unique_ptr<os::File>> MemoryDisk::open(const std::string& path, os::OpenMode mode) {
  const Kind kind = mode == os::OpenMode::create ? Kind::create : Kind::open;
  if (auto error = state_->ask(kind, path)) return *error;
  std::lock_guard lock(state_->mutex);
  const auto found = state_->now.files.find(path);
  if (mode != os::OpenMode::create) {
    if (found == state_->now.files.end())
      return Error{ErrorKind::not_found, fmt::format("cannot open '{}': no such file", path)};
    return std::unique_ptr<os::File>(std::make_unique<MemoryFile>(state_, found->second, path));
  }
  if (found != state_->now.files.end()) return Error{ErrorKind::io, fmt::format("cannot create '{}': it exists", path)};
  if (!state_->now.folders.contains(folder_of(path)))
    return Error{ErrorKind::not_found, fmt::format("cannot create '{}': no such folder", path)};
  auto node = std::make_shared<Node>();
  node->id = state_->next_node++;
  node->path = path;
  state_->nodes[node->id] = node;
  state_->change({folder_of(path), {}, path, node, false});
  state_->keep({Kind::create, node->id, path, {}, 0, 0, {}});
  return std::unique_ptr<os::File>(std::make_unique<MemoryFile>(state_, node, path));
}

/// Each folder that is made is durable once its parent is synced, which is done here; a process may be killed in between.
Status MemoryDisk::create_directories(const std::string& path) {
  if (auto error = state_->ask(Kind::make_directory, path)) return *error;
  std::lock_guard lock(state_->mutex);
  std::vector<std::string> missing;
  for (std::string at = path; !at.empty() && at != "." && !state_->now.folders.contains(at); at = folder_of(at))
    missing.push_back(at);
  for (; !missing.empty(); missing.pop_back()) {
    const std::string parent = folder_of(missing.back());
    state_->change({parent, {}, missing.back(), nullptr, true});
    state_->keep({Kind::make_directory, 0, missing.back(), {}, 0, 0, {}});
    state_->sync_folder(parent);
    state_->keep({Kind::sync_directory, 0, parent, {}, 0, 0, {}});
  }
  return {};
}

Result<std::vector<std::string>> MemoryDisk::list(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  if (!state_->now.folders.contains(path)) return Error{ErrorKind::not_found, fmt::format("cannot list '{}'", path)};
  std::vector<std::string> names;
  for (const auto& [name, node] : state_->now.files)
    if (folder_of(name) == path) names.push_back(name.substr(path.size() + 1));
  for (const std::string& directory : state_->now.folders)
    if (directory != path && folder_of(directory) == path) names.push_back(directory.substr(path.size() + 1));
  std::sort(names.begin(), names.end());
  return names;
}

Status MemoryDisk::rename(const std::string& from, const std::string& to) {
  if (auto error = state_->ask(Kind::rename, from)) return *error;
  std::lock_guard lock(state_->mutex);
  const auto found = state_->now.files.find(from);
  if (found == state_->now.files.end()) return Error{ErrorKind::not_found, fmt::format("cannot rename '{}'", from)};
  state_->change({folder_of(from), from, to, found->second, false});
  state_->keep({Kind::rename, 0, from, to, 0, 0, {}});
  return {};
}

Status MemoryDisk::remove(const std::string& path) {
  if (auto error = state_->ask(Kind::remove, path)) return *error;
  std::lock_guard lock(state_->mutex);
  if (!state_->now.files.contains(path)) return Error{ErrorKind::not_found, fmt::format("cannot remove '{}'", path)};
  state_->change({folder_of(path), path, {}, nullptr, false});
  state_->keep({Kind::remove, 0, path, {}, 0, 0, {}});
  return {};
}

Status MemoryDisk::sync_directory(const std::string& path) {
  if (auto error = state_->ask(Kind::sync_directory, path)) return *error;
  std::lock_guard lock(state_->mutex);
  state_->sync_folder(path);
  state_->keep({Kind::sync_directory, 0, path, {}, 0, 0, {}});
  return {};
}

bool MemoryDisk::exists(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  return state_->now.files.contains(path) || state_->now.folders.contains(path);
}

Result<std::uint64_t> MemoryDisk::free_bytes(const std::string&) {
  std::lock_guard lock(state_->mutex);
  return state_->capacity - std::min(state_->capacity, state_->used());
}

void MemoryDisk::set_fault(std::function<std::optional<Error>(Kind, const std::string&)> fault) {
  std::lock_guard lock(state_->mutex);
  state_->fault = std::move(fault);
}

void MemoryDisk::set_capacity(std::uint64_t bytes) {
  std::lock_guard lock(state_->mutex);
  state_->capacity = bytes;
}

std::vector<std::byte> MemoryDisk::content(const std::string& path) const {
  std::lock_guard lock(state_->mutex);
  const auto found = state_->now.files.find(path);
  IOTSTREAM_ASSERT(found != state_->now.files.end(), "no file {}", path);
  return found->second->now;
}

void MemoryDisk::set_content(const std::string& path, std::vector<std::byte> bytes) {
  std::lock_guard lock(state_->mutex);
  const auto found = state_->now.files.find(path);
  IOTSTREAM_ASSERT(found != state_->now.files.end(), "no file {}", path);
  found->second->now = bytes;
  found->second->synced = std::move(bytes);
  found->second->dirty.clear();
  found->second->sizes.clear();
}

void MemoryDisk::flip(const std::string& path, std::uint64_t position, unsigned char mask) {
  auto bytes = content(path);
  IOTSTREAM_ASSERT(position < bytes.size(), "{} of {}", position, bytes.size());
  bytes[position] ^= std::byte{mask};
  set_content(path, std::move(bytes));
}

std::uint64_t MemoryDisk::size_of(const std::string& path) const {
  std::lock_guard lock(state_->mutex);
  const auto found = state_->now.files.find(path);
  IOTSTREAM_ASSERT(found != state_->now.files.end(), "no file {}", path);
  return found->second->now.size();
}

std::vector<std::string> MemoryDisk::paths() const {
  std::lock_guard lock(state_->mutex);
  std::vector<std::string> paths;
  for (const auto& [path, node] : state_->now.files) paths.push_back(path);
  return paths;
}

std::uint64_t MemoryDisk::count(Kind kind) const {
  std::lock_guard lock(state_->mutex);
  return state_->counts[static_cast<std::size_t>(kind)];
}

}  // namespace iotstream::test
