#include "catalog/csv_units.hpp"

#include <algorithm>
#include <array>

#include "catalog/csv_text.hpp"

namespace iotstream::catalog {
namespace {

constexpr auto units = std::to_array<std::string_view>(
    {"%",    "°",     "°c",    "°f",    "degc",   "degf", "deg",  "degree", "degrees", "c",   "f",   "k",    "rad",
     "s",    "sec",   "ms",    "us",    "µs",     "ns",   "min",  "h",      "hr",      "d",   "m",   "km",   "cm",
     "mm",   "µm",    "mi",    "ft",    "in",     "m/s",  "km/h", "kmh",    "kph",     "mph", "kn",  "kt",   "knots",
     "m/s2", "m/s²",  "m/s^2", "g",     "mg",     "kg",   "t",    "lb",     "n",       "kn",  "nm",  "v",    "mv",
     "kv",   "a",     "ma",    "ah",    "mah",    "w",    "kw",   "mw",     "hp",      "ps",  "wh",  "kwh",  "mwh",
     "j",    "kj",    "mj",    "hz",    "khz",    "mhz",  "rpm",  "1/min",  "u/min",   "1/s", "bar", "mbar", "pa",
     "kpa",  "hpa",   "mpa",   "psi",   "l",      "ml",   "l/h",  "l/min",  "l/100km", "m3",  "m³",  "m3/h", "m³/h",
     "g/s",  "kg/h",  "g/m3",  "g/m³",  "w/m2",   "w/m²", "ohm",  "Ω",      "db",      "dba", "lx",  "lm",   "ppm",
     "ppb",  "µg/m3", "µg/m³", "count", "counts", "λ",    "-",    "1"});

}  // namespace

UnitLook look_at_unit(std::string_view cell) {
  cell = trim_blanks(cell);
  const bool bracketed =
      cell.size() >= 2 && ((cell.front() == '[' && cell.back() == ']') || (cell.front() == '(' && cell.back() == ')'));
  if (bracketed) return {std::string(trim_blanks(cell.substr(1, cell.size() - 2))), true};
  std::string lower(cell);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  if (std::find(units.begin(), units.end(), lower) == units.end()) return {};
  return {cell == "-" || cell == "1" ? std::string() : std::string(cell), true};
}

}  // namespace iotstream::catalog
