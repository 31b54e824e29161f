#include "http/body.hpp"

#include <fmt/format.h>

namespace iotstream::http {

namespace {

template <class Json, class Value>
Result<std::optional<Value>> member(simdjson::dom::object object, const char* name, const char* type) {
  simdjson::dom::element element;
  if (object[name].get(element) != simdjson::SUCCESS || element.is_null()) return std::optional<Value>();
  Json value;
  if (element.get(value) != simdjson::SUCCESS) return Error{ErrorKind::invalid, fmt::format("'{}' must be {}", name, type)};
  return std::optional<Value>(Value(value));
}

}  // namespace

Result<JsonObject> JsonObject::parse(std::string_view text) {
  JsonObject json;
  simdjson::dom::element element;
  if (const auto error = json.parser_->parse(text.data(), text.size()).get(element)) {
    return Error{ErrorKind::invalid, fmt::format("the body is not JSON: {}", simdjson::error_message(error))};
  }
  if (element.get(json.object_) != simdjson::SUCCESS) return Error{ErrorKind::invalid, "the body must be a JSON object"};
  return json;
}

Result<std::optional<std::string>> JsonObject::text(const char* name) const {
  return member<std::string_view, std::string>(object_, name, "a text");
}
Result<std::optional<double>> JsonObject::number(const char* name) const {
  return member<double, double>(object_, name, "a number");
}
Result<std::optional<std::uint64_t>> JsonObject::whole(const char* name) const {
  return member<std::uint64_t, std::uint64_t>(object_, name, "a whole number, not negative");
}
Result<std::optional<bool>> JsonObject::truth(const char* name) const {
  return member<bool, bool>(object_, name, "true or false");
}

}  // namespace iotstream::http
