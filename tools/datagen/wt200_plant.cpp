#include "wt200_plant.hpp"

#include <array>

#include "shape.hpp"

namespace iotstream::datagen {

namespace {

constexpr double cut_in_mps = 3.6;
constexpr double cut_out_low_mps = 3.0;
constexpr double rated_kw = 2000;
constexpr double slowest_rpm = 9.0;
constexpr double fastest_rpm = 16.6;
constexpr double rpm_per_mps = 1.91;  // tip speed eight times the wind's
constexpr double vibration_limit_mmps2 = 260;
constexpr int reset_after_s = 170;  // from the trip to the next start

enum Channel : std::uint64_t { slow_gust = 300, fast_gust, eddy, shear, veer, slow_veer, humid };

struct WindKey {
  double at_s;
  double mean_mps;
  double direction_deg;
};

constexpr std::array<WindKey, 13> wind_keys{{{0, 2.4, 228},
                                             {50, 2.7, 230},
                                             {150, 6.4, 234},
                                             {700, 8.8, 240},
                                             {1150, 12.6, 247},
                                             {1900, 13.4, 251},
                                             {2290, 11.6, 248},
                                             {2335, 20.2, 288},
                                             {2420, 16.1, 297},
                                             {2560, 12.4, 300},
                                             {2950, 9.2, 304},
                                             {3400, 5.6, 306},
                                             {3590, 2.0, 299}}};

double available_power_kw(double wind_mps) {
  constexpr double swept_area_m2 = 5026.5;
  constexpr double air_density = 1.245;
  constexpr double efficiency = 0.415;  // power coefficient times drive train
  return 0.5 * air_density * swept_area_m2 * efficiency * wind_mps * wind_mps * wind_mps / 1000.0;
}

double towards(double value, double target, double most) { return value + std::clamp(target - value, -most, most); }

}  // namespace

Weather weather_at(const Noise& noise, int second) {
  std::size_t next = 1;
  while (next + 1 < wind_keys.size() && wind_keys[next].at_s <= second) ++next;
  const WindKey& from = wind_keys[next - 1];
  const WindKey& to = wind_keys[next];
  const double part = ramp(from.at_s, to.at_s, second);
  const double mean = mix(from.mean_mps, to.mean_mps, part);
  const double gusts = 0.10 * noise.smooth(slow_gust, second / 47.0) + 0.08 * noise.smooth(fast_gust, second / 11.0);
  const double wind = std::max(0.2, mean * (1.0 + gusts + 0.03 * noise.bell(eddy, second)));
  // The wind grows with height by the power law of exponent 1/7: (40/80)^(1/7) is 0.905, and the shear wanders around it.
  const double lower = 0.905 + 0.02 * noise.smooth(shear, second / 90.0);
  const double direction = mix(from.direction_deg, to.direction_deg, part) + 6.0 * noise.smooth(slow_veer, second / 80.0) +
                           3.0 * noise.smooth(veer, second / 7.0);
  const double front = ramp(2300.0, 2700.0, second);
  return {wind,
          wind * lower,
          wind * lower * (lower - 0.06) * (0.9 + 0.05 * noise.smooth(shear, 500.0 + second / 13.0)),
          direction,
          3.4 + 1.6 * second / 3600.0 - 2.8 * front,
          std::min(100.0, 78.0 - 5.0 * second / 3600.0 + 17.0 * front + 0.8 * noise.smooth(humid, second / 60.0)),
          1002.6 - 2.2 * ramp(0.0, 2350.0, second) + 1.5 * ramp(2350.0, 3600.0, second)};
}

std::string_view name_of(TurbineState state) {
  switch (state) {
    case TurbineState::idle:
      return "idle";
    case TurbineState::starting:
      return "starting";
    case TurbineState::production:
      return "production";
    case TurbineState::curtailed:
      return "curtailed";
    case TurbineState::stopping:
      return "stopping";
  }
  return {};
}

void Turbine::advance(const Weather& weather, std::optional<int> limit_kw, int second) {
  wind_mean_mps_ = lag(wind_mean_mps_, weather.wind_80m_mps, 30.0, 1.0);
  wind_rotor_mps_ = lag(wind_rotor_mps_, weather.wind_80m_mps, 2.5, 1.0);
  yaw(weather);
  shake(weather, second);
  change_state(limit_kw.has_value(), second);
  turn_rotor(available_power_kw(wind_rotor_mps_), limit_kw ? *limit_kw : rated_kw);
  warm_up(weather);
  energy_remainder_wh_ += std::max(0.0, power_kw_) / 3.6;
  const double whole = std::floor(energy_remainder_wh_);
  energy_wh_ += static_cast<std::int64_t>(whole);
  energy_remainder_wh_ -= whole;
}

void Turbine::enter(TurbineState next, int second) {
  state_ = next;
  entered_ = second;
}

void Turbine::change_state(bool limited, int second) {
  const bool tripped = tripped_at_ >= 0;
  if (tripped && second - tripped_at_ >= reset_after_s) tripped_at_ = -1;
  switch (state_) {
    case TurbineState::idle:
      if (!tripped && wind_mean_mps_ > cut_in_mps && second - entered_ > 20) enter(TurbineState::starting, second);
      break;
    case TurbineState::starting:
      if (rotor_rpm_ >= slowest_rpm) enter(TurbineState::production, second);
      break;
    case TurbineState::production:
    case TurbineState::curtailed:
      if (tower_mmps2_ > vibration_limit_mmps2) {
        tripped_at_ = second;
        enter(TurbineState::stopping, second);
      } else if (wind_mean_mps_ < cut_out_low_mps) {
        enter(TurbineState::stopping, second);
      } else if (limited != (state_ == TurbineState::curtailed)) {
        enter(limited ? TurbineState::curtailed : TurbineState::production, second);
      }
      break;
    case TurbineState::stopping:
      if (rotor_rpm_ < 0.6) enter(TurbineState::idle, second);
      break;
  }
}

void Turbine::turn_rotor(double available_kw, double limit_kw) {
  const bool parked = state_ == TurbineState::idle || state_ == TurbineState::stopping;
  // After a trip the disc brake helps the blades below 4 rpm and holds the rotor until the reset.
  brake_ = parked && tripped_at_ >= 0 && rotor_rpm_ < 4.0;
  if (parked) {
    pitch_deg_ = towards(pitch_deg_, 88.0, 5.5);
    const double drift_rpm = brake_ ? 0.0 : 0.09 * wind_rotor_mps_;
    rotor_rpm_ = lag(rotor_rpm_, drift_rpm, brake_ ? 2.5 : 14.0 - 0.1 * pitch_deg_, 1.0);
    power_kw_ = lag(power_kw_, state_ == TurbineState::idle ? -4.2 : -11.5, 0.9, 1.0);
    return;
  }
  if (state_ == TurbineState::starting) {
    pitch_deg_ = towards(pitch_deg_, rotor_rpm_ < 3.0 ? 45.0 : 1.5, 2.2);
    rotor_rpm_ += 0.11 + 0.02 * wind_rotor_mps_;
    power_kw_ = lag(power_kw_, -14.0, 2.0, 1.0);
    return;
  }
  const double excess = std::max(0.0, 1.0 - limit_kw / std::max(1.0, available_kw));
  pitch_deg_ = towards(pitch_deg_, -0.8 + 26.0 * std::sqrt(excess) * (0.4 + 0.6 * excess), 4.0);
  rotor_rpm_ = lag(rotor_rpm_, std::clamp(rpm_per_mps * wind_rotor_mps_, slowest_rpm, fastest_rpm), 5.0, 1.0);
  power_kw_ = lag(power_kw_, std::min(available_kw, limit_kw) - 9.0, 2.5, 1.0);
}

void Turbine::yaw(const Weather& weather) {
  const double error = turn_deg(nacelle_deg_, weather.wind_direction_deg);
  // The motors start beyond 8 degrees and stop within 1.
  if (std::abs(error) > 8.0) yawing_ = true;
  if (std::abs(error) < 1.0) yawing_ = false;
  if (yawing_) nacelle_deg_ = towards(nacelle_deg_, nacelle_deg_ + error, 0.35);
}

void Turbine::shake(const Weather& weather, int second) {
  const double thrust = grid_connected() ? weather.wind_80m_mps * (1.0 - 0.012 * pitch_deg_) : 0.25 * weather.wind_80m_mps;
  const double misaligned = std::abs(turn_deg(nacelle_deg_, weather.wind_direction_deg));
  const double gust = std::max(0.0, weather.wind_80m_mps - wind_mean_mps_);
  const double swing = 1.0 + 0.22 * sine(second * 0.317) + 0.12 * sine(second * 0.171);
  tower_mmps2_ = swing * (4.0 + 5.5 * thrust + (grid_connected() ? 2.1 * misaligned + 34.0 * gust : 3.0 * gust));
}

void Turbine::warm_up(const Weather& weather) {
  const double load = std::max(0.0, power_kw_) / rated_kw;
  const double turning = std::min(1.0, rotor_rpm_ / slowest_rpm);
  gearbox_oil_c_ = lag(gearbox_oil_c_, weather.temperature_c + 24.0 + 12.0 * turning + 26.0 * load, 340.0, 1.0);
  bearing_c_ = lag(bearing_c_, weather.temperature_c + 20.0 + 10.0 * turning + 38.0 * load, 210.0, 1.0);
}

std::optional<Alarm> Turbine::alarm() const {
  if (tripped_at_ >= 0) {
    return Alarm{2031, "Tower vibration above 260 mm/s2, \"emergency\" pitch stop, automatic reset in 170 s"};
  }
  if (state_ == TurbineState::curtailed) return Alarm{410, "Grid operator's set-point 900 kW, order \"GR-17\""};
  return std::nullopt;
}

}  // namespace iotstream::datagen
