#include "profile/texts.hpp"

#include <fmt/format.h>

#include <iotstream/base/json.hpp>

#include "profile/keys.hpp"

namespace iotstream::profile {

namespace {

constexpr std::size_t whole_bytes_max = 256;
constexpr std::size_t shown_bytes_max = 120;

std::string_view cut(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

}  // namespace

void Texts::add(std::string_view text) {
  const std::size_t hash = std::hash<std::string_view>()(text);
  if (text.size() > whole_bytes_max) {
    key_ = fmt::format("{}{:016x}", cut(text, whole_bytes_max), hash);
    text = key_;
  }
  const auto& counts = counts_.counts();
  if (counts.find(text) == counts.end()) make_room(text.size());
  if (!exact_) distinct_.add(mixed(Hash()(text)));
  counts_.add(text, 1);
}

/// For a text that is new.
void Texts::make_room(std::size_t bytes) {
  const auto& counts = counts_.counts();
  if (counts.size() >= counts_.capacity() || bytes_ + bytes > bytes_max_) {
    if (std::exchange(exact_, false))
      for (const auto& [key, count] : counts) distinct_.add(mixed(Hash()(key)));
    counts_.reduce();
    bytes_ = 0;
    for (const auto& [key, count] : counts) bytes_ += key.size();
  }
  bytes_ += bytes;
}

void Texts::finish(FieldProfile& profile, std::size_t top, bool documents) const {
  if (exact_) {
    profile.distinct += counts_.counts().size();
  } else {
    profile.distinct += distinct_.estimate();
    profile.distinct_exact = false;
    profile.top_error = std::max(profile.top_error, counts_.error());
  }
  std::vector<std::pair<std::string_view, std::uint64_t>> all(counts_.counts().begin(), counts_.counts().end());
  const auto more = [](const auto& a, const auto& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; };
  const std::size_t kept = std::min(top, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end(), more);
  for (std::size_t i = 0; i < kept; ++i) {
    const std::string_view text = all[i].first;
    std::string json;
    if (documents && text.size() <= shown_bytes_max)
      json = text;
    else if (text.size() <= shown_bytes_max)
      json::append_string(json, text);
    else
      json::append_string(json, fmt::format("{}…", cut(text, shown_bytes_max)));
    profile.top.push_back({std::move(json), all[i].second});
  }
}

}  // namespace iotstream::profile
