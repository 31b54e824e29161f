// Inside of MemoryDisk: what is in the page cache, what is on stable storage, and what lies between.
#pragma once

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "support/memory_disk.hpp"

namespace iotstream::test {

inline std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

struct MemoryDisk::Names {
  std::map<std::string, std::shared_ptr<Node>> files;
  std::set<std::string> folders;

  void apply(const Change& change) {
    if (change.folder) {
      folders.insert(change.to);
      return;
    }
    if (!change.path.empty()) files.erase(change.path);
    if (change.node != nullptr) files[change.to] = change.node;
  }
  /// A name below a folder that is not there is not there either.
  bool reachable(const std::string& path) const {
    const std::string folder = folder_of(path);
    return folder == "." || folder.empty() || (folders.contains(folder) && reachable(folder));
  }
};

struct MemoryDisk::State {
  mutable std::mutex mutex;
  Names now;
  Names synced;
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
    for (const auto& [path, node] : now.files) bytes += node->now.size();
    return bytes;
  }

  /// The content of one sector, zeros behind the end.
  static Sector sector_of(const std::vector<std::byte>& bytes, std::uint64_t s) {
    Sector content{};
    if (s * sector < bytes.size())
      std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(s * sector),
                  std::min<std::uint64_t>(sector, bytes.size() - s * sector), content.begin());
    return content;
  }
  static void put_sector(std::vector<std::byte>& bytes, std::uint64_t s, const Sector& content) {
    if (s * sector >= bytes.size()) return;
    std::copy_n(content.begin(), std::min<std::uint64_t>(sector, bytes.size() - s * sector),
                bytes.begin() + static_cast<std::ptrdiff_t>(s * sector));
  }

  void resized(Node& node, std::uint64_t before) {
    if (node.sizes.size() < versions_max) node.sizes.push_back(before);
  }

  void grow(Node& node, std::uint64_t size) {
    const std::uint64_t before = node.now.size();
    if (size <= before) return;
    resized(node, before);
    node.now.resize(size);
    for (std::uint64_t s = before / sector; s * sector < size; ++s) node.dirty.try_emplace(s);
  }

  void cut(Node& node, std::uint64_t size) {
    const std::uint64_t before = node.now.size();
    if (size >= before) return grow(node, size);
    resized(node, before);
    // What was cut off is still on the medium, and may be seen again where the file grows later without its data.
    if (node.ghost.size() < before) node.ghost.resize(before);
    std::copy(node.now.begin() + static_cast<std::ptrdiff_t>(size), node.now.end(),
              node.ghost.begin() + static_cast<std::ptrdiff_t>(size));
    for (std::uint64_t s = size / sector; s * sector < before; ++s) node.dirty.try_emplace(s);
    node.now.resize(size);
  }

  Status write(Node& node, std::uint64_t position, ByteView bytes) {
    const std::uint64_t end = position + bytes.size();
    if (end > node.now.size() && used() + (end - node.now.size()) > capacity)
      return Error{ErrorKind::disk_full, fmt::format("cannot write '{}': no space", node.path)};
    grow(node, end);
    for (std::uint64_t s = position / sector; s * sector < end; ++s) {
      const auto [dirty, first] = node.dirty.try_emplace(s);
      if (!first && dirty->second.size() < versions_max) dirty->second.push_back(sector_of(node.now, s));
      node.abandoned.erase(s);
    }
    std::copy(bytes.begin(), bytes.end(), node.now.begin() + static_cast<std::ptrdiff_t>(position));
    return {};
  }

  void sync(Node& node) {
    node.synced.resize(node.now.size());
    std::map<std::uint64_t, std::vector<Sector>> left;
    for (auto& [s, versions] : node.dirty) {
      if (node.abandoned.contains(s))
        left.emplace(s, std::move(versions));
      else
        put_sector(node.synced, s, sector_of(node.now, s));
    }
    node.dirty = std::move(left);
    node.sizes.clear();
  }

  void change(Change change) {
    now.apply(change);
    changes.push_back(std::move(change));
  }

  void sync_folder(const std::string& path) {
    std::erase_if(changes, [this, &path](const Change& change) {
      if (change.directory != path) return false;
      synced.apply(change);
      return true;
    });
  }
};

}  // namespace iotstream::test
