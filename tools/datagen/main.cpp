#include <charconv>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "datagen.hpp"

namespace {

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

std::optional<std::uint64_t> parse_seed(std::string_view text) {
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return seed;
}

bool write_file(const std::filesystem::path& directory, const iotstream::datagen::GeneratedFile& file) {
  const std::filesystem::path path = directory / file.path;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream.write(file.bytes.data(), static_cast<std::streamsize>(file.bytes.size()));
  stream.close();
  return stream.good();
}

int write_all(const std::filesystem::path& directory, std::uint64_t seed) {
  for (const auto& file : iotstream::datagen::generate_all(seed)) {
    if (!write_file(directory, file)) {
      fmt::print(stderr, "datagen: cannot write {}: check that the directory is writable and the disk not full\n",
                 (directory / file.path).string());
      return exit_failed;
    }
    fmt::print("{:>9} {}\n", file.bytes.size(), file.path);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::optional<std::uint64_t> seed = argc == 3 ? parse_seed(argv[2]) : iotstream::datagen::default_seed;
  if (argc < 2 || argc > 3 || !seed) {
    fmt::print(stderr,
               "usage: datagen DIRECTORY [SEED]\n"
               "Writes the synthetic recordings below DIRECTORY. SEED is an integer from 0 to 2^64-1, by default {}.\n",
               iotstream::datagen::default_seed);
    return exit_usage;
  }
  try {
    return write_all(argv[1], *seed);
  } catch (const std::exception& error) {
    fmt::print(stderr, "datagen: {}\n", error.what());
    return exit_failed;
  }
}
