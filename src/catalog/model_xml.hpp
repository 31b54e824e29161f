// A model: a table's description as MySQL prints it with `desc TABLE --xml`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/model/schema.hpp>

namespace iotstream::catalog {

struct ModelColumn {
  model::FieldDraft draft;
  bool time = false;  ///< datetime or timestamp: the time of the event, not a field of it
  // As it stands there, for writing it again.
  std::string type;
  std::string null = "YES";
  std::string key;
  std::optional<std::string> fallback;  ///< the default; nothing: none
  std::string extra;
};
/// As read_model(), which see.
Result<std::vector<ModelColumn>> read_model_columns(std::string_view xml);

}  // namespace iotstream::catalog
