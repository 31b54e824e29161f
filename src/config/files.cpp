// Files that the configuration names.
#include "config/files.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <glob.h>
#include <memory>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>
#include <sys/stat.h>

namespace iotstream::config {

namespace {

std::string reason(int code) { return std::error_code(code, std::system_category()).message(); }

bool is_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISDIR(status.st_mode);
}

struct Closer {
  void operator()(std::FILE* file) const { (void)std::fclose(file); }  // read only: nothing can be lost
};

/// The matches of one pattern, sorted by glob().
Result<std::vector<std::string>> match(const std::string& pattern) {
  glob_t found{};
  const int code = ::glob(pattern.c_str(), GLOB_BRACE, nullptr, &found);
  const std::unique_ptr<glob_t, void (*)(glob_t*)> owner(&found, &::globfree);
  if (code == GLOB_NOSPACE) return Error{ErrorKind::unavailable, fmt::format("not enough memory to expand '{}'", pattern)};
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < found.gl_pathc; ++i) {
    if (is_file(found.gl_pathv[i])) paths.emplace_back(found.gl_pathv[i]);
  }
  if (paths.empty()) return Error{ErrorKind::not_found, fmt::format("no file matches '{}'", pattern)};
  return paths;
}

}  // namespace

Status check_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0)
    return Error{ErrorKind::not_found, fmt::format("cannot use '{}': {}", path, reason(errno))};
  if (S_ISDIR(status.st_mode)) return Error{ErrorKind::invalid, fmt::format("'{}' is a folder, not a file", path)};
  if (::access(path.c_str(), R_OK) != 0) return Error{ErrorKind::io, fmt::format("cannot read '{}': {}", path, reason(errno))};
  return {};
}

Status check_folder(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && !S_ISDIR(status.st_mode)) {
    return Error{ErrorKind::invalid, fmt::format("'{}' is a file, not a folder", path)};
  }
  return {};
}

Result<std::string> read_text(const std::string& path, std::size_t size_max) {
  if (auto usable = check_file(path); !usable.ok()) return usable.error();
  const std::unique_ptr<std::FILE, Closer> file(std::fopen(path.c_str(), "rbe"));
  if (file == nullptr) return Error{ErrorKind::io, fmt::format("cannot read '{}': {}", path, reason(errno))};
  std::string text;
  std::array<char, 4096> part;
  while (const std::size_t n = std::fread(part.data(), 1, part.size(), file.get())) {
    text.append(part.data(), n);
    if (text.size() > size_max) return Error{ErrorKind::too_large, fmt::format("'{}' is larger than {} bytes", path, size_max)};
  }
  if (std::ferror(file.get()) != 0) return Error{ErrorKind::io, fmt::format("cannot read '{}': {}", path, reason(errno))};
  return text;
}

Result<std::vector<std::string>> expand(const std::vector<std::string>& patterns) {
  std::vector<std::string> paths;
  for (const std::string& pattern : patterns) {
    if (is_file(pattern)) {
      paths.push_back(pattern);
      continue;
    }
    auto matches = match(pattern);
    if (!matches.ok()) return matches.error();
    paths.insert(paths.end(), matches->begin(), matches->end());
  }
  return paths;
}

}  // namespace iotstream::config
