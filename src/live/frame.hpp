// Data frames as docs/live.md has them: binary columns, or the same as JSON text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <iotstream/base/json.hpp>
#include <iotstream/model/schema.hpp>

#include "live/row_buffer.hpp"

namespace iotstream::live {

/// What a frame is made of: rows [begin, end) of a buffer, and how its subscription names things.
struct FrameContent {
  std::uint32_t id = 0;
  std::uint64_t seq = 0;
  bool backfill = false;
  bool last = false;
  std::uint64_t merged = 0;
  const RowBuffer* rows = nullptr;
  std::size_t begin = 0;
  std::size_t end = 0;
  const model::Schema* schema = nullptr;              ///< of the dictionary that the viewer has; not null
  const std::vector<std::string>* devices = nullptr;  ///< by the rows' device numbers
};

namespace frame {
inline constexpr std::uint16_t magic = 0x5349;
inline constexpr std::uint8_t version = 1;
inline constexpr std::size_t header_size = 40;
inline constexpr std::size_t column_header_size = 8;
inline constexpr std::uint16_t time_column = 0xFFFF;
inline constexpr std::uint16_t device_column = 0xFFFE;
inline constexpr std::uint8_t flag_backfill = 1;
inline constexpr std::uint8_t flag_last = 2;
inline constexpr std::uint8_t flag_merged = 4;
enum class Encoding : std::uint8_t { f64 = 1, f32 = 2, i32 = 3, u8 = 4, u16 = 5, text = 6 };
}  // namespace frame

/// Encodes frames; keeps its scratch memory from one to the next. One thread.
class FrameEncoder {
 public:
  FrameEncoder();
  ~FrameEncoder();
  /// Columns are in the order of their first value. The encoding is chosen by what the frame holds: u8 for booleans alone, i32
  /// for integers that fit, f32 when it holds every value exactly, else f64; fields of type text and json, and any that holds
  /// a text, as texts.
  std::string binary(const FrameContent& content);
  /// Numbers in full, as they arrived.
  std::string json(const FrameContent& content);

 private:
  struct Column;
  Column& column(std::uint16_t field);
  void survey(const FrameContent& content);
  void forget();
  static void write_header(const FrameContent& content, std::uint16_t columns, std::byte* out);
  static std::byte* write_keys(const FrameContent& content, std::byte* out);
  void write_values(const FrameContent& content);
  void write_json_columns(const FrameContent& content, json::Writer& writer);
  static std::uint32_t merged_count(const FrameContent& content);
  static void fill_with_null(std::string& text, std::size_t from, std::size_t to);

  std::vector<Column> columns_;
  std::vector<std::uint32_t> place_;  ///< by field: its column + 1; 0: none
  std::string text_;
};

}  // namespace iotstream::live
