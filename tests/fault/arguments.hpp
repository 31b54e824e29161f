// The command line of the fault tests: `--name value` pairs.
#pragma once

#include <charconv>
#include <cstdint>
#include <random>
#include <string_view>

namespace iotstream::fault {

class Arguments {
 public:
  Arguments(int count, char** values) : count_(count), values_(values) {}

  std::string_view text(std::string_view name, std::string_view otherwise = {}) const {
    for (int i = 1; i + 1 < count_; i += 2)
      if (name == values_[i]) return values_[i + 1];
    return otherwise;
  }
  std::uint64_t number(std::string_view name, std::uint64_t otherwise) const {
    const std::string_view given = text(name);
    std::from_chars(given.data(), given.data() + given.size(), otherwise);
    return otherwise;
  }
  std::uint64_t seed() const { return number("--seed", std::random_device()()); }

 private:
  int count_;
  char** values_;
};

}  // namespace iotstream::fault
