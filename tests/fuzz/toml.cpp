// Configuration files: whatever the text, it is read or told about, with a place and a sentence.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "config/tree.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace iotstream;
  std::vector<config::Problem> problems;
  const auto tree = config::parse_toml({reinterpret_cast<const char*>(data), size}, "config.toml", problems);
  if (tree.has_value() == !problems.empty()) std::abort();
  for (const auto& problem : problems)
    if (problem.place.empty() || problem.message.empty()) std::abort();
  return 0;
}
