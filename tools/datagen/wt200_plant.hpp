#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "random.hpp"

namespace iotstream::datagen {

/// The air at the met mast, one second long.
struct Weather {
  double wind_80m_mps;
  double wind_40m_mps;
  double wind_10m_mps;
  double wind_direction_deg;
  double temperature_c;
  double humidity_percent;
  double pressure_hpa;
};

/// An hour that shows the machine everything: calm, breeze, rated wind, a front with a shift of direction, calm again.
/// `second` counts from the first row.
Weather weather_at(const Noise& noise, int second);

enum class TurbineState { idle, starting, production, curtailed, stopping };

std::string_view name_of(TurbineState state);

struct Alarm {
  int code;
  std::string_view text;
};

/// A pitch-regulated 2 MW wind turbine of 80 m rotor diameter with a doubly fed generator.
class Turbine {
 public:
  /// Lives one second in `weather`; `limit_kw` is the grid operator's order, if there is one.
  void advance(const Weather& weather, std::optional<int> limit_kw, int second);

  [[nodiscard]] TurbineState state() const { return state_; }
  [[nodiscard]] bool grid_connected() const { return state_ == TurbineState::production || state_ == TurbineState::curtailed; }
  [[nodiscard]] bool brake_applied() const { return brake_; }
  [[nodiscard]] double rotor_rpm() const { return rotor_rpm_; }
  [[nodiscard]] double pitch_deg() const { return pitch_deg_; }
  [[nodiscard]] double nacelle_deg() const { return nacelle_deg_; }
  [[nodiscard]] double power_kw() const { return power_kw_; }  ///< negative: its own consumption
  [[nodiscard]] double gearbox_oil_c() const { return gearbox_oil_c_; }
  [[nodiscard]] double bearing_c() const { return bearing_c_; }
  [[nodiscard]] double tower_acceleration_mmps2() const { return tower_mmps2_; }
  [[nodiscard]] std::int64_t energy_total_wh() const { return energy_wh_; }
  [[nodiscard]] std::optional<Alarm> alarm() const;

 private:
  void change_state(bool limited, int second);
  void enter(TurbineState next, int second);
  void turn_rotor(double available_kw, double limit_kw);
  void yaw(const Weather& weather);
  void shake(const Weather& weather, int second);
  void warm_up(const Weather& weather);

  TurbineState state_ = TurbineState::idle;
  int entered_ = 0;
  int tripped_at_ = -1;
  bool brake_ = false;
  double wind_mean_mps_ = 2.4;  // over about half a minute
  double wind_rotor_mps_ = 2.4;
  double rotor_rpm_ = 0.2;
  double pitch_deg_ = 88.0;
  double nacelle_deg_ = 231.0;
  bool yawing_ = false;
  double power_kw_ = -4.2;
  double gearbox_oil_c_ = 29.5;
  double bearing_c_ = 27.0;
  double tower_mmps2_ = 3.0;
  double energy_remainder_wh_ = 0.0;
  std::int64_t energy_wh_ = 41'337'204'518;  // nine years of service, beyond 32 bits
};

}  // namespace iotstream::datagen
