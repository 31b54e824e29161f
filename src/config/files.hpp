// Files that the configuration names.
#pragma once

#include <string>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/config/config.hpp>

namespace iotstream::config {

/// Well when `path` is a file that may be read.
Status check_file(const std::string& path);
/// Well when `path` is a folder or not there.
Status check_folder(const std::string& path);
Result<std::string> read_text(const std::string& path, std::size_t size_max);

}  // namespace iotstream::config
