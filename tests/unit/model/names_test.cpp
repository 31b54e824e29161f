#include <catch2/catch.hpp>

#include <iotstream/model/schema.hpp>

using namespace iotstream::model;

namespace {

std::string split(std::string_view name) {
  const NameParts parts = split_unit(name);
  return parts.label + "|" + parts.unit;
}

FieldKind kind(std::string_view name, FieldType type = FieldType::real) {
  return guess_kind(name, split_unit(name).unit, type);
}

std::string group(const char* name) {
  Field field;
  field.name = name;
  const NameParts parts = split_unit(name);
  field.label = parts.label;
  field.unit = parts.unit;
  return group_of(field);
}

}  // namespace

TEST_CASE("a unit is the last bracketed part at the end of a name") {
  CHECK(split("Speed (OBD)(km/h)") == "Speed (OBD)|km/h");
  CHECK(split(" Engine Coolant Temperature(°C)") == "Engine Coolant Temperature|°C");
  CHECK(split("ENGINE_RPM ()") == "ENGINE_RPM|");
  CHECK(split("Air Fuel Ratio(Measured)(:1)") == "Air Fuel Ratio(Measured)|:1");
  CHECK(split("Torque [Nm]") == "Torque|Nm");
  CHECK(split("Pressure (bar (abs))") == "Pressure|bar (abs)");
  CHECK(split("gpsSpeed") == "gpsSpeed|");
  CHECK(split("(km/h)") == "(km/h)|");
  CHECK(split("odd)") == "odd)|");
  CHECK(split("odd(") == "odd(|");
  CHECK(split("  ") == "|");
  CHECK(split("") == "|");
}

TEST_CASE("places are known by their names, and what only sounds like one is not") {
  CHECK(kind("lat") == FieldKind::latitude);
  CHECK(kind("long") == FieldKind::longitude);
  CHECK(kind("lon") == FieldKind::longitude);
  CHECK(kind("lng") == FieldKind::longitude);
  CHECK(kind("gps_lat") == FieldKind::latitude);
  CHECK(kind("GPS Latitude(°)") == FieldKind::latitude);
  CHECK(kind("GPS Longitude(°)") == FieldKind::longitude);
  CHECK(kind("Latitude") == FieldKind::latitude);
  CHECK(kind("lat", FieldType::text) == FieldKind::text);
  CHECK(kind("LONG_TERM_FUEL_TRIM_BANK_1 ()") == FieldKind::measure);
  CHECK(kind("Fuel Trim Bank 1 Long Term(%)") == FieldKind::measure);
  CHECK(kind("Kilometers Per Litre(Long Term Average)(kpl)") == FieldKind::measure);
  CHECK(kind("Latitude error (m)") == FieldKind::measure);
  CHECK(kind("flat") == FieldKind::measure);
}

TEST_CASE("identifiers, states and counters") {
  CHECK(kind("clienID", FieldType::text) == FieldKind::identifier);
  CHECK(kind("device_id", FieldType::text) == FieldKind::identifier);
  CHECK(kind("device", FieldType::text) == FieldKind::identifier);
  CHECK(kind("code", FieldType::text) == FieldKind::identifier);
  CHECK(kind("id", FieldType::integer) == FieldKind::identifier);
  CHECK(kind("tripId", FieldType::integer) == FieldKind::identifier);
  CHECK(kind("humid", FieldType::integer) == FieldKind::measure);
  CHECK(kind("alarm_code", FieldType::integer) == FieldKind::measure);
  CHECK(kind("Distance travelled since codes cleared(km)", FieldType::integer) == FieldKind::measure);
  CHECK(kind("state", FieldType::text) == FieldKind::state);
  CHECK(kind("operatingMode", FieldType::text) == FieldKind::state);
  CHECK(kind("Gear", FieldType::text) == FieldKind::state);
  CHECK(kind("Gear", FieldType::integer) == FieldKind::measure);
  CHECK(kind("engine_state", FieldType::integer) == FieldKind::state);
  CHECK(kind("comment", FieldType::text) == FieldKind::text);
  CHECK(kind("payload", FieldType::json) == FieldKind::text);
  CHECK(kind("state", FieldType::boolean) == FieldKind::boolean);
  CHECK(kind("energy_total(Wh)", FieldType::integer) == FieldKind::counter);
  CHECK(kind("Odometer(km)") == FieldKind::counter);
  CHECK(kind("Acceleration Sensor(Total)(g)") == FieldKind::measure);
  CHECK(kind("gpsSatCount", FieldType::integer) == FieldKind::measure);
  CHECK(kind("") == FieldKind::measure);
  CHECK(kind("123", FieldType::text) == FieldKind::text);
}

TEST_CASE("fields stand together by unit, else by first word") {
  CHECK(group("Speed (OBD)(km/h)") == "km/h");
  CHECK(group("gpsSpeed") == "Gps");
  CHECK(group("GPS Satellites") == "Gps");
  CHECK(group("AST_Direction") == group("Ast_HPMB1_Pressure_bar"));
  CHECK(group("Pressure_HighPressure") == "Pressure");
  CHECK(group("0-100") == "");
}
