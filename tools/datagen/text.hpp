#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Numbers and times as text. std::to_chars everywhere: exact, and blind to the locale.
namespace iotstream::datagen {

void append_integer(std::string& out, std::int64_t value);

/// The fewest digits that read back as the same double, with `.0` where there is no fraction: what Python and Java print.
void append_shortest(std::string& out, double value);

/// Exactly `digits` after the point.
void append_fixed(std::string& out, double value, int digits);

/// At most `digits` after the point, trailing zeros dropped (Java's DecimalFormat `0.########`).
void append_trimmed(std::string& out, double value, int digits);

/// `HH:MM:SS` with `separator` between. `second_of_day` is 0 … 86399.
void append_clock(std::string& out, int second_of_day, char separator);

/// A text cell by RFC 4180: quoted only where it holds a comma, a quote or a line end; quotes doubled.
void append_quoted(std::string& out, std::string_view text);

}  // namespace iotstream::datagen
