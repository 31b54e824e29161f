#include "tidy/house.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include <fmt/format.h>

namespace iotstream::tidy {

namespace fs = std::filesystem;

namespace {

const std::set<std::string> consumers{"store", "live", "alert", "sink"};
// Written in two parts, so that this file does not break its own rule.
const std::vector<std::string> leftovers{
    "TO"
    "DO",
    "FIX"
    "ME",
    "XX"
    "X"};

std::optional<std::size_t> rank(const std::string& room) {
  const auto at = std::find(rooms().begin(), rooms().end(), room);
  return at == rooms().end() ? std::nullopt : std::optional<std::size_t>(at - rooms().begin());
}

struct Include {
  bool angle = false;
  std::string path;
};

/// The include of a line, if it is one.
std::optional<Include> include_of(std::string_view line) {
  const auto skip = [&line](std::string_view what) {
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
    if (!line.starts_with(what)) return false;
    line.remove_prefix(what.size());
    return true;
  };
  if (!skip("#") || !skip("include")) return std::nullopt;
  const bool angle = skip("<");
  if (!angle && !skip("\"")) return std::nullopt;
  return Include{angle, std::string(line.substr(0, line.find(angle ? '>' : '"')))};
}

bool holds_word(std::string_view line, std::string_view word) {
  const auto letter = [&line](std::size_t i) {
    return i < line.size() && (std::isalnum(static_cast<unsigned char>(line[i])) != 0 || line[i] == '_');
  };
  for (std::size_t at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
    if (!letter(at + word.size()) && (at == 0 || !letter(at - 1))) return true;
  }
  return false;
}

std::string first_folder(const std::string& path) {
  return path.find('/') == std::string::npos ? "" : path.substr(0, path.find('/'));
}

bool is_source(const fs::path& path) {
  static const std::set<std::string> endings{".cpp", ".hpp",   ".h",  ".ts",  ".tsx", ".css",
                                             ".mjs", ".cmake", ".md", ".xml", ".toml"};
  return endings.contains(path.extension().string()) || path.filename() == "CMakeLists.txt";
}

bool is_foreign(const fs::path& path) {
  static const std::set<std::string> names{"build", "node_modules", "dist", "var"};
  const std::string name = path.filename().string();
  return names.contains(name) || (name.size() > 1 && name[0] == '.');
}

class Inspector {
 public:
  explicit Inspector(fs::path root) : root_(std::move(root)) {}

  std::vector<std::string> run() {
    inspect_rooms("src", false);
    inspect_rooms("include/iotstream", true);
    find_circles();
    for (const char* folder : {"src", "include", "tests", "tools", "bench", "cmake", "web"}) find_leftovers(root_ / folder);
    if (files_ == 0) tell(root_, 0, "there is no source file to check");
    std::sort(found_.begin(), found_.end());
    found_.erase(std::unique(found_.begin(), found_.end()), found_.end());  // a room has two folders
    return std::move(found_);
  }

 private:
  void tell(const fs::path& path, std::size_t line, const std::string& sentence) {
    found_.push_back(fmt::format("{}:{}: {}", path.lexically_relative(root_).generic_string(), line, sentence));
  }

  template <class Visit>
  void each_line(const fs::path& path, Visit visit) {
    std::ifstream file(path);
    std::string line;
    for (std::size_t number = 1; std::getline(file, line); ++number) visit(line, number);
  }

  void inspect_rooms(const char* folder, bool is_public) {
    if (!fs::is_directory(root_ / folder)) return;
    for (const auto& entry : fs::directory_iterator(root_ / folder)) {
      if (!entry.is_directory()) continue;
      const std::string room = entry.path().filename().string();
      if (!rank(room)) {
        tell(entry.path(), 0, fmt::format("'{}' is no room", room));
        continue;
      }
      const bool inspected = inspect_room(entry.path(), room, is_public);
      if (inspected && !fs::exists(root_ / "src" / room / "README.md"))
        tell(root_ / "src" / room, 0, "the room has no README.md");
    }
  }

  bool inspect_room(const fs::path& folder, const std::string& room, bool is_public) {
    bool any = false;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      const std::string ending = entry.path().extension().string();
      if (ending != ".cpp" && ending != ".hpp" && ending != ".h") continue;
      any = true;
      ++files_;
      inspect_file(entry.path(), room, is_public, ending != ".cpp");
    }
    return any;
  }

  void inspect_file(const fs::path& path, const std::string& room, bool is_public, bool is_header) {
    bool once = false;
    each_line(path, [&](const std::string& line, std::size_t number) {
      once = once || line == "#pragma once";
      const auto include = include_of(line);
      if (!include) return;
      if (!include->angle) {
        inspect_inside(path, number, room, is_public, include->path);
      } else if (include->path.starts_with("iotstream/")) {
        inspect_door(path, number, room, first_folder(include->path.substr(10)));
      }
    });
    if (is_header && !once) tell(path, 1, "the header has no #pragma once");
  }

  void inspect_inside(const fs::path& path, std::size_t line, const std::string& room, bool is_public,
                      const std::string& target) {
    const std::string folder = first_folder(target);
    if (is_public) {
      tell(path, line, fmt::format("a public header includes \"{}\"", target));
    } else if (folder.empty() || folder == "." || folder == "..") {
      tell(path, line, fmt::format("\"{}\" must be written with its room: \"{}/…\"", target, room));
    } else if (folder != room && !(room == "app" && folder == "bench")) {  // `iotstream bench` runs the suite in bench/
      tell(path, line, fmt::format("'{}' includes the inside of '{}': \"{}\"", room, folder, target));
    }
  }

  void inspect_door(const fs::path& path, std::size_t line, const std::string& room, const std::string& other) {
    if (other == room) return;
    if (!rank(other)) return tell(path, line, fmt::format("'{}' is no room", other));
    uses_[room].insert(other);
    if (consumers.contains(room) && consumers.contains(other)) {
      tell(path, line, fmt::format("the consumer '{}' includes the consumer '{}'", room, other));
    } else if (*rank(other) > *rank(room)) {
      tell(path, line, fmt::format("'{}' includes '{}', which comes after it", room, other));
    }
  }

  bool reaches(const std::string& from, const std::string& to, std::set<std::string>& seen) {
    for (const std::string& next : uses_[from]) {
      if (next == to || (seen.insert(next).second && reaches(next, to, seen))) return true;
    }
    return false;
  }

  void find_circles() {
    for (const std::string& room : rooms()) {
      std::set<std::string> seen;
      if (reaches(room, room, seen)) tell(root_ / "src" / room, 0, fmt::format("'{}' includes itself in a circle", room));
    }
  }

  void find_leftovers(const fs::path& folder) {
    if (!fs::is_directory(folder)) return;
    for (fs::recursive_directory_iterator at(folder), end; at != end; ++at) {
      if (is_foreign(at->path())) {
        if (at->is_directory()) at.disable_recursion_pending();
        continue;
      }
      if (!at->is_regular_file() || !is_source(at->path())) continue;
      each_line(at->path(), [&](const std::string& line, std::size_t number) {
        for (const std::string& word : leftovers) {
          if (holds_word(line, word)) tell(at->path(), number, fmt::format("unfinished: {}", word));
        }
      });
    }
  }

  fs::path root_;
  std::size_t files_ = 0;
  std::map<std::string, std::set<std::string>> uses_;
  std::vector<std::string> found_;
};

}  // namespace

const std::vector<std::string>& rooms() {
  static const std::vector<std::string> order{"base",    "os",     "sqlite", "config", "metrics", "model", "query",  "profile",
                                              "catalog", "report", "log",    "net",    "ingest",  "mqtt",  "influx", "elastic",
                                              "sim",     "store",  "live",   "alert",  "sink",    "http",  "app"};
  return order;
}

std::vector<std::string> check(const fs::path& root) { return Inspector(root).run(); }

}  // namespace iotstream::tidy
