// errno as an Error.
#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include <iotstream/base/result.hpp>

namespace iotstream::os {

inline ErrorKind kind_of(int code) {
  switch (code) {
    case ENOSPC:
    case EDQUOT:
      return ErrorKind::disk_full;
    case ENOENT:
      return ErrorKind::not_found;
    case EEXIST:
      return ErrorKind::conflict;
    case EMFILE:
    case ENFILE:
      return ErrorKind::busy;  // too many open files: passes when some are closed
    default:
      return ErrorKind::io;
  }
}

/// `cannot <action> <path>: <the system's reason>`. `code` is an errno.
inline Error system_error(std::string_view action, std::string_view path, int code) {
  return {kind_of(code),
          fmt::format("cannot {} {}: {}", action, path, std::error_code(code, std::system_category()).message())};
}

}  // namespace iotstream::os
