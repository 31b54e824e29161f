// One point of InfluxDB's line protocol into an Encoder.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/ingest/gate.hpp>

#include "ingest/encoder.hpp"
#include "ingest/json_reader.hpp"

namespace iotstream::ingest {

/// `measurement,tag=value field=1i,other="text" 1700000000000000000`, by the grammar of InfluxDB 1.x and 2.x, with its
/// sentences for what is wrong. Tags are text fields; `i` and `u` integers, numbers without them reals (a double, as there), t,
/// T, true… booleans. Reused from point to point; no allocation once the members are known. One thread.
class PointReader {
 public:
  /// `line` must live until the encoder has finished. `encoder` gets the one that was picked for the measurement.
  std::optional<Problem> read(std::string_view line, const PointRules& rules, const JsonReader::Pick& pick, Encoder*& encoder);

 private:
  struct Tag {
    std::string_view name;
    std::string_view value;
  };

  std::optional<Problem> read_key(const PointRules& rules, const JsonReader::Pick& pick, Encoder*& encoder);
  std::optional<Problem> read_tag(Encoder& encoder);
  std::optional<Problem> read_fields(Encoder& encoder);
  std::optional<Problem> read_field(Encoder& encoder);
  std::optional<Problem> read_value(model::Value& value);
  std::optional<Problem> read_text(model::Value& value);
  std::optional<Problem> read_time(const PointRules& rules, Encoder& encoder);
  std::optional<Problem> set(Encoder& encoder, std::string_view name, const model::Value& value);
  void choose_device(const PointRules& rules, Encoder& encoder);

  std::string_view word(std::string_view ends, bool equals);
  std::string_view keep(std::string_view raw, bool equals);
  Problem problem(std::string_view reason, ErrorKind kind = ErrorKind::invalid) const;

  std::string_view line_;
  std::size_t at_ = 0;
  std::vector<Tag> tags_;
  Member* previous_ = nullptr;
  std::string device_;
  std::string dataset_;
  std::string second_name_;
  std::string unescaped_;  ///< texts that had escapes; reserved before, so that views of it stay
};

/// The end of the point that begins at `at`: the line break behind it, outside quotes, or the text's end. npos when a quote
/// stays open.
std::size_t point_end(std::string_view text, std::size_t at);

}  // namespace iotstream::ingest
