#include "log/topic_repair.hpp"

#include <charconv>

#include <iotstream/base/diagnostics.hpp>

#include "log/segment.hpp"

namespace iotstream::log {
namespace {

std::optional<std::uint32_t> partition_of_folder(const std::string& name) {
  std::uint32_t id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error != std::errc() || end != name.data() + name.size() || id >= 1024) return std::nullopt;
  return id;
}

/// What topic_directory_name() made of it, when that can be told from the name alone.
std::string decoded(const std::string& folder) {
  std::string name;
  for (std::size_t i = 0; i < folder.size(); ++i) {
    unsigned byte = 0;
    if (folder[i] == '%' && i + 2 < folder.size() &&
        std::from_chars(folder.data() + i + 1, folder.data() + i + 3, byte, 16).ec == std::errc()) {
      name.push_back(static_cast<char>(byte));
      i += 2;
    } else {
      name.push_back(folder[i]);
    }
  }
  return name;
}

std::string name_in_header(os::Disk& disk, const std::string& path) {
  auto file = disk.open(path, os::OpenMode::read);
  auto header = file ? Segment::read_header(**file) : Result<format::SegmentHeader>(file.error());
  return header ? header->topic : std::string();
}

}  // namespace

std::optional<TopicFile> topic_of_segments(os::Disk& disk, const std::string& directory, const TopicOptions& defaults) {
  const std::string folder = directory.substr(directory.rfind('/') + 1);
  TopicFile file;
  file.options = defaults;
  file.options.partitions = 0;
  file.options.retention_size = 0;
  file.options.retention_age = Duration{0};
  file.options.sync = Sync::batch;
  bool has_segments = false;
  auto names = disk.list(directory);
  if (!names) return std::nullopt;  // a file of another kind, beside the topics
  for (const std::string& name : *names) {
    const auto id = partition_of_folder(name);
    auto inside = id ? disk.list(directory + "/" + name) : Result<std::vector<std::string>>(Error{});
    if (!inside) continue;
    file.options.partitions = std::max(file.options.partitions, *id + 1);
    for (const std::string& segment : *inside) {
      if (!parse_segment_file_name(segment)) continue;
      has_segments = true;
      // Only a name that leads to this folder: a segment may have been put here from elsewhere.
      if (file.name.empty()) file.name = name_in_header(disk, directory + "/" + name + "/" + segment);
      if (topic_directory_name(file.name) != folder) file.name.clear();
    }
  }
  if (!has_segments) return std::nullopt;
  if (file.name.empty()) file.name = decoded(folder);
  if (topic_directory_name(file.name) != folder || !check_topic_name(file.name)) {
    diagnostics::error("log", "{}: it holds segments, but nothing tells which topic's; they are left as they are", directory);
    return std::nullopt;
  }
  return file;
}

}  // namespace iotstream::log
