#include <array>
#include <iterator>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "datagen.hpp"
#include "random.hpp"
#include "shape.hpp"
#include "text.hpp"
#include "x46789_machine.hpp"

namespace iotstream::datagen {

namespace {

constexpr std::string_view header =
    "dateHour;gpsSpeed;gpsSatCount;Gear;Brake_pedal;Accel_pedal;Machine_Speed_Mesured;AST_Direction;Ast_HPMB1_Pressure_bar;"
    "Ast_HPMA_Pressure_bar;Pressure_HighPressureReturn;Pressure_HighPressure;Oil_Temperature;Ast_FrontAxleSpeed_Rpm;Pump_"
    "Speed\n";

enum Column : int {
  gps_speed,
  gps_sat_count,
  gear,
  brake_pedal,
  accel_pedal,
  machine_speed,
  ast_direction,
  hpmb1_pressure,
  hpma_pressure,
  return_pressure,
  high_pressure,
  oil_temperature,
  front_axle_speed,
  pump_speed,
  column_count
};

/// The CAN bus's offsets: raw = physical + offset.
constexpr int gear_offset = 125;      // SAE J1939 SPN 523: 124 reverse, 125 neutral, 126 first gear …
constexpr int brake_offset = 125;     // one count per bar of line pressure
constexpr int speed_offset = 20;      // km/h, so that reverse stays positive
constexpr int direction_offset = 20;  // one count per 3 degrees of articulation, 20 straight ahead
constexpr int wide_offset = 32767;    // 16-bit signals that may be negative
constexpr int not_available_8 = 255;  // SAE J1939-71: all ones
constexpr int not_available_16 = 65535;

enum Channel : std::uint64_t {
  start_us,
  step_us,
  late_step,
  satellites,
  gps_error,
  pedal_play,
  brake_play,
  pressure_ripple,
  axle_play,
  pump_play
};

/// What the driver wants from `at_s` on; between two keys it changes evenly.
struct Key {
  double at_s;
  double accelerator;
  double brake;
  double steer;
  double lift;
  int direction;
};

/// A signal that the bus did not deliver for some rows.
struct Dropout {
  int column = -1;
  int first_row = 0;
  int rows = 0;
};

struct Recording {
  std::string_view day;
  int hour;
  int minute;
  std::string_view name_end;  // seconds and milliseconds of the file's name
  double speed_kmh;           // at its first row
  double oil_c;               // at its first row
  Dropout dropout;
  std::array<Key, 6> keys;
};

constexpr std::string_view friday = "2018-01-19";
constexpr std::string_view monday = "2018-01-22";

/// One manoeuvre a file. The oil warms from file to file of a day and is cold again on Monday before dawn.
// clang-format off
constexpr std::array<Recording, 15> recordings{{
    // Idle, boom down; a first touch of the pedal at the end.
    {friday, 5, 37, "42.612", 0, 41.6, {oil_temperature, 0, 2},
     {{{0, 0, .4, 0, 0, 0}, {6, 0, .4, 0, 0, 0}, {7, 0, 0, 0, 0, 1}, {8, .15, 0, 0, 0, 1}, {10, .2, 0, 0, 0, 1}, {11, .2, 0, 0, 0, 1}}}},
    // Full acceleration from standstill.
    {friday, 5, 56, "20.307", 0, 47.3, {},
     {{{0, 0, 0, 0, 0, 1}, {1, .2, 0, 0, 0, 1}, {2, .95, 0, 0, 0, 1}, {7, 1, 0, .1, 0, 1}, {9, .9, 0, 0, 0, 1}, {11, .9, 0, 0, 0, 1}}}},
    // Cruise, then an emergency stop.
    {friday, 7, 20, "52.339", 36, 55.1, {},
     {{{0, .9, 0, 0, 0, 1}, {4, .88, 0, .1, 0, 1}, {4.3, 0, .2, 0, 0, 1}, {5, 0, 1, 0, 0, 1}, {8, 0, .9, 0, 0, 0}, {11, 0, .3, 0, 0, 0}}}},
    // Left turn, half speed.
    {friday, 7, 39, "30.012", 17, 58.4, {gps_sat_count, 44, 6},
     {{{0, .5, 0, 0, 0, 1}, {2, .35, .1, -.3, 0, 1}, {4, .35, 0, -1, 0, 1}, {7, .45, 0, -.9, 0, 1}, {8.5, .6, 0, 0, 0, 1}, {11, .6, 0, 0, 0, 1}}}},
    // Reverse out of a pile, then forward.
    {friday, 7, 58, "07.733", 0, 61.9, {},
     {{{0, .1, 0, 0, 0, -1}, {1.5, .8, 0, .3, 0, -1}, {4.5, .5, .1, .5, 0, -1}, {5.4, 0, .8, 0, 0, -1}, {6.2, .2, 0, 0, 0, 1}, {11, .75, 0, -.2, 0, 1}}}},
    // Lift a full bucket at standstill, twice.
    {friday, 9, 0, "42.821", 0, 68.2, {high_pressure, 57, 1},
     {{{0, .1, .6, 0, 0, 0}, {2, .4, .6, 0, .9, 0}, {4.2, .3, .6, 0, .1, 0}, {5.6, .5, .6, 0, 1, 0}, {8.4, .2, .5, 0, .9, 0}, {11, 0, .5, 0, 0, 0}}}},
    // Slalom.
    {friday, 9, 19, "24.965", 12, 70.8, {},
     {{{0, .4, 0, 0, 0, 1}, {2, .45, 0, -.8, 0, 1}, {4.2, .45, 0, .85, 0, 1}, {6.4, .5, 0, -.8, 0, 1}, {8.6, .45, 0, .8, 0, 1}, {11, .4, 0, 0, 0, 1}}}},
    // Push into a pile: high load, hardly any speed.
    {friday, 9, 56, "40.312", 9, 74.5, {gear, 31, 2},
     {{{0, .4, 0, 0, .1, 1}, {2, .9, .45, 0, .5, 1}, {5, 1, .5, .1, .9, 1}, {7, .7, .45, 0, .7, 1}, {8, .1, .6, 0, .2, 1}, {11, 0, .5, 0, 0, 0}}}},
    // Creep with the inching pedal.
    {friday, 10, 19, "41.226", 2, 76.0, {},
     {{{0, .18, 0, 0, 0, 1}, {2.5, .22, .05, .2, .2, 1}, {4.5, .12, 0, .2, .3, 1}, {6.5, .24, .03, -.3, .2, 1}, {8.5, .15, .04, -.1, 0, 1}, {11, .2, 0, 0, 0, 1}}}},
    // Right turn under acceleration, bucket carried.
    {friday, 10, 38, "18.941", 7, 78.1, {front_axle_speed, 72, 2},
     {{{0, .3, 0, 0, .1, 1}, {2, .6, 0, .6, .1, 1}, {5, .8, 0, 1, .15, 1}, {7, .9, 0, .4, .1, 1}, {9, .95, 0, 0, .1, 1}, {11, .95, 0, 0, .1, 1}}}},
    // Cold start on Monday: idle, oil thick, the pedal blipped three times.
    {monday, 3, 15, "35.111", 0, 12.4, {gps_sat_count, 0, 4},
     {{{0, 0, .3, 0, 0, 0}, {3, 0, .3, 0, 0, 0}, {3.8, .45, .3, 0, 0, 0}, {5, 0, .3, 0, 0, 0}, {6.2, .6, .3, 0, 0, 0}, {11, .05, .3, 0, .3, 0}}}},
    // Gentle acceleration, long lift of the pedal: the drive brakes by itself.
    {monday, 3, 56, "59.619", 14, 29.7, {},
     {{{0, .5, 0, 0, 0, 1}, {3.5, .8, 0, 0, 0, 1}, {5, .8, 0, -.1, 0, 1}, {6, 0, 0, 0, 0, 1}, {9, 0, 0, .1, 0, 1}, {11, 0, .2, 0, 0, 1}}}},
    // Stop and go.
    {monday, 9, 17, "43.409", 10, 66.3, {accel_pedal, 18, 1},
     {{{0, .4, 0, 0, 0, 1}, {1.6, 0, .9, 0, 0, 1}, {3.4, .7, 0, 0, 0, 1}, {5.4, 0, .9, .1, 0, 1}, {7.2, .8, 0, 0, 0, 1}, {11, .1, .5, 0, 0, 1}}}},
    // Load cycle: drive in, lift, back out, turn.
    {monday, 9, 36, "24.545", 8, 69.9, {},
     {{{0, .5, 0, 0, 0, 1}, {2, .2, .5, 0, .4, 1}, {4.4, .5, .7, 0, 1, 0}, {5.4, .5, 0, .1, .3, -1}, {8, .7, 0, .7, .1, -1}, {11, .5, 0, .4, 0, -1}}}},
    // Full speed on the road, end of the shift.
    {monday, 10, 13, "39.943", 31, 75.2, {brake_pedal, 88, 4},
     {{{0, .95, 0, 0, 0, 1}, {3, 1, 0, .05, 0, 1}, {5.5, 1, 0, -.05, 0, 1}, {7.5, .8, 0, 0, 0, 1}, {9, .3, .1, 0, 0, 1}, {11, 0, .4, 0, 0, 1}}}},
}};
// clang-format on

constexpr double recording_s = 10.0;
constexpr double physics_step_s = 0.01;

MachineControls controls_at(std::span<const Key> keys, double at_s) {
  std::size_t next = 1;
  while (next + 1 < keys.size() && keys[next].at_s <= at_s) ++next;
  const Key& from = keys[next - 1];
  const Key& to = keys[next];
  const double part = std::clamp((at_s - from.at_s) / (to.at_s - from.at_s), 0.0, 1.0);
  return {mix(from.accelerator, to.accelerator, part), mix(from.brake, to.brake, part), mix(from.steer, to.steer, part),
          mix(from.lift, to.lift, part), from.direction};
}

/// A bus cycle of 100 ms, late by the recorder's own work, now and then by several milliseconds.
std::int64_t step_of_row(const Noise& noise, int row) {
  const double late_us = noise.uniform(late_step, row) < 0.06 ? 9000.0 * noise.uniform(late_step, -1 - row) : 0.0;
  return 100'000 + rounded(300.0 + 1500.0 * noise.uniform(step_us, row) + late_us);
}

using RawRow = std::array<int, column_count>;

/// The GPS receiver gives a new speed every second row, late, in counts of 0.02 km/h.
int gps_speed_counts(const Machine& machine, const Noise& noise, int row) {
  const double measured = std::abs(machine.speed_kmh()) + 0.06 * noise.bell(gps_error, row);
  return std::abs(machine.speed_kmh()) < 0.05 ? 0 : std::max(0, rounded(measured / 0.02));
}

RawRow measure(const Machine& machine, const Noise& noise, int row) {
  RawRow raw{};
  const double at = row * 0.1;
  raw[gps_sat_count] = rounded(91.0 + 4.0 * noise.smooth(satellites, at * 0.8) + 0.6 * noise.bell(satellites, 1000 + row));
  raw[gear] = gear_offset + machine.gear();
  raw[brake_pedal] = brake_offset + rounded(12.0 * machine.brake() + 0.25 * noise.bell(brake_play, row));
  raw[accel_pedal] = std::clamp(rounded(100.0 * machine.accelerator() + 0.8 * noise.smooth(pedal_play, at * 3.0)), 0, 100);
  raw[machine_speed] = speed_offset + rounded(machine.speed_kmh());
  raw[ast_direction] = direction_offset + rounded(12.0 * machine.steer());
  raw[hpmb1_pressure] = rounded(machine.assist_backward_bar());
  raw[hpma_pressure] = rounded(machine.assist_forward_bar());
  raw[return_pressure] = rounded(machine.return_pressure_bar());
  const double ripple = 2.5 * noise.bell(pressure_ripple, row) + 4.0 * sine(at * 3.7);
  raw[high_pressure] = wide_offset + std::max(0, rounded(machine.high_pressure_bar() + ripple));
  raw[oil_temperature] = rounded(machine.oil_temperature_c());
  const double axle_noise = machine.axle_rpm() == 0.0 ? 0.0 : 1.6 * noise.bell(axle_play, row);
  raw[front_axle_speed] = wide_offset + rounded(machine.axle_rpm() + axle_noise);
  raw[pump_speed] = rounded(machine.pump_rpm() + 4.0 * noise.bell(pump_play, row));
  return raw;
}

int not_available(int column) {
  return column == high_pressure || column == front_axle_speed ? not_available_16 : not_available_8;
}

void append_time(std::string& out, const Recording& recording, std::int64_t us_of_minute) {
  // The recorder pads no seconds: 05:37:0.612611.
  fmt::format_to(std::back_inserter(out), "{} {:02}:{:02}:{}.{:06}", recording.day, recording.hour, recording.minute,
                 us_of_minute / 1'000'000, us_of_minute % 1'000'000);
}

void append_row(std::string& out, const Recording& recording, std::int64_t us_of_minute, const RawRow& raw) {
  append_time(out, recording, us_of_minute);
  out.push_back(';');
  // 431 counts times 0.02 is 8.620000000000001 in binary: written as the recorder's language prints it.
  append_shortest(out, raw[gps_speed] * 0.02);
  for (int column = gps_sat_count; column < column_count; ++column) {
    out.push_back(';');
    append_integer(out, raw[static_cast<std::size_t>(column)]);
  }
  out.push_back('\n');
}

/// The milliseconds of a name such as "42.612".
int milliseconds_of(std::string_view name_end) {
  return (name_end[3] - '0') * 100 + (name_end[4] - '0') * 10 + (name_end[5] - '0');
}

std::string record(const Recording& recording, const Noise& noise) {
  std::string out(header);
  Machine machine(recording.speed_kmh, recording.oil_c, controls_at(recording.keys, 0.0));
  // A recording begins on the minute; its name is the moment at which the recorder closed it.
  const std::int64_t first_us = milliseconds_of(recording.name_end) * 1000 + rounded(999.0 * noise.uniform(start_us, 0));
  std::int64_t now_us = 0;
  std::int64_t simulated_us = 0;
  int held_speed = 0;
  for (int row = 0; now_us < static_cast<std::int64_t>(recording_s * 1e6); ++row) {
    for (; simulated_us < now_us; simulated_us += 10'000) {
      machine.advance(controls_at(recording.keys, static_cast<double>(simulated_us) * 1e-6), physics_step_s);
    }
    RawRow raw = measure(machine, noise, row);
    if (row % 2 == 0) held_speed = gps_speed_counts(machine, noise, row);
    raw[gps_speed] = held_speed;
    const Dropout& dropout = recording.dropout;
    if (dropout.column >= 0 && row >= dropout.first_row && row < dropout.first_row + dropout.rows) {
      raw[static_cast<std::size_t>(dropout.column)] = not_available(dropout.column);
    }
    append_row(out, recording, first_us + now_us, raw);
    now_us += step_of_row(noise, row);
  }
  return out;
}

}  // namespace

std::vector<GeneratedFile> generate_x46789(std::uint64_t seed) {
  std::vector<GeneratedFile> files;
  for (const Recording& recording : recordings) {
    std::string path = fmt::format("x46789/X46789_{}T{:02}-{:02}-{}Z.csv", recording.day, recording.hour, recording.minute,
                                   recording.name_end);
    const Noise noise(seed, path);
    files.push_back({std::move(path), record(recording, noise)});
  }
  return files;
}

}  // namespace iotstream::datagen
