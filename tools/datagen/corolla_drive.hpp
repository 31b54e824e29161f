#pragma once

#include <cstdint>
#include <vector>

#include "corolla_route.hpp"
#include "random.hpp"

namespace iotstream::datagen {

/// A sprint timer of the logging application: seconds from one speed to another, NaN until there is a result to show.
struct SprintTimes {
  double from_0_to_100_kmh_s;
  double from_0_to_60_mph_s;
  double from_100_to_0_kmh_s;
  double from_40_to_60_mph_s;
};

/// The car at the moment of one log row, before any sensor has rounded it.
struct DriveSample {
  int row;
  std::int64_t device_ms;  // since midnight, local time
  bool has_gps;
  bool has_obd;
  RoadPoint road;
  double grade;
  double speed_mps;
  double acceleration_mps2;
  double lateral_mps2;
  double rpm;
  double power_kw;
  double load;
  double fuel_lph;
  bool fuel_cut;
  double coolant_c;
  double catalyst_front_c;
  double catalyst_rear_c;
  double intake_c;
  double ambient_c;
  double fuel_used_l;
  double engine_run_s;
  double trip_s;
  double moving_s;
  double city_s;     // moving below 60 km/h
  double highway_s;  // moving at 60 km/h and more
  SprintTimes sprints;
};

/// Drives the whole road once and returns one sample a second, with the recorder's jitter and its few gaps.
std::vector<DriveSample> drive(const Road& road, const Noise& noise);

}  // namespace iotstream::datagen
