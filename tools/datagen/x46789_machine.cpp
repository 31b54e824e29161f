#include "x46789_machine.hpp"

#include "shape.hpp"

namespace iotstream::datagen {

namespace {

constexpr double idle_rpm = 868;
constexpr double full_rpm = 2050;
constexpr double forward_limit_mps = 11.4;
constexpr double reverse_limit_mps = 3.4;
constexpr double kmh_per_gear = 3.3;
constexpr int gears_forward = 12;

}  // namespace

Machine::Machine(double speed_kmh, double oil_temperature_c, const MachineControls& controls)
    : speed_mps_(speed_kmh / 3.6),
      oil_temperature_c_(oil_temperature_c),
      accelerator_(controls.accelerator),
      brake_(controls.brake),
      steer_(controls.steer) {
  engine_rpm_ = idle_rpm + (full_rpm - idle_rpm) * std::max(accelerator_, 0.55 * controls.lift);
  choose_gear(controls.direction);
}

void Machine::advance(const MachineControls& controls, double step_s) {
  follow_controls(controls, step_s);
  move(controls.direction, step_s);
  load_hydraulics(controls.lift, step_s);
  choose_gear(controls.direction);
}

void Machine::follow_controls(const MachineControls& controls, double step_s) {
  accelerator_ = lag(accelerator_, controls.accelerator, 0.12, step_s);
  brake_ = lag(brake_, controls.brake, 0.08, step_s);
  steer_ = lag(steer_, controls.steer, 0.35, step_s);
  // The governor raises the revolutions for the boom as well, and droops under load.
  const double demand = std::max(accelerator_, 0.55 * controls.lift);
  const double load = std::max(std::abs(drive_load_), controls.lift);
  engine_rpm_ = lag(engine_rpm_, idle_rpm + (full_rpm - idle_rpm) * demand - 95.0 * load, 0.45, step_s);
}

void Machine::move(int direction, double step_s) {
  const double limit = direction < 0 ? reverse_limit_mps : forward_limit_mps;
  const double along = direction < 0 ? -speed_mps_ : speed_mps_;
  // The pedal sets a speed, the pump's displacement follows it: traction is what is missing to that speed.
  const double wanted = direction == 0 ? along : accelerator_ * limit;
  drive_load_ = lag(drive_load_, std::clamp((wanted - along) * 0.55, -0.6, 1.0), 0.25, step_s);
  const double traction = direction == 0 ? 0.0 : 2.3 * drive_load_ * direction;
  const double resistance = (0.16 + 0.012 * std::abs(speed_mps_) + 5.2 * brake_) * step_s;
  const double driven = speed_mps_ + traction * step_s;
  // Resistance stops the machine, it never pushes it backwards.
  speed_mps_ = driven > 0 ? std::max(0.0, driven - resistance) : std::min(0.0, driven + resistance);
}

void Machine::load_hydraulics(double lift, double step_s) {
  const double traction = std::abs(drive_load_);
  high_pressure_bar_ = lag(high_pressure_bar_, 57.0 + 195.0 * traction + 165.0 * lift, 0.15, step_s);
  const double flow = std::abs(speed_mps_) / forward_limit_mps + 0.5 * lift;
  return_pressure_bar_ = lag(return_pressure_bar_, 0.8 + 9.0 * flow, 0.3, step_s);
  assist_forward_bar_ = lag(assist_forward_bar_, 12.5 * std::max(0.0, drive_load_), 0.2, step_s);
  assist_backward_bar_ = lag(assist_backward_bar_, 12.5 * std::max(0.0, -drive_load_) + 8.0 * brake_ * flow, 0.2, step_s);
  const double heating = 0.02 + 0.34 * traction + 0.30 * lift;
  const double cooling = 0.0011 * (oil_temperature_c_ - 30.0);
  oil_temperature_c_ += (heating - cooling) * step_s;
}

void Machine::choose_gear(int direction) {
  const double speed = std::abs(speed_kmh());
  if (direction < 0 || speed_kmh() < -0.2) {
    gear_ = -1;
    return;
  }
  if (direction == 0 && speed < 0.5) {
    gear_ = 0;
    return;
  }
  const int fitting = std::clamp(1 + static_cast<int>(std::floor(speed / kmh_per_gear)), 1, gears_forward);
  // Half a km/h of hysteresis downwards keeps the gear from hunting.
  const bool hold = fitting == gear_ - 1 && speed > kmh_per_gear * (gear_ - 1) - 0.5;
  if (!hold) gear_ = fitting;
}

}  // namespace iotstream::datagen
