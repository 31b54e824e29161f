// What a MemoryDisk can become: recorded work done again, what a loss of power leaves, what a kill leaves.
#include "support/memory_disk_state.hpp"

namespace iotstream::test {

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
      if (o.kind == Kind::truncate) state_->cut(*node, o.position);
      return;
    }
  }
  Status status;
  if (o.kind == Kind::create) {
    if (auto file = open(o.path, os::OpenMode::create); !file) status = file.error();
  }
  if (o.kind == Kind::rename) status = rename(o.path, o.to);
  if (o.kind == Kind::remove) status = remove(o.path);
  if (o.kind == Kind::make_directory) {
    std::lock_guard lock(state_->mutex);
    state_->change({folder_of(o.path), {}, o.path, nullptr, true});
  }
  if (o.kind == Kind::sync_directory) status = sync_directory(o.path);
  IOTSTREAM_ASSERT(status.ok(), "replay on {}", o.path);
}

/// Builds the content that one file may have on the medium.
class MemoryDisk::Weather {
 public:
  Weather(std::mt19937_64& random, unsigned keep, Stale stale, const State& state)
      : random_(random), keep_(keep), stale_(stale), state_(state) {}

  bool kept() { return random_() % 100 < keep_; }

  std::shared_ptr<Node> medium(const Node& node) {
    auto copy = std::make_shared<Node>();
    copy->id = node.id;
    copy->path = node.path;
    copy->now = node.synced;
    copy->now.resize(size_of(node));
    for (const auto& [s, versions] : node.dirty) {
      if (!kept()) {
        if (s * sector >= node.synced.size()) State::put_sector(copy->now, s, never_written(node, s));
      } else if (!versions.empty() && random_() % 3 == 0) {
        State::put_sector(copy->now, s, versions[random_() % versions.size()]);
      } else {
        State::put_sector(copy->now, s, State::sector_of(node.now, s));
      }
    }
    copy->ghost = node.ghost;
    if (node.now.size() > copy->now.size()) {
      copy->ghost.resize(std::max(copy->ghost.size(), node.now.size()));
      std::copy(node.now.begin() + static_cast<std::ptrdiff_t>(copy->now.size()), node.now.end(),
                copy->ghost.begin() + static_cast<std::ptrdiff_t>(copy->now.size()));
    }
    copy->synced = copy->now;
    return copy;
  }

 private:
  /// The old size, the new one, one that it had in between, or, while a file grew, any sector's edge between them.
  std::uint64_t size_of(const Node& node) {
    const std::uint64_t before = node.synced.size();
    const std::uint64_t after = node.now.size();
    if (node.sizes.empty() || kept()) return after;
    if (random_() % 3 != 0) return before;
    if (random_() % 2 == 0) return node.sizes[random_() % node.sizes.size()];
    if (after <= before) return before;
    return std::clamp(before / sector * sector + random_() % ((after - before) / sector + 1) * sector, before, after);
  }

  /// What a sector shows that belongs to the file by its size, but to which nothing was ever written for it.
  Sector never_written(const Node& node, std::uint64_t s) {
    if (stale_ == Stale::own) return State::sector_of(node.ghost, s);
    if (stale_ == Stale::noise) {
      Sector noise;
      for (std::byte& byte : noise) byte = static_cast<std::byte>(random_());
      return noise;
    }
    if (stale_ == Stale::other) {
      auto other = state_.nodes.lower_bound(random_() % state_.next_node);
      if (other != state_.nodes.end() && other->first != node.id) return State::sector_of(other->second->now, s);
    }
    return Sector{};
  }

  std::mt19937_64& random_;
  unsigned keep_;
  Stale stale_;
  const State& state_;
};

std::shared_ptr<MemoryDisk> MemoryDisk::after_power_cut(std::mt19937_64& random, unsigned keep, Stale stale) const {
  auto image = std::make_shared<MemoryDisk>();
  std::lock_guard lock(state_->mutex);
  Weather weather(random, keep, stale, *state_);
  Names names = state_->synced;
  for (const Change& change : state_->changes)
    if (weather.kept()) names.apply(change);
  std::map<const Node*, std::shared_ptr<Node>> copies;
  auto& left = *image->state_;
  for (const std::string& folder : names.folders)
    if (names.reachable(folder)) left.now.folders.insert(folder);
  for (const auto& [path, node] : names.files) {
    if (!names.reachable(path)) continue;
    auto& copy = copies[node.get()];
    if (copy == nullptr) copy = weather.medium(*node);
    left.now.files[path] = copy;
    left.nodes[copy->id] = copy;
  }
  left.next_node = state_->next_node;
  left.synced = left.now;
  return image;
}

std::shared_ptr<MemoryDisk> MemoryDisk::copy() const {
  auto image = std::make_shared<MemoryDisk>();
  std::lock_guard lock(state_->mutex);
  std::map<const Node*, std::shared_ptr<Node>> copies;
  auto twin = [&copies, &image](const std::shared_ptr<Node>& node) {
    if (node == nullptr) return node;
    auto& copy = copies[node.get()];
    if (copy == nullptr) image->state_->nodes[node->id] = copy = std::make_shared<Node>(*node);
    return copy;
  };
  auto& fork = *image->state_;
  fork.now.folders = state_->now.folders;
  fork.synced.folders = state_->synced.folders;
  for (const auto& [path, node] : state_->now.files) fork.now.files[path] = twin(node);
  for (const auto& [path, node] : state_->synced.files) fork.synced.files[path] = twin(node);
  for (Change change : state_->changes) {
    change.node = twin(change.node);
    fork.changes.push_back(std::move(change));
  }
  fork.next_node = state_->next_node;
  return image;
}

}  // namespace iotstream::test
