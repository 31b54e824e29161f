#include "sqlite/error.hpp"

#include <sqlite3.h>
#include <string>
#include <system_error>

#include <fmt/format.h>

namespace iotstream::sqlite {

namespace {

std::string_view advice(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return ": free some space on its disk";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ": the file is damaged; put it aside and restore a copy";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ": another connection holds it; try again";
    case SQLITE_CANTOPEN:
      return ": check that the file and its folder exist and may be used";
    default:
      return "";
  }
}

std::string path_of(sqlite3* database) {
  const char* path = sqlite3_db_filename(database, "main");
  return path == nullptr || *path == '\0' ? "the database in memory" : path;
}

/// What the operating system said, when it was the system that refused.
std::string system_reason(sqlite3* database, int code) {
  const int primary = code & 0xff;
  const int number = primary == SQLITE_CANTOPEN || primary == SQLITE_IOERR ? sqlite3_system_errno(database) : 0;
  return number == 0 ? "" : fmt::format(" ({})", std::error_code(number, std::system_category()).message());
}

}  // namespace

ErrorKind kind_of(int code) noexcept {
  switch (code & 0xff) {  // the low byte is the primary code
    case SQLITE_FULL:
      return ErrorKind::disk_full;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL:
      return ErrorKind::io;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorKind::corrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorKind::busy;
    case SQLITE_INTERRUPT:
    case SQLITE_NOMEM:
      return ErrorKind::unavailable;
    case SQLITE_CONSTRAINT:
      return ErrorKind::conflict;
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return ErrorKind::forbidden;
    case SQLITE_TOOBIG:
      return ErrorKind::too_large;
    default:
      return ErrorKind::invalid;
  }
}

Error last_error(sqlite3* database, int code) {
  // The connection may hold the message of another call, when this code came from an argument check.
  const bool same = (sqlite3_errcode(database) & 0xff) == (code & 0xff);
  const char* sentence = same ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  const int offset = same ? sqlite3_error_offset(database) : -1;
  const std::string place = offset < 0 ? "" : fmt::format(" (at character {})", offset + 1);
  return {kind_of(code),
          fmt::format("{}: {}{}{}{}", path_of(database), sentence, system_reason(database, code), place, advice(code))};
}

}  // namespace iotstream::sqlite
