#include "catalog/folder_watch.hpp"

#include <fnmatch.h>

#include <iotstream/base/diagnostics.hpp>

#include "catalog/csv_file.hpp"

namespace iotstream::catalog {

std::vector<std::string> FolderWatch::look(std::int64_t now_ns) {
  due_ns_ = now_ns + settings_.interval.us * 1000;
  std::vector<std::string> complete;
  const auto names = disk_.list(settings_.folder);
  if (!names) {
    if (!std::exchange(missing_told_, true))
      diagnostics::warning("catalog", "the watched folder {} cannot be read: {}", settings_.folder, names.error().message);
    return complete;
  }
  missing_told_ = false;
  std::unordered_map<std::string, Seen> still;
  for (const std::string& name : *names) {
    if (name.starts_with('.') || ::fnmatch(settings_.pattern.c_str(), name.c_str(), 0) != 0) continue;
    std::string path = settings_.folder + "/" + name;
    const auto stamp = stamp_of(path);
    if (!stamp) continue;  // gone again, or a folder
    const auto before = seen_.find(path);
    Seen seen{stamp->size, stamp->changed_ns, now_ns, false};
    if (before != seen_.end() && before->second.size == seen.size && before->second.changed_ns == seen.changed_ns)
      seen = before->second;
    if (!seen.done && seen.size > 0 && now_ns - seen.since_ns >= settings_.settle.us * 1000) complete.push_back(path);
    still.emplace(std::move(path), seen);
  }
  seen_ = std::move(still);
  return complete;
}

void FolderWatch::done_with(const std::string& path) {
  if (const auto found = seen_.find(path); found != seen_.end()) found->second.done = true;
}

std::string FolderWatch::prototype_of(const std::string& path) const {
  if (!settings_.prototype.empty()) return settings_.prototype;
  const std::string name = path.substr(path.rfind('/') + 1);
  const std::size_t end = name.find('_');
  return name.substr(0, end != std::string::npos && end > 0 ? end : name.rfind('.'));
}

}  // namespace iotstream::catalog
