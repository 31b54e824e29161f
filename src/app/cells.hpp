// JSON answers as cells of a table.
#pragma once

#include <simdjson.h>
#include <string>

namespace iotstream::app {

/// The member as text; `-` when it is absent, null or empty.
std::string cell(simdjson::dom::element object, const char* name);
/// The member, epoch µs, as a time.
std::string time_cell(simdjson::dom::element object, const char* name);
/// An array without elements. simdjson's own default may not be walked: it has no document.
simdjson::dom::array no_list();
/// The array of that name; empty when there is none.
simdjson::dom::array list_of(simdjson::dom::element document, const char* name);

}  // namespace iotstream::app
