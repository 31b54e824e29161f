// SQLite's result codes as Errors.
#pragma once

#include <string_view>

#include <iotstream/base/result.hpp>

struct sqlite3;

namespace iotstream::sqlite {

ErrorKind kind_of(int code) noexcept;
/// The last error of `database`: `<path>: <SQLite's sentence>`, with what to do where that is known. `code` is what the call
/// returned.
Error last_error(sqlite3* database, int code);

}  // namespace iotstream::sqlite
