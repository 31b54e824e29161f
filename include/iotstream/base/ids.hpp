// Distinct types for numbers that must not be mixed up.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

#include <fmt/format.h>

namespace iotstream {

/// A number with a tag: no arithmetic but +, - and ++ on positions, no silent conversion.
template <class Tag, class Number>
struct Id {
  using number_type = Number;
  Number value = 0;

  constexpr Id() = default;
  constexpr explicit Id(Number number) : value(number) {}
  constexpr auto operator<=>(const Id&) const = default;
  constexpr Id& operator++() {
    ++value;
    return *this;
  }
  constexpr Id operator+(Number n) const { return Id(static_cast<Number>(value + n)); }
  constexpr Number operator-(Id other) const { return static_cast<Number>(value - other.value); }
};

/// Position of a record in its partition: dense, from 0. As a watermark: the next offset.
using Offset = Id<struct OffsetTag, std::uint64_t>;
/// Number of a partition within its topic, from 0.
using PartitionId = Id<struct PartitionTag, std::uint32_t>;
/// Number of a field within its dataset, from 0, never reused: fields are only added.
using FieldId = Id<struct FieldTag, std::uint32_t>;
/// Version of a dataset's schema, from 1.
using SchemaVersion = Id<struct SchemaVersionTag, std::uint32_t>;
/// A prototype's facts as they were at one time; 0: no facts.
using FactsId = Id<struct FactsTag, std::uint32_t>;

}  // namespace iotstream

template <class Tag, class Number>
struct std::hash<iotstream::Id<Tag, Number>> {
  std::size_t operator()(iotstream::Id<Tag, Number> id) const noexcept { return std::hash<Number>()(id.value); }
};

template <class Tag, class Number>
struct fmt::formatter<iotstream::Id<Tag, Number>> : fmt::formatter<Number> {
  template <class Context>
  auto format(iotstream::Id<Tag, Number> id, Context& context) const {
    return fmt::formatter<Number>::format(id.value, context);
  }
};
