#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "datagen.hpp"

namespace {

namespace fs = std::filesystem;
using iotstream::datagen::default_seed;
using iotstream::datagen::generate_all;
using iotstream::datagen::GeneratedFile;

fs::path data_directory() { return fs::path(IOTSTREAM_SOURCE_DIR) / "data"; }

std::optional<std::string> read_bytes(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

std::string_view line_around(std::string_view text, std::size_t position) {
  const std::size_t before = text.substr(0, position).rfind('\n');
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  const std::size_t end = text.find('\n', std::min(position, text.size()));
  return text.substr(begin, end == std::string_view::npos ? std::string_view::npos : end - begin);
}

/// Empty where the two are the same; else the first line that differs, on both sides.
std::string difference(std::string_view made, std::string_view committed) {
  if (made == committed) return {};
  const auto [left, right] = std::mismatch(made.begin(), made.end(), committed.begin(), committed.end());
  const auto position = static_cast<std::size_t>(left - made.begin());
  std::ostringstream out;
  out << "first difference in line " << 1 + std::count(made.begin(), left, '\n')
      << "\n  generated: " << line_around(made, position) << "\n  committed: " << line_around(committed, position);
  return out.str();
}

/// The CSV files below data/, as the generator names them.
std::set<std::string> committed_files() {
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(data_directory())) {
    if (entry.is_regular_file() && entry.path().extension() == ".csv") {
      names.insert(fs::relative(entry.path(), data_directory()).generic_string());
    }
  }
  return names;
}

/// The cells of one line; a separator inside quotes separates nothing.
std::size_t cells_of(std::string_view line, char separator) {
  bool quoted = false;
  std::size_t cells = 1;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (c == separator && !quoted) ++cells;
  }
  return cells;
}

}  // namespace

TEST_CASE("the default seed makes the committed files, byte for byte", "[datagen]") {
  for (const GeneratedFile& file : generate_all(default_seed)) {
    INFO(file.path);
    const std::optional<std::string> committed = read_bytes(data_directory() / file.path);
    REQUIRE(committed.has_value());
    const std::string found = difference(file.bytes, *committed);
    INFO(found);
    CHECK(found.empty());
  }
}

TEST_CASE("the default seed makes every committed file, and no other", "[datagen]") {
  std::set<std::string> made;
  for (const GeneratedFile& file : generate_all(default_seed)) CHECK(made.insert(file.path).second);
  CHECK(made == committed_files());
}

TEST_CASE("a difference names its line and shows both sides", "[datagen]") {
  CHECK(difference("a;1\nb;2\n", "a;1\nb;2\n").empty());
  CHECK(difference("a;1\nb;2\n", "a;1\nb;3\n") == "first difference in line 2\n  generated: b;2\n  committed: b;3");
  CHECK(difference("a;1\nb;2\n", "a;1\n") == "first difference in line 2\n  generated: b;2\n  committed: ");
  CHECK(difference("", "a") == "first difference in line 1\n  generated: \n  committed: a");
}

TEST_CASE("the same seed twice makes the same bytes, another seed changes every file", "[datagen]") {
  const auto first = generate_all(7);
  const auto again = generate_all(7);
  const auto other = generate_all(8);
  REQUIRE(first.size() == again.size());
  REQUIRE(first.size() == other.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    INFO(first[i].path);
    CHECK(first[i].bytes == again[i].bytes);
    CHECK(first[i].path == other[i].path);
    CHECK(first[i].bytes != other[i].bytes);
  }
}

TEST_CASE("every row has as many cells as its header, whatever the seed", "[datagen]") {
  for (const std::uint64_t seed : {default_seed, std::uint64_t{0}, ~std::uint64_t{0}}) {
    for (const GeneratedFile& file : generate_all(seed)) {
      INFO("seed " << seed << ", " << file.path);
      const char separator = file.path.starts_with("x46789/") ? ';' : ',';
      REQUIRE(file.bytes.ends_with('\n'));
      std::istringstream lines(file.bytes);
      std::string line;
      REQUIRE(std::getline(lines, line));
      const std::size_t columns = cells_of(line, separator);
      std::size_t uneven = 0;
      while (std::getline(lines, line)) {
        if (cells_of(line, separator) != columns) ++uneven;
      }
      CHECK(uneven == 0);
    }
  }
}
