// A topic whose file is damaged or gone, while its segments are there.
#pragma once

#include <optional>
#include <string>

#include <iotstream/os/disk.hpp>

#include "log/topic.hpp"

namespace iotstream::log {

/// What the topic in `directory` must have been, as its folders and the headers of its segments tell: the name, the number of
/// partitions; the size of segments is taken from `defaults`; records are synced in batches and kept for ever, so that nothing
/// is lost by guessing. Nothing when no segment is there: then no record is, either.
std::optional<TopicFile> topic_of_segments(os::Disk& disk, const std::string& directory, const TopicOptions& defaults);

}  // namespace iotstream::log
