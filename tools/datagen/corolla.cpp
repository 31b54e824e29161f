#include <cmath>
#include <iterator>
#include <limits>
#include <string_view>

#include <fmt/format.h>

#include "corolla_drive.hpp"
#include "corolla_route.hpp"
#include "datagen.hpp"
#include "random.hpp"
#include "shape.hpp"
#include "text.hpp"

namespace iotstream::datagen {

namespace {

constexpr std::string_view file_name = "corolla/ORNEK_200KM_UZUN_YOL_LOG_COROLLA der version attention date peut etre (1).csv";

constexpr double missing = std::numeric_limits<double>::quiet_NaN();
constexpr double endless = std::numeric_limits<double>::infinity();

constexpr double price_per_litre = 1.29;
constexpr double co2_kg_per_litre = 2.31;
constexpr double psi_per_kpa = 0.1450377;
constexpr double cfm_per_gram_second = 1.7658;
constexpr double petrol_g_per_litre = 745.0;
constexpr double stoichiometric = 14.7;
constexpr double metres_below_car = 1.2;

/// Random values of one row; every column draws from its own channel.
class Jitter {
 public:
  Jitter(const Noise& noise, int row) : noise_(noise), row_(row) {}
  [[nodiscard]] double bell(std::uint64_t channel) const { return noise_.bell(channel, row_); }
  [[nodiscard]] double drift(std::uint64_t channel, double rows) const { return noise_.smooth(channel, row_ / rows); }

 private:
  const Noise& noise_;
  int row_;
};

enum Channel : std::uint64_t {
  gps_speed = 200,
  gps_north,
  gps_east,
  gps_altitude,
  dilution,
  satellites,
  gravity_x,
  gravity_y,
  gravity_z,
  lambda,
  rear_probe,
  trim_short,
  trim_long,
  voltage,
  spark,
  obd_delay,
  cat_probe,
  tank
};

double speed_kmh(const DriveSample& s) { return s.speed_mps * 3.6; }
/// The dashboard's speed: whole km/h, two per cent more than the truth.
double obd_kmh(const DriveSample& s) { return std::floor(speed_kmh(s) * 1.02 + 0.5); }
double gps_mps(const DriveSample& s, const Jitter& j) {
  return s.speed_mps == 0.0 ? 0.0 : std::max(0.0, s.speed_mps + 0.08 * j.bell(gps_speed));
}
double distance_km(const DriveSample& s) { return s.road.distance_m / 1000.0; }
/// A percentage in 255ths, as OBD bytes carry it.
double byte_percent(double part) { return std::floor(std::clamp(part, 0.0, 1.0) * 255.0 + 0.5) * (100.0 / 255.0); }
double barometric_kpa(const DriveSample& s) {
  const double h = s.road.altitude_m;  // the standard atmosphere to second order, good to 0.1 kPa below 1,500 m
  return std::floor(101.325 - 0.011943 * h + 5.26e-7 * h * h + 0.5);
}
double litres_per_100_km(const DriveSample& s) { return s.fuel_lph / speed_kmh(s) * 100.0; }
double measured_lambda(const DriveSample& s, const Jitter& j) {
  return s.fuel_cut ? 1.9915 : 1.0 + 0.018 * j.bell(lambda) + 0.01 * j.drift(lambda, 40.0);
}
double share_of_trip(const DriveSample& s, double seconds) { return s.trip_s > 0.0 ? 100.0 * seconds / s.trip_s : missing; }
double moving_only(const DriveSample& s, double value) { return s.speed_mps > 0.6 ? value : missing; }
double powered_only(const DriveSample& s, double value) { return s.power_kw > 0.2 ? value : missing; }
double after_100_m(const DriveSample& s, double value) { return s.road.distance_m > 100.0 ? value : missing; }

/// What must answer before a column has a value.
enum class Source { telephone, gps, obd, nobody };

using Value = double (*)(const DriveSample&, const Jitter&);

struct Column {
  std::string_view header;
  Source source = Source::nobody;
  int every = 1;  // rows between two answers; slow signals are asked for less often
  Value value = nullptr;
  int digits = 3;  // after the point, at most
};

using S = const DriveSample&;
using J = const Jitter&;

// clang-format off
/// After the eight columns of the receiver. Header texts, their odd leading spaces and their order are those of the application;
/// a column of `nobody` exists because its box was ticked, and this car has no such sensor.
constexpr Column columns[] = {
    {" G(x)", Source::telephone, 1, [](S s, J j) { return quantised(0.35 - s.lateral_mps2 + 0.12 * j.bell(gravity_x), 0.01); }},
    {" G(y)", Source::telephone, 1, [](S s, J j) { return quantised(9.12 - 0.3 * s.acceleration_mps2 + 0.14 * j.bell(gravity_y), 0.01); }},
    {" G(z)", Source::telephone, 1, [](S s, J j) { return quantised(3.41 + 0.9 * s.acceleration_mps2 + 9.8 * s.grade + 0.14 * j.bell(gravity_z), 0.01); }},
    {" G(calibrated)", Source::telephone, 1, [](S s, J j) { return quantised(s.acceleration_mps2 / 9.81 + 0.012 * j.bell(gravity_z), 0.001); }},
    {" 0-100kph Time(s)", Source::obd, 1, [](S s, J) { return s.sprints.from_0_to_100_kmh_s; }},
    {"0-200kph Time(s)"},
    {"0-60mph Time(s)", Source::obd, 1, [](S s, J) { return s.sprints.from_0_to_60_mph_s; }},
    {"100-0kph Time(s)", Source::obd, 1, [](S s, J) { return s.sprints.from_100_to_0_kmh_s; }},
    {"40-60mph Time(s)", Source::obd, 1, [](S s, J) { return s.sprints.from_40_to_60_mph_s; }},
    {"60-130mph Time(s)"},
    {"Acceleration Sensor(Total)(g)", Source::telephone, 1, [](S s, J j) { return quantised(s.acceleration_mps2 / 9.81 + 0.02 * j.bell(gravity_y), 0.01); }},
    {"Acceleration Sensor(X axis)(g)", Source::telephone, 1, [](S s, J j) { return quantised(0.04 - s.lateral_mps2 / 9.81 + 0.012 * j.bell(gravity_x), 0.01); }},
    {"Air Fuel Ratio(Commanded)(:1)", Source::obd, 3, [](S s, J) { return s.coolant_c < 40.0 ? quantised(13.6 + 0.0275 * s.coolant_c, 0.05) : stoichiometric; }, 8},
    {"Air Fuel Ratio(Measured)(:1)", Source::obd, 3, [](S s, J j) { return stoichiometric * measured_lambda(s, j); }, 8},
    {"Ambient air temp(°C)", Source::obd, 30, [](S s, J) { return std::floor(s.ambient_c + 0.5); }},
    {"Android device Battery Level(%)", Source::telephone, 1, [](S s, J) { return 96.0 - std::floor(s.row / 310.0); }},
    {"Average trip speed(whilst moving only)(km/h)", Source::obd, 5, [](S s, J) { return s.moving_s > 0.0 ? s.road.distance_m / s.moving_s * 3.6 : missing; }},
    {"Average trip speed(whilst stopped or moving)(km/h)", Source::obd, 5, [](S s, J) { return s.trip_s > 0.0 ? s.road.distance_m / s.trip_s * 3.6 : missing; }},
    {"Barometric pressure (from vehicle)(psi)", Source::obd, 5, [](S s, J) { return barometric_kpa(s) * psi_per_kpa; }, 8},
    {"Catalyst Temperature (Bank 1 Sensor 1)(°C)", Source::obd, 1, [](S s, J j) { return quantised(s.catalyst_front_c + 1.5 * j.bell(cat_probe), 0.1); }},
    {"Catalyst Temperature (Bank 1 Sensor 2)(°C)", Source::obd, 5, [](S s, J) { return quantised(s.catalyst_rear_c, 0.1); }},
    {"Catalyst Temperature (Bank 2 Sensor 1)(°C)"},
    {"Charge air cooler temperature (CACT)(°C)"},
    {"Commanded Equivalence Ratio(lambda)", Source::obd, 3, [](S s, J) { return s.coolant_c < 40.0 ? quantised(0.925 + 0.00187 * s.coolant_c, 0.001) : 1.0; }},
    {"Cost per mile/km (Instant)($/km)", Source::obd, 1, [](S s, J) { return obd_kmh(s) == 0.0 ? endless : s.fuel_lph / obd_kmh(s) * price_per_litre; }, 5},
    {"Cost per mile/km (Trip)($/km)", Source::obd, 5, [](S s, J) { return after_100_m(s, s.fuel_used_l * price_per_litre / distance_km(s)); }, 6},
    {"CO₂ in g/km (Average)(g/km)", Source::obd, 5, [](S s, J) { return after_100_m(s, s.fuel_used_l * co2_kg_per_litre * 1000.0 / distance_km(s)); }},
    {"CO₂ in g/km (Instantaneous)(g/km)", Source::obd, 2, [](S s, J) { return moving_only(s, litres_per_100_km(s) * co2_kg_per_litre * 10.0); }},
    {"Distance to empty (Estimated)(km)", Source::obd, 20, [](S s, J) { return std::floor((46.0 - s.fuel_used_l) / 0.066); }},
    {"Distance travelled since codes cleared(km)", Source::obd, 15, [](S s, J) { return 18'342.0 + std::floor(distance_km(s) + 0.4); }},
    {"DPF Bank 1 Inlet Temperature(°C)"},
    {"DPF Bank 2 Delta Pressure(psi)"},
    {"Engine Coolant Temperature(°C)", Source::obd, 1, [](S s, J) { return std::floor(s.coolant_c + 0.5); }},
    {"Engine kW (At the wheels)(kW)", Source::obd, 1, [](S s, J) { return powered_only(s, s.power_kw); }},
    {"Engine Load(%)", Source::obd, 1, [](S s, J) { return byte_percent(s.load); }, 8},
    {"Engine Load(Absolute)(%)", Source::obd, 5, [](S s, J) { return byte_percent(0.12 + 0.7 * s.load); }, 8},
    {"Engine Oil Temperature(°C)"},
    {"Engine RPM(rpm)", Source::obd, 1, [](S s, J j) { return quantised(s.rpm + 7.0 * j.bell(obd_delay), 0.25); }},
    {"Evap System Vapour Pressure(Pa)"},
    {"Exhaust gas temp Bank 1 Sensor 1(°C)"},
    {"Fuel cost (trip)(cost)", Source::obd, 10, [](S s, J) { return s.fuel_used_l * price_per_litre; }, 5},
    {"Fuel flow rate/hour(l/hr)", Source::obd, 1, [](S s, J) { return s.fuel_lph; }, 4},
    {"Fuel Level (From Engine ECU)(%)", Source::obd, 60, [](S s, J j) { return byte_percent((46.0 - s.fuel_used_l) / 50.0 + 0.006 * j.drift(tank, 90.0)); }, 8},
    {"Fuel Rail Pressure(psi)"},
    {"Fuel Trim Bank 1 Long Term(%)", Source::obd, 5, [](S, J j) { return quantised(1.4 + 2.6 * j.drift(trim_long, 700.0), 0.78125); }, 5},
    {"Fuel Trim Bank 1 Short Term(%)", Source::obd, 1, [](S s, J j) { return s.fuel_cut ? 0.0 : quantised(2.4 * j.bell(trim_short), 0.78125); }, 5},
    {"Fuel Trim Bank 2 Long Term(%)"},
    {"Fuel used (trip)(l)", Source::obd, 1, [](S s, J) { return s.fuel_used_l; }, 5},
    {"GPS Accuracy(m)", Source::gps, 4, [](S, J j) { return quantised(3.9 + 1.5 * j.drift(dilution, 60.0) + 0.3 * j.bell(dilution), 0.1); }},
    {"GPS Satellites", Source::telephone, 1, [](S s, J j) { return s.has_gps ? std::floor(13.0 + 3.9 * j.drift(satellites, 80.0)) : 0.0; }},
    {"GPS vs OBD Speed difference(km/h)", Source::gps, 3, [](S s, J j) { return s.has_obd ? obd_kmh(s) - gps_mps(s, j) * 3.6 : missing; }},
    {"Horsepower (At the wheels)(hp)", Source::obd, 4, [](S s, J) { return powered_only(s, s.power_kw * 1.341022); }, 8},
    {"Intake Air Temperature(°C)", Source::obd, 1, [](S s, J) { return std::floor(s.intake_c + 0.5); }},
    {"Intake Manifold Pressure(psi)", Source::obd, 1, [](S s, J) { return std::floor(barometric_kpa(s) * (0.2 + 0.78 * s.load) + 0.5) * psi_per_kpa; }},
    {"Kilometers Per Litre(Instant)(kpl)", Source::obd, 3, [](S s, J) { return s.fuel_lph > 0.0 ? std::min(99.0, obd_kmh(s) / s.fuel_lph) : 99.0; }},
    {"Litres Per 100 Kilometer(Instant)(l/100km)", Source::obd, 1, [](S s, J) { return moving_only(s, litres_per_100_km(s)); }},
    {"Litres Per 100 Kilometer(Long Term Average)(l/100km)", Source::telephone, 10, [](S s, J) { return (412.0 + s.fuel_used_l) / (6'214.0 + distance_km(s)) * 100.0; }, 8},
    {"Mass Air Flow Rate(cfm)", Source::obd, 1, [](S s, J) { return quantised(0.35 + s.fuel_lph * petrol_g_per_litre / 3600.0 * stoichiometric, 0.01) * cfm_per_gram_second; }},
    {"O2 Sensor1 Wide Range Equivalence Ratio(λ)", Source::obd, 1, [](S s, J j) { return quantised(measured_lambda(s, j), 0.0005); }, 4},
    {"O2 Sensor2 Voltage(V)", Source::obd, 1, [](S s, J j) { return s.fuel_cut ? 0.0 : quantised(0.66 + 0.13 * j.drift(rear_probe, 9.0), 0.005); }},
    {"O2 Sensor2 Wide Range Equivalence Ratio(λ)"},
    {"Odometer(from ECU)(km)"},
    {"Percentage of City driving(%)", Source::obd, 10, [](S s, J) { return share_of_trip(s, s.city_s); }},
    {"Percentage of Highway driving(%)", Source::obd, 10, [](S s, J) { return share_of_trip(s, s.highway_s); }},
    {"Percentage of Idle driving(%)", Source::obd, 10, [](S s, J) { return share_of_trip(s, s.trip_s - s.moving_s); }},
    {"Run time since engine start(s)", Source::obd, 1, [](S s, J) { return std::floor(s.engine_run_s); }},
    {"Speed (GPS)(km/h)", Source::gps, 1, [](S s, J j) { return gps_mps(s, j) * 3.6; }},
    {"Speed (OBD)(km/h)", Source::obd, 1, [](S s, J) { return obd_kmh(s); }},
    {"Throttle Position(Manifold)(%)", Source::obd, 2, [](S s, J) { return byte_percent(0.13 + (s.fuel_cut ? 0.0 : 0.55 * std::max(0.0, s.load - 0.17))); }},
    {"Timing Advance(°)", Source::obd, 1, [](S s, J j) { return quantised(s.fuel_cut ? 24.0 : 9.0 + 20.0 * ramp(700.0, 2600.0, s.rpm) * (1.1 - s.load) + 1.5 * j.bell(spark), 0.5); }},
    {"Torque(Nm)", Source::obd, 3, [](S s, J) { return powered_only(s, s.power_kw * 9549.3 / s.rpm); }, 8},
    {"Transmission Temperature(Method 2)(°C)"},
    {"Trip average Litres/100 KM(l/100km)", Source::obd, 5, [](S s, J) { return after_100_m(s, s.fuel_used_l / distance_km(s) * 100.0); }},
    {"Trip Distance(km)", Source::obd, 1, [](S s, J) { return distance_km(s); }, 4},
    {"Trip Time(Since journey start)(s)", Source::obd, 1, [](S s, J) { return quantised(s.trip_s, 0.1); }},
    {"Trip time(whilst moving)(s)", Source::obd, 3, [](S s, J) { return quantised(s.moving_s, 0.1); }},
    {"Voltage (Control Module)(V)", Source::obd, 1, [](S, J j) { return quantised(14.12 + 0.12 * j.drift(voltage, 50.0) + 0.02 * j.bell(voltage), 0.01); }},
    {"Volumetric Efficiency (Calculated)(%)", Source::obd, 1, [](S s, J) { return std::floor(24.0 + 58.0 * s.load + 0.5); }},
};
// clang-format on

/// `Fri Mar 18 18:36:04 GMT+03:00 2022`, the receiver's whole seconds.
void append_gps_time(std::string& out, std::int64_t device_ms) {
  out.append("Fri Mar 18 ");
  append_clock(out, static_cast<int>(device_ms / 1000), ':');
  out.append(" GMT+03:00 2022");
}

void append_device_time(std::string& out, std::int64_t device_ms) {
  out.append("18-Mar-2022 ");
  append_clock(out, static_cast<int>(device_ms / 1000), ':');
  fmt::format_to(std::back_inserter(out), ".{:03}", device_ms % 1000);
}

/// NMEA 0183 gives degrees and minutes with four digits; the division shows in the last digits of the degrees.
double nmea_degrees(double degrees) {
  const double whole = std::floor(degrees);
  return whole + std::floor((degrees - whole) * 600'000.0 + 0.5) / 10'000.0 / 60.0;
}

/// The application keeps this value in 32 bits and prints it in 64: 2.7 becomes 2.700000047683716.
void append_widened(std::string& out, double value) { append_shortest(out, static_cast<double>(static_cast<float>(value))); }

void append_receiver(std::string& out, const DriveSample& s, const Jitter& j) {
  if (!s.has_gps) {
    out.append("-,");
    append_device_time(out, s.device_ms);
    out.append(",-,-,-,-,-,-");
    return;
  }
  append_gps_time(out, s.device_ms);
  out.push_back(',');
  append_device_time(out, s.device_ms);
  const double error_m = s.speed_mps == 0.0 ? 0.3 : 1.0;
  out.push_back(',');
  append_shortest(out, nmea_degrees(s.road.longitude + error_m * 1.2e-5 * j.drift(gps_east, 25.0)));
  out.push_back(',');
  append_shortest(out, nmea_degrees(s.road.latitude + error_m * 0.9e-5 * j.drift(gps_north, 25.0)));
  out.push_back(',');
  append_widened(out, quantised(gps_mps(s, j), 0.01));
  out.push_back(',');
  append_widened(out, quantised(0.9 + 0.5 * j.drift(dilution, 60.0) + 0.1 * j.bell(dilution), 0.1));
  out.push_back(',');
  append_shortest(out,
                  std::floor((s.road.altitude_m + metres_below_car + 2.0 * j.drift(gps_altitude, 45.0)) * 10.0 + 0.5) / 10.0);
  out.push_back(',');
  append_trimmed(out, s.road.bearing_deg, 2);
}

bool answers(const Column& column, const DriveSample& s) {
  if (column.source == Source::nobody || s.row % column.every != 0) return false;
  return column.source == Source::telephone || (column.source == Source::gps ? s.has_gps : s.has_obd);
}

void append_value(std::string& out, double value, int digits) {
  if (std::isnan(value)) {
    out.push_back('-');
  } else if (std::isinf(value)) {
    out.append("∞");
  } else {
    // The application keeps 32 bits: with eight digits 14.7 reads 14.69999981.
    append_trimmed(out, static_cast<double>(static_cast<float>(value)), digits);
  }
}

void append_row(std::string& out, const DriveSample& s, const Jitter& j) {
  append_receiver(out, s, j);
  for (const Column& column : columns) {
    out.push_back(',');
    append_value(out, answers(column, s) ? column.value(s, j) : missing, column.digits);
  }
  out.push_back('\n');
}

}  // namespace

std::vector<GeneratedFile> generate_corolla(std::uint64_t seed) {
  const Noise noise(seed, file_name);
  const Road road(noise);
  std::string out =
      "GPS Time, Device Time, Longitude, Latitude,GPS Speed (Meters/second), Horizontal Dilution of Precision, Altitude, "
      "Bearing";
  for (const Column& column : columns) {
    out.push_back(',');
    out.append(column.header);
  }
  out.push_back('\n');
  for (const DriveSample& sample : drive(road, noise)) append_row(out, sample, Jitter(noise, sample.row));
  std::vector<GeneratedFile> files;
  files.push_back({std::string(file_name), std::move(out)});
  return files;
}

}  // namespace iotstream::datagen
