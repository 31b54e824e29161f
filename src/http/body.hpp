// Reading small JSON documents of requests (simdjson's DOM: convenient, and these are not hot).
#pragma once

#include <optional>
#include <simdjson.h>
#include <string>
#include <string_view>

#include <iotstream/base/result.hpp>

namespace iotstream::http {

/// A parsed JSON object. Keep it while its members are read.
class JsonObject {
 public:
  /// Errors: invalid when the text is not a JSON object.
  static Result<JsonObject> parse(std::string_view text);

  /// Nothing when absent or null. Errors: invalid, naming the member, when it has another type.
  Result<std::optional<std::string>> text(const char* name) const;
  Result<std::optional<double>> number(const char* name) const;
  Result<std::optional<std::uint64_t>> whole(const char* name) const;
  Result<std::optional<bool>> truth(const char* name) const;
  simdjson::dom::object object() const { return object_; }

 private:
  std::unique_ptr<simdjson::dom::parser> parser_ = std::make_unique<simdjson::dom::parser>();
  simdjson::dom::object object_;
};

}  // namespace iotstream::http
