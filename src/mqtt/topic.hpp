// Topics: which are well-formed, what dataset and device a publisher means, and which events a filter asks for.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/config/config.hpp>

namespace iotstream::mqtt {

/// One or more bytes without wildcards. (That it is UTF-8 is checked where it is read.)
bool valid_topic_name(std::string_view topic);
/// `+` and `#` alone in their levels, `#` the last.
bool valid_filter(std::string_view filter);

/// The standards' match of a filter and a topic name.
bool matches(std::string_view filter, std::string_view topic);

/// What a topic means. Views of the topic.
struct Addressee {
  std::string_view dataset;
  std::string_view device;  ///< empty: the payload tells it
};
/// By the first pattern that fits; nothing when none does. A pattern's `#` stands for one or more levels.
std::optional<Addressee> addressee_of(const std::vector<config::TopicPattern>& patterns, std::string_view topic);

bool has_wildcard(std::string_view text);

/// The topic `DATASET/DEVICE` under which an event is told to subscribers: `+` and `#`, which no topic may hold, are written
/// as `%2B` and `%23`.
std::string topic_part(std::string_view name);

/// What a filter asks for among the events of a dataset.
struct Reach {
  enum class Kind : unsigned char { none, all, some };
  Kind kind = Kind::none;
  std::string_view rest;  ///< of `some`: the part of the filter that the device must match; a view of the filter
};
/// `dataset`: as topic_part().
Reach reach_of(std::string_view filter, std::string_view dataset);
/// `rest` of a Reach against a device, as topic_part().
bool matches_device(std::string_view rest, std::string_view device);

}  // namespace iotstream::mqtt
