// Which changes of its schema a dataset takes from the data.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include <iotstream/model/schema.hpp>

namespace iotstream::model {

enum class Compatibility : unsigned char {
  adaptive,  ///< new fields, and wider ones: nothing is refused
  additive,  ///< new fields; no change of a type
  strict,    ///< neither
};
/// `adaptive`, `additive`, `strict`.
std::string_view name_of(Compatibility compatibility);
std::optional<Compatibility> compatibility_from(std::string_view name);

/// A draft that the dataset does not take.
struct Misfit {
  const FieldDraft* draft = nullptr;  ///< one of those given
  std::optional<FieldType> from;      ///< the field's type; nothing: there is no such field
};

/// Those of `drafts` that `current` (nullptr: no schema yet) does not take under `compatibility`, in order. Members of the
/// envelope, and the first value of a field that was only null, always pass. Pure.
std::vector<Misfit> misfits(const Schema* current, const std::vector<FieldDraft>& drafts, Compatibility compatibility);

}  // namespace iotstream::model
