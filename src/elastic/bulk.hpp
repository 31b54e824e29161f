// The body of `_bulk`, as a list of actions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/result.hpp>

namespace iotstream::elastic {

inline constexpr std::size_t actions_max = 100'000;  ///< in one request: 413 above

enum class Operation : unsigned char { index, create, update, delete_ };
std::string_view name_of(Operation operation);

struct Action {
  Operation operation = Operation::index;
  std::string index;        ///< of the action, or of the path; empty: neither says one
  std::string id;           ///< empty: none was given
  std::string_view source;  ///< the document's line; empty for delete
};

/// Lines in pairs: `{"index":{"_index":…,"_id":…}}`, then the document; delete stands alone. Views of `body`. Errors: invalid
/// (a line that is no action, with its number; an action without its document), too_large.
Result<std::vector<Action>> read_bulk(std::string_view body, std::string_view index);

}  // namespace iotstream::elastic
