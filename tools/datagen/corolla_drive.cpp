#include "corolla_drive.hpp"

#include <limits>

#include "corolla_engine.hpp"
#include "shape.hpp"

namespace iotstream::datagen {

namespace {

constexpr double step_s = 0.1;
constexpr std::int64_t step_ms = 100;
constexpr std::int64_t begin_ms = ((18 * 60 + 34) * 60 + 27) * 1000 + 403;  // 18:34:27.403
constexpr double engine_start_s = 11.0;                                     // after the first row
constexpr double first_fix_s = 52.0;                                        // a cold GPS receiver needs that long
constexpr double departure_s = 34.0;
constexpr double sprint_shown_s = 420.0;  // how long a result stays on display
constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

enum Channel : std::uint64_t { mood = 100, traffic, row_jitter, row_gap };

/// Starts at one speed, ends at another; a run that is broken off counts for nothing.
class Sprint {
 public:
  Sprint(double from_mps, double to_mps, double longest_s) : from_(from_mps), to_(to_mps), longest_s_(longest_s) {}

  void advance(double speed_mps, double now_s) {
    const bool upwards = to_ > from_;
    const bool before = upwards ? speed_mps <= from_ : speed_mps >= from_;
    const bool after = upwards ? speed_mps >= to_ : speed_mps <= to_;
    if (before) {
      started_s_ = now_s;
    } else if (after && started_s_ >= 0.0) {
      if (now_s - started_s_ <= longest_s_) {
        result_s_ = now_s - started_s_;
        shown_until_s_ = now_s + sprint_shown_s;
      }
      started_s_ = -1.0;
    }
  }

  [[nodiscard]] double shown(double now_s) const { return now_s < shown_until_s_ ? result_s_ : nothing; }

 private:
  double from_;
  double to_;
  double longest_s_;
  double started_s_ = -1.0;
  double result_s_ = 0.0;
  double shown_until_s_ = -1.0;
};

class Drive {
 public:
  Drive(const Road& road, const Noise& noise) : road_(road), noise_(noise), engine_(9.0) { here_ = road_.at(0.0, hint_); }

  [[nodiscard]] bool ended() const { return next_stop_ == road_.stops().size(); }

  void advance() {
    const double before = speed_;
    const double wanted = now_s_ < departure_s ? 0.0 : wanted_speed();
    const double strongest = 2.1 * (1.0 - speed_ / 62.0);
    speed_ = std::max(0.0, speed_ + std::clamp((wanted - speed_) * 0.55, -2.4, strongest) * step_s);
    if (wanted == 0.0 && speed_ < 0.25) speed_ = 0.0;
    acceleration_ = (speed_ - before) / step_s;
    move();
    wait_at_stop();
    now_s_ += step_s;
    run_engine();
    for (Sprint* sprint : {&sprint_0_100_, &sprint_0_60_mph_, &sprint_100_0_, &sprint_40_60_mph_})
      sprint->advance(speed_, now_s_);
  }

  [[nodiscard]] DriveSample sample(int row, std::int64_t device_ms) const {
    return {row,
            device_ms,
            has_gps(),
            has_obd(),
            here_,
            grade_,
            speed_,
            acceleration_,
            speed_ * turn_rate_,
            engine_.rpm(),
            engine_.power_kw(),
            engine_.load(),
            engine_.fuel_lph(),
            engine_.fuel_cut(),
            engine_.coolant_c(),
            engine_.catalyst_front_c(),
            engine_.catalyst_rear_c(),
            engine_.intake_c(),
            ambient_c(),
            fuel_used_l_,
            now_s_ - engine_start_s,
            std::max(0.0, now_s_ - engine_start_s),
            moving_s_,
            city_s_,
            highway_s_,
            {sprint_0_100_.shown(now_s_), sprint_0_60_mph_.shown(now_s_), sprint_100_0_.shown(now_s_),
             sprint_40_60_mph_.shown(now_s_)}};
  }

 private:
  /// Limit, mood of the driver, other cars, and the next stop.
  [[nodiscard]] double wanted_speed() const {
    const double humour = 1.0 + 0.05 * noise_.smooth(mood, now_s_ / 95.0);
    const double others = 1.0 - 0.22 * ramp(0.35, 0.95, noise_.smooth(traffic, now_s_ / 140.0));
    const double cruising = here_.speed_limit_mps * humour * others;
    const double to_stop_m = road_.stops()[next_stop_].distance_m - here_.distance_m;
    if (to_stop_m < 0.6) return 0.0;
    // Braking evenly at 1.2 m/s² ends at the line; the last metres are rolled.
    return std::min(cruising, std::max(0.8, std::sqrt(2.0 * 1.2 * to_stop_m) - 0.6));
  }

  void move() {
    const RoadPoint before = here_;
    here_ = road_.at(before.distance_m + speed_ * step_s, hint_);
    const double length_m = here_.distance_m - before.distance_m;
    if (length_m > 0.0) grade_ = lag(grade_, (here_.altitude_m - before.altitude_m) / length_m, 1.5, step_s);
    const double turn_rad = turn_deg(before.bearing_deg, here_.bearing_deg) * 0.017453292519943295;
    turn_rate_ = lag(turn_rate_, turn_rad / step_s, 0.8, step_s);
    if (speed_ > 0.0) moving_s_ += step_s;
    if (speed_ > 60.0 / 3.6) {
      highway_s_ += step_s;
    } else if (speed_ > 0.0) {
      city_s_ += step_s;
    }
  }

  void wait_at_stop() {
    const RoadStop& stop = road_.stops()[next_stop_];
    if (speed_ > 0.0 || stop.distance_m - here_.distance_m > 0.6) return;
    waited_s_ += step_s;
    if (waited_s_ < stop.duration_s) return;
    waited_s_ = 0.0;
    ++next_stop_;
  }

  void run_engine() {
    if (now_s_ < engine_start_s) return;
    engine_.advance(speed_, acceleration_, speed_ > 0.0 ? grade_ : 0.0, ambient_c(), step_s);
    fuel_used_l_ += engine_.fuel_lph() * step_s / 3600.0;
  }

  /// An evening in March: 9 °C in town after sunset, colder with every hour and every metre.
  [[nodiscard]] double ambient_c() const { return 9.0 - 3.2 * ramp(0.0, 9000.0, now_s_) - 0.0065 * (here_.altitude_m - 885.0); }

  [[nodiscard]] bool has_gps() const {
    if (now_s_ < first_fix_s) return false;
    const double m = here_.distance_m;
    const bool underpass = (m > 3'150.0 && m < 3'330.0) || (m > 16'400.0 && m < 16'950.0);
    const bool tunnel = m > 138'200.0 && m < 139'600.0;
    return !underpass && !tunnel;
  }

  [[nodiscard]] bool has_obd() const {
    const bool adapter_lost = now_s_ > 5'232.0 && now_s_ < 5'259.0;
    return now_s_ > engine_start_s + 2.0 && !adapter_lost;
  }

  const Road& road_;
  const Noise& noise_;
  CarEngine engine_;
  std::size_t hint_ = 0;
  std::size_t next_stop_ = 0;
  RoadPoint here_{};
  double now_s_ = 0.0;
  double waited_s_ = 0.0;
  double speed_ = 0.0;
  double acceleration_ = 0.0;
  double grade_ = 0.0;
  double turn_rate_ = 0.0;
  double fuel_used_l_ = 0.0;
  double moving_s_ = 0.0;
  double city_s_ = 0.0;
  double highway_s_ = 0.0;
  Sprint sprint_0_100_{0.0, 100.0 / 3.6, 90.0};
  Sprint sprint_0_60_mph_{0.0, 26.8224, 90.0};
  Sprint sprint_100_0_{100.0 / 3.6, 0.0, 90.0};
  Sprint sprint_40_60_mph_{17.8816, 26.8224, 90.0};
};

}  // namespace

std::vector<DriveSample> drive(const Road& road, const Noise& noise) {
  std::vector<DriveSample> samples;
  Drive car(road, noise);
  std::int64_t simulated_ms = 0;
  std::int64_t second = 0;
  for (int row = 0; !car.ended(); ++row) {
    while (simulated_ms < second * 1000 && !car.ended()) {
      car.advance();
      simulated_ms += step_ms;
    }
    const int late_ms = row == 0 ? 0 : rounded(-30.0 + 4.0 * noise.uniform(row_jitter, row));
    samples.push_back(car.sample(row, begin_ms + second * 1000 + late_ms));
    // Now and then the telephone had something better to do.
    second += noise.uniform(row_gap, row) < 0.003 ? 2 + rounded(2.0 * noise.uniform(row_gap, -1 - row)) : 1;
  }
  return samples;
}

}  // namespace iotstream::datagen
