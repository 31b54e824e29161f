// What a stranger's statement may do: everything else is refused while it is compiled.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/sqlite/database.hpp>

namespace iotstream::sqlite {

/// Deny by default. Must outlive the connection's use. One thread.
class Authorizer {
 public:
  /// Notes the tables and views that `database` has now, in all its files, and watches it from here on. Errors: io, corrupt.
  Status watch(Database& database, const std::vector<std::string>& schemas);

  /// What was refused, as a sentence; empty: nothing.
  const std::string& refusal() const { return refusal_; }

 private:
  static int ask(void* self, int action, const char* first, const char* second, const char* schema, const char* inside);
  bool allows(int action, std::string_view first, std::string_view second, std::string_view schema);
  bool allows_read(std::string_view table, std::string_view column, std::string_view schema) const;

  std::set<std::string, std::less<>> tables_;   ///< `schema.table`, in lower case
  std::set<std::string, std::less<>> modules_;  ///< of virtual tables, in lower case
  std::string refusal_;
};

}  // namespace iotstream::sqlite
