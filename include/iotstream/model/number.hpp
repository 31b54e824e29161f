// Number literals as values that read back equal: one rule for JSON and CSV.
#pragma once

#include <cstddef>
#include <string_view>

#include <iotstream/model/row.hpp>

namespace iotstream::model {

/// Reads a literal by the grammar of RFC 8259, section 6, into the narrowest kind that keeps its value exactly:
///   integer: no fraction, no exponent, fits int64 (`-0` is 0);
///   real: the double's shortest digits are the literal's own number (`8.620000000000001`, `1.0`, `1e3`);
///   decimal: everything else (integers beyond int64, `0.1000000000000000055`, `1e400`): the literal is kept.
/// False when `literal` is not a number; `value` is untouched then. `value.text` is a view of `literal`. Pure.
bool read_number(std::string_view literal, Value& value);

/// The same of the literal that `text` begins with, and how long it is; 0 when there is none. What follows the literal is the
/// caller's to look at, but no literal is cut short: of `1.5.2` or `01` nothing is taken.
std::size_t take_number(std::string_view text, Value& value);

/// The nearest double of a number's literal, ±infinity beyond the range: what comparisons and SQL calculate with for a decimal.
/// (Charts draw nothing there instead: Value::as_double().)
double nearest_double(std::string_view literal);

}  // namespace iotstream::model
