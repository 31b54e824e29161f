#pragma once

namespace iotstream::datagen {

/// The 1.6 l petrol engine, six-speed gearbox and exhaust of the car; masses, ratios and drag of that class of car.
class CarEngine {
 public:
  explicit CarEngine(double ambient_c)
      : coolant_c_(ambient_c), catalyst_front_c_(ambient_c), catalyst_rear_c_(ambient_c), intake_c_(ambient_c) {}

  /// One step at `speed_mps` and `acceleration_mps2` on a road of `grade` (rise over run), outside air at `ambient_c`.
  void advance(double speed_mps, double acceleration_mps2, double grade, double ambient_c, double step_s);

  [[nodiscard]] int gear() const { return gear_; }  ///< 0 with the clutch open
  [[nodiscard]] double rpm() const { return rpm_; }
  [[nodiscard]] double power_kw() const { return power_kw_; }  ///< at the wheels; negative on overrun
  [[nodiscard]] double load() const { return load_; }          ///< 0 … 1 of what is possible at these revolutions
  [[nodiscard]] double fuel_lph() const { return fuel_lph_; }  ///< 0 when injection is cut on overrun
  [[nodiscard]] bool fuel_cut() const { return fuel_cut_; }
  [[nodiscard]] double coolant_c() const { return coolant_c_; }
  [[nodiscard]] double catalyst_front_c() const { return catalyst_front_c_; }
  [[nodiscard]] double catalyst_rear_c() const { return catalyst_rear_c_; }
  [[nodiscard]] double intake_c() const { return intake_c_; }

 private:
  void shift(double speed_mps);
  void burn(double step_s);
  void warm_up(double speed_mps, double ambient_c, double step_s);

  int gear_ = 0;
  double since_shift_s_ = 0;
  double rpm_ = 1280;
  double power_kw_ = 0;
  double load_ = 0.2;
  double fuel_lph_ = 1.2;
  bool fuel_cut_ = false;
  double coolant_c_;
  double catalyst_front_c_;
  double catalyst_rear_c_;
  double intake_c_;
};

}  // namespace iotstream::datagen
