// Frames read back what was put into them.
#include <cmath>
#include <limits>
#include <random>

#include "bench.hpp"
#include "support/random.hpp"

namespace iotstream::live::test {
namespace {

using model::FieldType;

model::SchemaPtr schema_of(const std::vector<FieldType>& types) {
  catalog::Schemas schemas;
  std::vector<model::FieldDraft> drafts;
  for (std::size_t i = 0; i != types.size(); ++i) {
    drafts.emplace_back();
    drafts.back().name = fmt::format("f{}", i);
    drafts.back().type = types[i];
  }
  return *schemas.evolve("d", drafts, "", {1});
}

FrameContent content_of(const RowBuffer& rows, const model::Schema& schema, const std::vector<std::string>& devices) {
  FrameContent content;
  content.id = 9;
  content.seq = 42;
  content.rows = &rows;
  content.end = rows.rows();
  content.schema = &schema;
  content.devices = &devices;
  return content;
}

/// The encoding that a column of these values gets.
std::uint8_t encoding_of(FieldType type, const std::vector<Value>& values) {
  const auto schema = schema_of({type});
  RowBuffer rows;
  for (const Value& value : values) {
    rows.begin_row({1000}, 0);
    rows.add(FieldId(0), value);
  }
  const std::vector<std::string> devices{"x"};
  FrameEncoder encoder;
  return decode_binary(encoder.binary(content_of(rows, *schema, devices))).encodings[0];
}

TEST_CASE("the header says what the frame is") {
  const auto schema = schema_of({FieldType::integer});
  RowBuffer rows;
  rows.begin_row({5'000'000}, 3);
  rows.add(FieldId(0), integer(-7));
  const std::vector<std::string> devices{"a", "b", "c", "d"};
  FrameContent content = content_of(rows, *schema, devices);
  content.backfill = content.last = true;
  content.merged = 11;
  FrameEncoder encoder;
  const DecodedFrame frame = decode_binary(encoder.binary(content));
  CHECK(frame.id == 9);
  CHECK(frame.seq == 42);
  CHECK(frame.backfill);
  CHECK(frame.last);
  CHECK(frame.merged_flag);
  CHECK(frame.merged == 11);
  CHECK(frame.schema_version == 1);
  REQUIRE(frame.rows.size() == 1);
  CHECK(frame.rows[0].time == 5'000'000);
  CHECK(frame.rows[0].device == 3);
  CHECK(std::get<double>(frame.rows[0].values.at(0)) == -7);
}

TEST_CASE("a frame without rows is a header alone") {
  const auto schema = schema_of({FieldType::integer});
  const RowBuffer rows;
  const std::vector<std::string> devices;
  FrameEncoder encoder;
  const std::string bytes = encoder.binary(content_of(rows, *schema, devices));
  CHECK(bytes.size() == 40);
  CHECK(decode_binary(bytes).rows.empty());
  CHECK(encoder.json(content_of(rows, *schema, devices)) ==
        R"({"id":9,"seq":42,"backfill":false,"last":false,"merged":0,"schema_version":1,"time":[],"device":[],"fields":{}})");
}

TEST_CASE("the encoding is the smallest that holds every value") {
  CHECK(encoding_of(FieldType::boolean, {truth(true), truth(false)}) == 4);
  CHECK(encoding_of(FieldType::integer, {integer(1), integer(-2'147'483'648)}) == 3);
  CHECK(encoding_of(FieldType::integer, {integer(1), truth(true)}) == 3);
  CHECK(encoding_of(FieldType::integer, {integer(2'147'483'648)}) == 2);  // a power of two: f32 holds it
  CHECK(encoding_of(FieldType::integer, {integer(2'147'483'649)}) == 1);
  CHECK(encoding_of(FieldType::real, {real(0.5), integer(3)}) == 2);
  CHECK(encoding_of(FieldType::real, {real(0.1)}) == 1);
  CHECK(encoding_of(FieldType::real, {real(1e300)}) == 1);
  CHECK(encoding_of(FieldType::real, {real(48.88), real(0.5)}) == 1);
  CHECK(encoding_of(FieldType::text, {integer(1)}) == 6);
  CHECK(encoding_of(FieldType::text, {text("a"), truth(true)}) == 6);
  CHECK(encoding_of(FieldType::json, {text("[1]", ValueKind::json)}) == 6);
}

TEST_CASE("a decimal that no double holds is absent in binary and whole in JSON") {
  const auto schema = schema_of({FieldType::real});
  RowBuffer rows;
  for (const char* literal : {"1e400", "0.1000000000000000055"}) {
    rows.begin_row({1}, 0);
    rows.add(FieldId(0), text(literal, ValueKind::decimal));
  }
  const std::vector<std::string> devices{"x"};
  FrameEncoder encoder;
  const DecodedFrame frame = decode_binary(encoder.binary(content_of(rows, *schema, devices)));
  CHECK(frame.rows[0].values.empty());
  CHECK(std::get<double>(frame.rows[1].values.at(0)) == 0.1);
  CHECK(encoder.json(content_of(rows, *schema, devices)).find(R"("f0":[1e400,0.1000000000000000055])") != std::string::npos);
}

TEST_CASE("JSON frames hold numbers exactly, and null where there is no value") {
  const auto schema = schema_of({FieldType::integer, FieldType::real, FieldType::text, FieldType::boolean});
  RowBuffer rows;
  rows.begin_row({1'700'000'000'000'001}, 1);
  rows.add(FieldId(0), integer(9'223'372'036'854'775'807));
  rows.add(FieldId(1), real(8.620000000000001));
  rows.begin_row({1'700'000'000'000'002}, 0);
  rows.add(FieldId(2), text("\"é\n"));
  rows.add(FieldId(3), truth(true));
  const std::vector<std::string> devices{"y", "x"};
  FrameEncoder encoder;
  CHECK(encoder.json(content_of(rows, *schema, devices)) ==
        R"({"id":9,"seq":42,"backfill":false,"last":false,"merged":0,"schema_version":1,)"
        R"("time":[1700000000000001,1700000000000002],"device":["x","y"],)"
        R"("fields":{"f0":[9223372036854775807,null],"f1":[8.620000000000001,null],"f2":[null,"\"é\n"],"f3":[null,true]}})");
}

/// What a viewer must read of a value, in binary.
Decoded expected(const Value& value, bool as_text) {
  if (!as_text) return value.as_double();
  if (value.kind == ValueKind::text || value.kind == ValueKind::json) return std::string(value.text);
  std::string json;
  model::append_json(json, value);
  return json;
}

class RandomContent {
 public:
  explicit RandomContent(std::uint32_t seed) : random_(seed) {
    std::vector<FieldType> types;
    for (std::uint32_t i = 1 + below(12); i != 0; --i) types.push_back(static_cast<FieldType>(below(5)));
    schema = schema_of(types);
    for (std::uint32_t i = 0; i != 5; ++i) devices.push_back(fmt::format("device {}", i));
    const std::uint32_t count = below(2) == 0 ? below(20) : below(300);
    const std::uint32_t density = 1 + below(4);
    for (std::uint32_t row = 0; row != count; ++row) {
      times.push_back(1'700'000'000'000'000 + static_cast<std::int64_t>(below(1'000'000'000)) - 500'000'000);
      row_devices.push_back(static_cast<std::uint16_t>(below(5)));
      auto& values = cells.emplace_back();
      for (std::uint32_t field = 0; field != types.size(); ++field)
        if (below(4) < density) values.emplace(field, value_of(types[field]));
      rows.begin_row({times.back()}, row_devices.back());
      for (const auto& [field, value] : values) rows.add(FieldId(field), value);
    }
  }

  model::SchemaPtr schema;
  std::vector<std::string> devices;
  RowBuffer rows;
  std::vector<std::int64_t> times;
  std::vector<std::uint16_t> row_devices;
  std::vector<std::map<std::uint32_t, Value>> cells;

 private:
  std::uint32_t below(std::uint32_t n) { return std::uniform_int_distribution<std::uint32_t>(0, n - 1)(random_); }

  Value value_of(FieldType type) {
    switch (type) {
      case FieldType::boolean:
        return truth(below(2) == 1);
      case FieldType::integer:
        return below(3) == 0 ? integer(static_cast<std::int64_t>(random_()) * static_cast<std::int64_t>(random_()) / 4096)
                             : integer(static_cast<std::int64_t>(below(1000)) - 500);
      case FieldType::real:
        return below(3) == 0 ? real(std::ldexp(static_cast<double>(random_()), static_cast<int>(below(400)) - 200))
                             : real(static_cast<double>(below(1000)) / 8);
      case FieldType::text:
        return below(5) == 0 ? integer(below(100)) : text(keep(std::string(below(20), static_cast<char>('a' + below(26)))));
      default:
        return text(keep(fmt::format("[{}]", below(1000))), ValueKind::json);
    }
  }
  std::string_view keep(std::string words) {
    texts_.push_back(std::move(words));
    return texts_.back();
  }

  std::mt19937 random_;
  std::deque<std::string> texts_;
};

TEST_CASE("frames of random content are read back as they were, by one encoder after another") {
  const std::uint32_t begin = static_cast<std::uint32_t>(::iotstream::test::seed());
  FrameEncoder encoder;
  for (std::uint32_t seed = begin; seed != begin + 300; ++seed) {
    INFO("seed " << seed);
    const RandomContent random(seed);
    FrameContent content = content_of(random.rows, *random.schema, random.devices);
    content.begin = random.rows.rows() / 3;
    content.end = random.rows.rows() - random.rows.rows() / 4;
    const DecodedFrame binary = decode_binary(encoder.binary(content));
    const DecodedFrame json = decode_json(encoder.json(content));
    REQUIRE(binary.rows.size() == content.end - content.begin);
    REQUIRE(json.rows.size() == binary.rows.size());
    for (std::size_t i = 0; i != binary.rows.size(); ++i) {
      const std::size_t row = content.begin + i;
      REQUIRE(binary.rows[i].time == random.times[row]);
      REQUIRE(binary.rows[i].device == random.row_devices[row]);
      REQUIRE(json.rows[i].time == random.times[row]);
      REQUIRE(json.rows[i].device_name == random.devices[random.row_devices[row]]);
      REQUIRE(binary.rows[i].values.size() == random.cells[row].size());
      REQUIRE(json.rows[i].json_values.size() == random.cells[row].size());
      for (const auto& [field, value] : random.cells[row]) {
        const FieldType type = random.schema->field(FieldId(field)).type;
        const bool as_text = type == FieldType::text || type == FieldType::json;
        REQUIRE((binary.rows[i].values.at(static_cast<std::uint16_t>(field)) == expected(value, as_text)));
        std::string written;
        model::append_json(written, value);
        simdjson::dom::parser parser;
        REQUIRE(json.rows[i].json_values.at(fmt::format("f{}", field)) == simdjson::minify(parser.parse(written).value()));
      }
    }
  }
}

}  // namespace
}  // namespace iotstream::live::test
