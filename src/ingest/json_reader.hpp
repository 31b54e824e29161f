// One reading's JSON text, parsed once, into an Encoder.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <simdjson.h>
#include <string>
#include <string_view>

#include <iotstream/base/result.hpp>

#include "ingest/encoder.hpp"
#include "ingest/speculative_reader.hpp"

namespace iotstream::ingest {

/// Why a reading was not taken.
struct Problem {
  ErrorKind kind = ErrorKind::invalid;
  std::string reason;
  std::optional<std::size_t> offset;  ///< into the reading's text, where that is known
};

/// Parses with simdjson's On-Demand interface and checks everything it steps over, so that what is stored is what was sent.
/// Reused from reading to reading. One thread.
class JsonReader {
 public:
  /// The encoder of a dataset, begun by the reader; an error refuses the reading.
  using Pick = std::function<Result<Encoder*>(std::string_view dataset)>;

  /// Reads an object's members into `encoder`. `text` may lie anywhere in `body`; near its end it is copied, because the parser
  /// reads ahead.
  std::optional<Problem> read(std::string_view text, std::string_view body, Encoder& encoder);
  /// Reads `{"DatasetType": …, "data": {…}}`, members in any order; `encoder` gets the one that was picked. Other members of
  /// the envelope are checked and left out.
  std::optional<Problem> read_envelope(std::string_view text, std::string_view body, const Pick& pick, Encoder*& encoder);
  /// Gives back memory that only a large reading needed.
  void shrink();

 private:
  using Object = simdjson::ondemand::object;
  using Field = simdjson::ondemand::field;
  using JsonValue = simdjson::ondemand::value;
  using Document = simdjson::ondemand::document;

  // The text as the parser may read it: with its padding behind it.
  std::string_view padded(std::string_view text, std::string_view body);
  std::optional<Problem> open(std::string_view text, std::string_view body, Document& document, Object& object);
  std::optional<Problem> close(Document& document);
  std::optional<Problem> read_padded(Encoder& encoder, Document& document, Object& object);
  std::optional<Problem> envelope_member(Field& field, const Pick& pick, Encoder*& encoder);
  std::optional<Problem> late_data(std::string_view body, const Pick& pick, Encoder*& encoder);

  std::optional<Problem> members(Object& object, Encoder& encoder, Level& level, unsigned depth, bool& any);
  std::optional<Problem> member(Field& field, Encoder& encoder, Level& level, Member*& previous, unsigned depth);
  std::optional<Problem> object_member(JsonValue& value, Encoder& encoder, Member& member, unsigned depth);
  std::optional<Problem> scalar(JsonValue& value, simdjson::ondemand::json_type type, model::Value& out);
  std::optional<Problem> string(JsonValue& value, std::string_view& out);

  // Appends to json_ without blanks, checking what it copies.
  std::optional<Problem> append(JsonValue& value, unsigned depth);
  std::optional<Problem> append_array(JsonValue& value, unsigned depth);
  std::optional<Problem> append_object(JsonValue& value, unsigned depth);
  std::optional<Problem> append_field(Field& field, unsigned depth);

  Problem malformed(simdjson::error_code error);
  Problem unbalanced(simdjson::error_code error) const;
  Problem problem_at(const char* at, ErrorKind kind, std::string reason) const;

  SpeculativeReader speculation_;
  simdjson::ondemand::parser parser_;
  Document* document_ = nullptr;  ///< the one being read, for its position
  std::string_view text_;         ///< what the parser reads
  std::string copy_;
  std::string json_;          ///< arrays of this reading as minified text; reserved before, so that views of it stay
  std::string_view dataset_;  ///< of the envelope
  std::optional<std::string_view> late_data_;  ///< `data` that came before `DatasetType`
  std::unique_ptr<JsonReader> second_;         ///< reads late_data_ while this one holds the rest
};

}  // namespace iotstream::ingest
