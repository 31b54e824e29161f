#include "support/memory_disk.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace iotstream::test {
namespace {

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

}  // namespace

struct MemoryDisk::State {
  mutable std::mutex mutex;
  std::map<std::string, std::shared_ptr<Node>> names;
  std::map<std::string, std::shared_ptr<Node>> synced_names;
  std::set<std::string> directories;
  std::set<std::string> synced_directories;
  std::vector<Change> changes;
  std::map<std::uint64_t, std::shared_ptr<Node>> nodes;
  std::uint64_t next_node = 1;
  std::uint64_t capacity = ~std::uint64_t{0};
  std::function<std::optional<Error>(Kind, const std::string&)> fault;
  bool recording = false;
  std::vector<Step> steps;
  std::array<std::uint64_t, 16> counts{};

  std::optional<Error> ask(Kind kind, const std::string& path) {
    std::function<std::optional<Error>(Kind, const std::string&)> asked;
    {
      std::lock_guard lock(mutex);
      ++counts[static_cast<std::size_t>(kind)];
      asked = fault;
    }
    return asked ? asked(kind, path) : std::nullopt;
  }

  void keep(Operation operation) {
    if (recording) steps.push_back({std::move(operation), nullptr});
  }

  std::uint64_t used() const {
    std::uint64_t bytes = 0;
    for (const auto& [path, node] : names) bytes += node->now.size();
    return bytes;
  }

  void grow(Node& node, std::uint64_t size) {
    const std::uint64_t before = node.now.size();
    if (size <= before) return;
    node.now.resize(size);
    for (std::uint64_t s = before / sector; s * sector < size; ++s) node.dirty.insert(s);
  }

  Status write(Node& node, std::uint64_t position, ByteView bytes) {
    const std::uint64_t end = position + bytes.size();
    if (end > node.now.size() && used() + (end - node.now.size()) > capacity)
      return Error{ErrorKind::disk_full, fmt::format("cannot write '{}': no space", node.path)};
    grow(node, end);
    std::copy(bytes.begin(), bytes.end(), node.now.begin() + static_cast<std::ptrdiff_t>(position));
    for (std::uint64_t s = position / sector; s * sector < end; ++s) {
      node.dirty.insert(s);
      node.abandoned.erase(s);
    }
    return {};
  }

  void sync(Node& node) {
    node.synced.resize(node.now.size());
    for (const std::uint64_t s : node.dirty)
      if (!node.abandoned.contains(s)) copy_sector(node, node.synced, s);
    node.dirty = node.abandoned;
  }

  static void copy_sector(const Node& from, std::vector<std::byte>& to, std::uint64_t s) {
    for (std::uint64_t i = s * sector; i < (s + 1) * sector && i < to.size(); ++i)
      to[i] = i < from.now.size() ? from.now[i] : std::byte{0};
  }

  static void apply(const Change& change, std::map<std::string, std::shared_ptr<Node>>& names) {
    if (!change.path.empty()) names.erase(change.path);
    if (change.node != nullptr) names[change.to] = change.node;
  }

  void change(Change change) {
    apply(change, names);
    changes.push_back(std::move(change));
  }
};

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
      node_->abandoned = node_->dirty;
      return *error;
    }
    state_->sync(*node_);
    state_->keep({Kind::sync, node_->id, path_, {}, 0, 0, {}});
    return {};
  }

  Status truncate(std::uint64_t size) override {
    if (auto error = state_->ask(Kind::truncate, path_)) return *error;
    std::lock_guard lock(state_->mutex);
    cut(*node_, size);
    state_->keep({Kind::truncate, node_->id, path_, {}, size, 0, {}});
    return {};
  }

  static void cut(Node& node, std::uint64_t size) {
    for (std::uint64_t s = size / sector; s * sector < node.now.size(); ++s) node.dirty.insert(s);
    node.now.resize(size);
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
  const auto found = state_->names.find(path);
  if (mode != os::OpenMode::create) {
    if (found == state_->names.end()) return Error{ErrorKind::not_found, fmt::format("cannot open '{}': no such file", path)};
    return std::unique_ptr<os::File>(std::make_unique<MemoryFile>(state_, found->second, path));
  }
  if (found != state_->names.end()) return Error{ErrorKind::io, fmt::format("cannot create '{}': it exists", path)};
  if (!state_->directories.contains(folder_of(path)))
    return Error{ErrorKind::not_found, fmt::format("cannot create '{}': no such folder", path)};
  auto node = std::make_shared<Node>();
  node->id = state_->next_node++;
  node->path = path;
  state_->nodes[node->id] = node;
  state_->change({folder_of(path), {}, path, node});
  state_->keep({Kind::create, node->id, path, {}, 0, 0, {}});
  return std::unique_ptr<os::File>(std::make_unique<MemoryFile>(state_, node, path));
}

/// Folders are durable once they are made, as Disk promises.
Status MemoryDisk::create_directories(const std::string& path) {
  if (auto error = state_->ask(Kind::make_directory, path)) return *error;
  std::lock_guard lock(state_->mutex);
  for (std::string at = path; !at.empty() && at != "." && at != "/"; at = folder_of(at)) {
    state_->directories.insert(at);
    state_->synced_directories.insert(at);
  }
  state_->keep({Kind::make_directory, 0, path, {}, 0, 0, {}});
  return {};
}

Result<std::vector<std::string>> MemoryDisk::list(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  if (!state_->directories.contains(path)) return Error{ErrorKind::not_found, fmt::format("cannot list '{}'", path)};
  std::vector<std::string> names;
  for (const auto& [name, node] : state_->names)
    if (folder_of(name) == path) names.push_back(name.substr(path.size() + 1));
  for (const std::string& directory : state_->directories)
    if (directory != path && folder_of(directory) == path) names.push_back(directory.substr(path.size() + 1));
  std::sort(names.begin(), names.end());
  return names;
}

Status MemoryDisk::rename(const std::string& from, const std::string& to) {
  if (auto error = state_->ask(Kind::rename, from)) return *error;
  std::lock_guard lock(state_->mutex);
  const auto found = state_->names.find(from);
  if (found == state_->names.end()) return Error{ErrorKind::not_found, fmt::format("cannot rename '{}'", from)};
  state_->change({folder_of(from), from, to, found->second});
  state_->keep({Kind::rename, 0, from, to, 0, 0, {}});
  return {};
}

Status MemoryDisk::remove(const std::string& path) {
  if (auto error = state_->ask(Kind::remove, path)) return *error;
  std::lock_guard lock(state_->mutex);
  if (!state_->names.contains(path)) return Error{ErrorKind::not_found, fmt::format("cannot remove '{}'", path)};
  state_->change({folder_of(path), path, {}, nullptr});
  state_->keep({Kind::remove, 0, path, {}, 0, 0, {}});
  return {};
}

Status MemoryDisk::sync_directory(const std::string& path) {
  if (auto error = state_->ask(Kind::sync_directory, path)) return *error;
  std::lock_guard lock(state_->mutex);
  std::erase_if(state_->changes, [this, &path](const Change& change) {
    if (change.directory != path) return false;
    State::apply(change, state_->synced_names);
    return true;
  });
  state_->keep({Kind::sync_directory, 0, path, {}, 0, 0, {}});
  return {};
}

bool MemoryDisk::exists(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  return state_->names.contains(path) || state_->directories.contains(path);
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

void MemoryDisk::record() {
  std::lock_guard lock(state_->mutex);
  state_->recording = true;
}

void MemoryDisk::note(std::function<void()> marker) {
  std::lock_guard lock(state_->mutex);
  if (state_->recording) state_->steps.push_back({{Kind::open, 0, {}, {}, 0, 0, {}}, std::move(marker)});
}

std::vector<MemoryDisk::Step> MemoryDisk::recorded() const {
  std::lock_guard lock(state_->mutex);
  return state_->steps;
}

void MemoryDisk::replay(const Operation& operation) {
  const auto& o = operation;
  std::shared_ptr<Node> node;
  {
    std::lock_guard lock(state_->mutex);
    if (const auto found = state_->nodes.find(o.node); found != state_->nodes.end()) node = found->second;
    if (o.kind == Kind::create) {
      state_->next_node = o.node;
    } else if (node != nullptr) {
      if (o.kind == Kind::write)
        IOTSTREAM_ASSERT(state_->write(*node, o.position, o.bytes).ok(), "replay of a write to {}", o.path);
      if (o.kind == Kind::allocate) state_->grow(*node, o.position + o.length);
      if (o.kind == Kind::sync) state_->sync(*node);
      if (o.kind == Kind::truncate) MemoryFile::cut(*node, o.position);
      return;
    }
  }
  Status status;
  if (o.kind == Kind::create) {
    if (auto file = open(o.path, os::OpenMode::create); !file) status = file.error();
  }
  if (o.kind == Kind::rename) status = rename(o.path, o.to);
  if (o.kind == Kind::remove) status = remove(o.path);
  if (o.kind == Kind::make_directory) status = create_directories(o.path);
  if (o.kind == Kind::sync_directory) status = sync_directory(o.path);
  IOTSTREAM_ASSERT(status.ok(), "replay on {}", o.path);
}

std::shared_ptr<MemoryDisk> MemoryDisk::after_power_cut(std::mt19937_64& random, unsigned keep) const {
  auto image = std::make_shared<MemoryDisk>();
  auto kept = [&random, keep] { return random() % 100 < keep; };
  std::lock_guard lock(state_->mutex);
  auto names = state_->synced_names;
  for (const Change& change : state_->changes)
    if (kept()) State::apply(change, names);
  std::map<const Node*, std::shared_ptr<Node>> copies;
  for (const auto& [path, node] : names) {
    auto& copy = copies[node.get()];
    if (copy == nullptr) {
      copy = std::make_shared<Node>();
      copy->id = node->id;
      copy->path = path;
      copy->now = node->synced;
      if (node->now.size() != node->synced.size() && kept()) copy->now.resize(node->now.size());
      for (const std::uint64_t s : node->dirty)
        if (kept()) State::copy_sector(*node, copy->now, s);
      copy->synced = copy->now;
      image->state_->nodes[copy->id] = copy;
      image->state_->next_node = std::max(image->state_->next_node, copy->id + 1);
    }
    image->state_->names[path] = copy;
  }
  image->state_->synced_names = image->state_->names;
  image->state_->directories = state_->synced_directories;
  image->state_->synced_directories = state_->synced_directories;
  return image;
}

std::shared_ptr<MemoryDisk> MemoryDisk::copy() const {
  auto image = std::make_shared<MemoryDisk>();
  std::lock_guard lock(state_->mutex);
  std::map<const Node*, std::shared_ptr<Node>> copies;
  for (const auto& [path, node] : state_->names) {
    auto& twin = copies[node.get()];
    if (twin == nullptr) twin = std::make_shared<Node>(*node);
    image->state_->names[path] = twin;
    image->state_->nodes[twin->id] = twin;
  }
  for (const auto& [path, node] : state_->synced_names)
    if (copies.contains(node.get())) image->state_->synced_names[path] = copies[node.get()];
  image->state_->changes = {};
  image->state_->synced_names = image->state_->names;
  image->state_->next_node = state_->next_node;
  image->state_->directories = state_->directories;
  image->state_->synced_directories = state_->synced_directories;
  return image;
}

std::vector<std::byte> MemoryDisk::content(const std::string& path) const {
  std::lock_guard lock(state_->mutex);
  const auto found = state_->names.find(path);
  IOTSTREAM_ASSERT(found != state_->names.end(), "no file {}", path);
  return found->second->now;
}

void MemoryDisk::set_content(const std::string& path, std::vector<std::byte> bytes) {
  std::lock_guard lock(state_->mutex);
  const auto found = state_->names.find(path);
  IOTSTREAM_ASSERT(found != state_->names.end(), "no file {}", path);
  found->second->now = bytes;
  found->second->synced = std::move(bytes);
  found->second->dirty.clear();
}

void MemoryDisk::flip(const std::string& path, std::uint64_t position, unsigned char mask) {
  auto bytes = content(path);
  IOTSTREAM_ASSERT(position < bytes.size(), "{} of {}", position, bytes.size());
  bytes[position] ^= std::byte{mask};
  set_content(path, std::move(bytes));
}

std::vector<std::string> MemoryDisk::paths() const {
  std::lock_guard lock(state_->mutex);
  std::vector<std::string> paths;
  for (const auto& [path, node] : state_->names) paths.push_back(path);
  return paths;
}

std::uint64_t MemoryDisk::count(Kind kind) const {
  std::lock_guard lock(state_->mutex);
  return state_->counts[static_cast<std::size_t>(kind)];
}

}  // namespace iotstream::test
