#pragma once

namespace iotstream::datagen {

/// What the driver does. Pedals, steer and lift as parts of their full travel.
struct MachineControls {
  double accelerator = 0;  // 0 … 1
  double brake = 0;        // 0 … 1
  double steer = 0;        // -1 full left … 1 full right
  double lift = 0;         // 0 … 1, demand on the boom cylinders
  int direction = 0;       // -1 reverse, 0 neutral, 1 forward
};

/// A 12 t articulated work machine with a hydrostatic drive: the engine turns a pump, the pump's oil the wheels and the boom.
class Machine {
 public:
  /// Begins under way, its driver already holding `controls`.
  Machine(double speed_kmh, double oil_temperature_c, const MachineControls& controls);

  /// Moves `step_s` ahead (10 ms keeps the explicit steps stable).
  void advance(const MachineControls& controls, double step_s);

  [[nodiscard]] double speed_kmh() const { return speed_mps_ * 3.6; }  ///< negative in reverse
  [[nodiscard]] double pump_rpm() const { return engine_rpm_ * 1.03; }
  [[nodiscard]] double axle_rpm() const { return speed_mps_ * 24.6; }  ///< front axle motor, negative in reverse
  [[nodiscard]] double high_pressure_bar() const { return high_pressure_bar_; }
  [[nodiscard]] double return_pressure_bar() const { return return_pressure_bar_; }
  [[nodiscard]] double assist_forward_bar() const { return assist_forward_bar_; }
  [[nodiscard]] double assist_backward_bar() const { return assist_backward_bar_; }
  [[nodiscard]] double oil_temperature_c() const { return oil_temperature_c_; }
  [[nodiscard]] double steer() const { return steer_; }
  [[nodiscard]] double brake() const { return brake_; }
  [[nodiscard]] double accelerator() const { return accelerator_; }
  /// -1 reverse, 0 neutral, 1 … 12 forward.
  [[nodiscard]] int gear() const { return gear_; }

 private:
  void follow_controls(const MachineControls& controls, double step_s);
  void move(int direction, double step_s);
  void load_hydraulics(double lift, double step_s);
  void choose_gear(int direction);

  double speed_mps_;
  double oil_temperature_c_;
  double accelerator_ = 0;
  double brake_ = 0;
  double steer_ = 0;
  double engine_rpm_ = 868;
  double drive_load_ = 0;  // -1 overrun … 1 full traction
  double high_pressure_bar_ = 58;
  double return_pressure_bar_ = 1;
  double assist_forward_bar_ = 0;
  double assist_backward_bar_ = 0;
  int gear_ = 0;
};

}  // namespace iotstream::datagen
