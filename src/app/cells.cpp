#include "app/cells.hpp"

#include <fmt/format.h>

#include <iotstream/base/time.hpp>

namespace iotstream::app {

using simdjson::dom::element;

std::string cell(element object, const char* name) {
  element value;
  if (object[name].get(value) != simdjson::SUCCESS || value.is_null()) return "-";
  if (value.is_string()) return value.get_string_length().value() == 0 ? "-" : std::string(value.get_string().value());
  // Not is_double(): that is true of whole numbers, too.
  if (value.type() == simdjson::dom::element_type::DOUBLE) return fmt::format("{:.1f}", value.get_double().value());
  return simdjson::minify(value);
}

std::string time_cell(element object, const char* name) {
  std::int64_t us = 0;
  return object[name].get(us) == simdjson::SUCCESS ? format_rfc3339({us}) : "-";
}

simdjson::dom::array no_list() {
  static simdjson::dom::parser parser;
  static const element list = parser.parse(std::string_view("[]")).value();
  return list.get_array().value();
}

simdjson::dom::array list_of(element document, const char* name) {
  simdjson::dom::array list;
  if (document[name].get(list) != simdjson::SUCCESS) return no_list();
  return list;
}

}  // namespace iotstream::app
