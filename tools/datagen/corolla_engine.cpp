#include "corolla_engine.hpp"

#include <array>

#include "shape.hpp"

namespace iotstream::datagen {

namespace {

constexpr double mass_kg = 1420;
constexpr double gravity = 9.81;
constexpr double rolling_resistance = 0.011;
constexpr double drag_area_m2 = 0.64;  // drag coefficient times frontal area
constexpr double air_density = 1.13;   // kg/m³ near 1,000 m
constexpr double drivetrain_efficiency = 0.92;
constexpr double wheel_circumference_m = 1.985;
constexpr double final_drive = 3.94;
constexpr std::array<double, 7> ratios{0.0, 3.54, 1.91, 1.31, 0.97, 0.815, 0.70};
constexpr int top_gear = 6;
constexpr double rated_kw = 97;
constexpr double rated_rpm = 6100;
constexpr double litres_per_kwh = 0.335;

double rpm_in_gear(double speed_mps, int gear) {
  return speed_mps / wheel_circumference_m * 60.0 * ratios[static_cast<std::size_t>(gear)] * final_drive;
}

double idle_rpm(double coolant_c) { return 700.0 + 580.0 * (1.0 - ramp(5.0, 70.0, coolant_c)); }

double possible_kw(double rpm) {
  const double part = std::min(1.0, rpm / rated_rpm);
  return rated_kw * part * (1.25 - 0.25 * part);
}

}  // namespace

void CarEngine::advance(double speed_mps, double acceleration_mps2, double grade, double ambient_c, double step_s) {
  const double force =
      mass_kg * (acceleration_mps2 * 1.05 + gravity * (grade + (speed_mps > 0.05 ? rolling_resistance : 0.0))) +
      0.5 * air_density * drag_area_m2 * speed_mps * speed_mps;
  power_kw_ = force * speed_mps / 1000.0;
  since_shift_s_ += step_s;
  shift(speed_mps);
  const double turning = gear_ == 0 ? idle_rpm(coolant_c_) : std::max(rpm_in_gear(speed_mps, gear_), idle_rpm(coolant_c_));
  rpm_ = lag(rpm_, turning, 0.35, step_s);
  burn(step_s);
  warm_up(speed_mps, ambient_c, step_s);
}

void CarEngine::shift(double speed_mps) {
  if (speed_mps < 0.3) {
    gear_ = 0;
    return;
  }
  if (gear_ == 0) gear_ = 1;
  if (since_shift_s_ < 1.2) return;
  const double rpm = rpm_in_gear(speed_mps, gear_);
  // A driver in a hurry shifts later; one rolling out shifts down only when the engine would labour.
  const double up_at = 2150.0 + 1500.0 * ramp(5.0, 50.0, power_kw_);
  const double down_at = 1150.0 + 850.0 * ramp(12.0, 45.0, power_kw_);
  if (gear_ < top_gear && rpm > up_at && rpm_in_gear(speed_mps, gear_ + 1) > 1250.0) {
    ++gear_;
    since_shift_s_ = 0.0;
  } else if (gear_ > 1 && rpm < down_at && rpm_in_gear(speed_mps, gear_ - 1) < 3900.0) {
    --gear_;
    since_shift_s_ = 0.0;
  }
}

void CarEngine::burn(double step_s) {
  const double crank_kw = std::max(0.0, power_kw_) / drivetrain_efficiency;
  const double overrun = power_kw_ < -1.5 && rpm_ > 1350.0 && gear_ != 0 ? 1.0 : 0.0;
  fuel_cut_ = overrun > 0.0;
  load_ = lag(load_, fuel_cut_ ? 0.05 : std::min(1.0, 0.17 + 0.83 * crank_kw / possible_kw(rpm_)), 0.5, step_s);
  const double friction_lph = 0.62 * rpm_ / 1000.0 * (1.0 + 0.55 * (1.0 - ramp(0.0, 85.0, coolant_c_)));
  fuel_lph_ = lag(fuel_lph_, fuel_cut_ ? 0.0 : 0.28 + friction_lph + crank_kw * litres_per_kwh, 0.6, step_s);
  if (fuel_cut_ && fuel_lph_ < 0.02) fuel_lph_ = 0.0;
}

void CarEngine::warm_up(double speed_mps, double ambient_c, double step_s) {
  const double thermostat_c = 88.0 + 3.0 * load_ + (speed_mps < 2.0 ? 3.0 : 0.0);
  const double tau_s = coolant_c_ < thermostat_c ? 620.0 / (0.55 + 0.28 * fuel_lph_) : 25.0;
  coolant_c_ = lag(coolant_c_, thermostat_c + (coolant_c_ < thermostat_c - 8.0 ? 12.0 : 0.0), tau_s, step_s);
  const double exhaust_c = fuel_cut_ ? 330.0 : 390.0 + 27.0 * std::min(fuel_lph_, 14.0);
  catalyst_front_c_ = lag(catalyst_front_c_, exhaust_c, 55.0, step_s);
  catalyst_rear_c_ = lag(catalyst_rear_c_, catalyst_front_c_ * 0.84, 90.0, step_s);
  const double soak_c = 4.0 + 22.0 * (1.0 - ramp(0.0, 12.0, speed_mps)) * ramp(20.0, 80.0, coolant_c_);
  intake_c_ = lag(intake_c_, ambient_c + soak_c, 70.0, step_s);
}

}  // namespace iotstream::datagen
