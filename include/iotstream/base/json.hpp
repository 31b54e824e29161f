// Writing JSON by appending to a string. Reading is simdjson's, in the rooms that read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace iotstream::json {

/// Appends `text` quoted and escaped (RFC 8259; also `<`, U+2028 and U+2029 stay as they are: this is never put into a script).
/// Bytes that are not UTF-8 become U+FFFD, so that what is written is always valid JSON.
void append_string(std::string& out, std::string_view text);
/// Appends the shortest digits that read back as the same double; `null` for NaN and infinities.
void append_number(std::string& out, double number);
void append_number(std::string& out, std::int64_t number);
void append_number(std::string& out, std::uint64_t number);

/// Builds one object or array member by member, putting commas where they belong:
///   Writer json(out); json.begin_object(); json.key("a").value(1); json.end_object();
/// Keys and values must alternate inside objects; the caller's duty.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  Writer& begin_object() { return open('{'); }
  Writer& end_object() { return close('}'); }
  Writer& begin_array() { return open('['); }
  Writer& end_array() { return close(']'); }
  Writer& key(std::string_view name);
  Writer& value(std::string_view text);
  Writer& value(const char* text) { return value(std::string_view(text)); }
  Writer& value(double number);
  Writer& value(std::int64_t number);
  Writer& value(std::uint64_t number);
  Writer& value(int number) { return value(static_cast<std::int64_t>(number)); }
  Writer& value(unsigned number) { return value(static_cast<std::uint64_t>(number)); }
  Writer& value(bool truth);
  Writer& null();
  /// Appends text that is JSON already.
  Writer& raw(std::string_view json_text);

 private:
  Writer& open(char bracket);
  Writer& close(char bracket);
  void separate();

  std::string& out_;
  bool comma_ = false;
};

}  // namespace iotstream::json
