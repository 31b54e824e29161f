// A model: a table's description as MySQL prints it with `desc TABLE --xml`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/result.hpp>
#include <iotstream/model/schema.hpp>

namespace iotstream::catalog {

struct ModelColumn {
  model::FieldDraft draft;
  bool time = false;  ///< datetime or timestamp: the time of the event, not a field of it
};
/// As read_model(), which see.
Result<std::vector<ModelColumn>> read_model_columns(std::string_view xml);

}  // namespace iotstream::catalog
