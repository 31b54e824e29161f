#pragma once

#include <cstddef>
#include <vector>

#include "random.hpp"

namespace iotstream::datagen {

/// One point of the road; distances in metres from the start, along the road.
struct RoadPoint {
  double distance_m;
  double latitude;
  double longitude;
  double altitude_m;
  double bearing_deg;
  double speed_limit_mps;  // lowest of the sign, the curve, and what still allows braking for what follows
};

/// A place where the car must stand still.
struct RoadStop {
  double distance_m;
  double duration_s;
};

/// Ankara (Kızılay) – ring road – O-4 motorway over the hills of Gerede – Bolu – Lake Abant, about 200 km.
/// The towns are where they are; the road between is a smooth curve through them with bends of its own, not a survey.
class Road {
 public:
  explicit Road(const Noise& noise);

  [[nodiscard]] double length_m() const { return points_.back().distance_m; }
  [[nodiscard]] const std::vector<RoadStop>& stops() const { return stops_; }

  /// The road at `distance_m`, clamped to its ends. Callers move forward: `hint` remembers where the last search ended.
  [[nodiscard]] RoadPoint at(double distance_m, std::size_t& hint) const;

 private:
  void lay_out(const Noise& noise);
  void limit_speeds();
  void place_stops(const Noise& noise);

  std::vector<RoadPoint> points_;
  std::vector<RoadStop> stops_;
};

}  // namespace iotstream::datagen
