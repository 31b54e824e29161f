// Number literals as values that read back equal: one rule for JSON and CSV.
#pragma once

#include <string_view>

#include <iotstream/model/row.hpp>

namespace iotstream::model {

/// Reads a literal by the grammar of RFC 8259, section 6, into the narrowest kind that keeps its value exactly:
///   integer: no fraction, no exponent, fits int64 (`-0` is 0);
///   real: the double's shortest digits are the literal's own number (`8.620000000000001`, `1.0`, `1e3`);
///   decimal: everything else (integers beyond int64, `0.1000000000000000055`, `1e400`): the literal is kept.
/// False when `literal` is not a number; `value` is untouched then. `value.text` is a view of `literal`. Pure.
bool read_number(std::string_view literal, Value& value);

/// The nearest double of a number's literal, ±infinity beyond the range: what comparisons and SQL calculate with for a decimal.
/// (Charts draw nothing there instead: Value::as_double().)
double nearest_double(std::string_view literal);

}  // namespace iotstream::model
