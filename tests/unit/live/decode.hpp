// What a viewer reads: frames, binary and JSON, as rows of values.
#pragma once

#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <simdjson.h>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "live/frame.hpp"

namespace iotstream::live::test {

/// Not Catch's: frames are read on the hub's thread as well. What is thrown there ends the program, which is a failure, too.
inline void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(std::string("bad frame: ") + what);
}

using Decoded = std::variant<double, std::string>;

struct DecodedRow {
  std::int64_t time = 0;
  std::uint16_t device = 0;                        ///< binary frames
  std::string device_name;                         ///< JSON frames
  std::map<std::uint16_t, Decoded> values;         ///< binary frames: by index
  std::map<std::string, std::string> json_values;  ///< JSON frames: by name, as JSON
};

struct DecodedFrame {
  std::uint32_t id = 0;
  std::uint64_t seq = 0;
  bool backfill = false;
  bool last = false;
  bool merged_flag = false;
  std::uint64_t merged = 0;
  std::uint32_t schema_version = 0;
  std::vector<DecodedRow> rows;
  std::map<std::uint16_t, std::uint8_t> encodings;
};

/// Reads numbers and refuses to leave the frame.
class FrameBytes {
 public:
  explicit FrameBytes(const std::string& bytes) : bytes_(bytes) {}
  template <class Number>
  Number at(std::size_t place) const {
    require(place + sizeof(Number) <= bytes_.size(), "place + sizeof(Number) <= bytes_.size()");
    Number number;
    std::memcpy(&number, bytes_.data() + place, sizeof number);
    return number;
  }
  std::string text(std::size_t begin, std::size_t end) const {
    require(begin <= end, "begin <= end");
    require(end <= bytes_.size(), "end <= bytes_.size()");
    return bytes_.substr(begin, end - begin);
  }
  std::size_t size() const { return bytes_.size(); }

 private:
  const std::string& bytes_;
};

inline Decoded decode_value(const FrameBytes& bytes, std::uint8_t encoding, std::size_t values, std::size_t row,
                            std::size_t rows) {
  switch (encoding) {
    case 1:
      return bytes.at<double>(values + 8 * row);
    case 2:
      return static_cast<double>(bytes.at<float>(values + 4 * row));
    case 3:
      return static_cast<double>(bytes.at<std::int32_t>(values + 4 * row));
    case 4:
      return static_cast<double>(bytes.at<std::uint8_t>(values + row));
    case 6: {
      const std::size_t heap = values + 4 * (rows + 1);
      return bytes.text(heap + bytes.at<std::uint32_t>(values + 4 * row), heap + bytes.at<std::uint32_t>(values + 4 * row + 4));
    }
    default:
      throw std::runtime_error("bad frame: encoding");
  }
  return {};
}

inline DecodedFrame decode_binary(const std::string& text) {
  const FrameBytes bytes(text);
  DecodedFrame frame;
  require(bytes.at<std::uint16_t>(0) == 0x5349, "bytes.at<std::uint16_t>(0) == 0x5349");
  require(text.substr(0, 2) == "IS", "text.substr(0, 2) == \"IS\"");
  require(bytes.at<std::uint8_t>(2) == 1, "bytes.at<std::uint8_t>(2) == 1");
  const auto flags = bytes.at<std::uint8_t>(3);
  frame.backfill = (flags & 1) != 0;
  frame.last = (flags & 2) != 0;
  frame.merged_flag = (flags & 4) != 0;
  frame.id = bytes.at<std::uint32_t>(4);
  frame.seq = bytes.at<std::uint64_t>(8);
  const auto base = bytes.at<std::int64_t>(16);
  const std::size_t rows = bytes.at<std::uint32_t>(24);
  const auto columns = bytes.at<std::uint16_t>(28);
  require(bytes.at<std::uint16_t>(30) == 0, "bytes.at<std::uint16_t>(30) == 0");
  frame.merged = bytes.at<std::uint32_t>(32);
  frame.schema_version = bytes.at<std::uint32_t>(36);
  frame.rows.resize(rows);
  std::size_t at = 40;
  for (std::uint16_t column = 0; column != columns; ++column) {
    require(at % 8 == 0, "at % 8 == 0");
    const auto name = bytes.at<std::uint16_t>(at);
    const auto encoding = bytes.at<std::uint8_t>(at + 2);
    const bool bitmap = bytes.at<std::uint8_t>(at + 3) == 1;
    const std::size_t length = bytes.at<std::uint32_t>(at + 4);
    require(length % 8 == 0, "length % 8 == 0");
    const std::size_t presence = at + 8;
    const std::size_t values = presence + (bitmap ? ((rows + 7) / 8 + 7) / 8 * 8 : 0);
    at += 8 + length;
    require(at <= bytes.size(), "at <= bytes.size()");
    require((column == 0) == (name == 0xFFFF), "(column == 0) == (name == 0xFFFF)");
    require((column == 1) == (name == 0xFFFE), "(column == 1) == (name == 0xFFFE)");
    if (column > 1) frame.encodings[name] = encoding;
    bool any = false;
    for (std::size_t row = 0; row != rows; ++row) {
      if (column == 0) {
        frame.rows[row].time = base + static_cast<std::int64_t>(bytes.at<double>(values + 8 * row));
      } else if (column == 1) {
        require(encoding == 5, "encoding == 5");
        frame.rows[row].device = bytes.at<std::uint16_t>(values + 2 * row);
      } else if (!bitmap || ((bytes.at<std::uint8_t>(presence + row / 8) >> (row % 8)) & 1) == 1) {
        frame.rows[row].values[name] = decode_value(bytes, encoding, values, row, rows);
        any = true;
      }
    }
    if (column > 1) require(any, "any");
  }
  require(at == bytes.size(), "at == bytes.size()");
  return frame;
}

inline DecodedFrame decode_json(const std::string& text) {
  simdjson::dom::parser parser;
  simdjson::dom::element document = parser.parse(text);
  DecodedFrame frame;
  frame.id = static_cast<std::uint32_t>(std::uint64_t(document["id"]));
  frame.seq = std::uint64_t(document["seq"]);
  frame.backfill = bool(document["backfill"]);
  frame.last = bool(document["last"]);
  frame.merged = std::uint64_t(document["merged"]);
  frame.merged_flag = frame.merged != 0;
  frame.schema_version = static_cast<std::uint32_t>(std::uint64_t(document["schema_version"]));
  for (const std::int64_t time : document["time"].get_array()) frame.rows.emplace_back().time = time;
  std::size_t row = 0;
  for (const std::string_view device : document["device"].get_array()) frame.rows.at(row++).device_name = device;
  require(row == frame.rows.size(), "row == frame.rows.size()");
  for (const auto field : document["fields"].get_object()) {
    row = 0;
    for (const simdjson::dom::element value : field.value.get_array()) {
      if (!value.is_null()) frame.rows.at(row).json_values[std::string(field.key)] = simdjson::minify(value);
      ++row;
    }
    require(row == frame.rows.size(), "row == frame.rows.size()");
  }
  return frame;
}

}  // namespace iotstream::live::test
