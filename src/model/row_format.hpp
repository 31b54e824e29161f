// Where the parts of an encoded row stand; src/model/ROW.md says it byte by byte.
#pragma once

#include <cstddef>
#include <cstdint>

#include <iotstream/model/row.hpp>

namespace iotstream::model::row_format {

inline constexpr std::size_t version_at = 0;  // u32
inline constexpr std::size_t facts_at = 4;    // u32
inline constexpr std::size_t fields_at = 8;   // u16
inline constexpr std::size_t flags_at = 10;   // u16
inline constexpr std::size_t slots_at = 12;   // u32
inline constexpr std::size_t header_size = 16;
inline constexpr std::size_t slot_size = 8;
inline constexpr std::size_t token_length_size = 2;  // u16, the last of the row, when it has a token
inline constexpr std::size_t fields_max = 0xffff;
inline constexpr std::uint16_t flags_known = row_has_date_hour | row_has_token;
inline constexpr unsigned kinds_known = static_cast<unsigned>(ValueKind::key) + 1;

/// Bytes of the kinds of `fields` cells: a nibble each, padded so that the slots stay at multiples of 8 from the row's begin.
constexpr std::size_t kinds_size(std::size_t fields) { return (fields + 15) / 16 * 8; }

}  // namespace iotstream::model::row_format
