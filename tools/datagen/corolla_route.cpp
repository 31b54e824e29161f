#include "corolla_route.hpp"

#include <array>

#include "shape.hpp"

namespace iotstream::datagen {

namespace {

struct Waypoint {
  double latitude;
  double longitude;
  double altitude_m;
  double limit_kmh;  // from here on
  double bend_m;     // how far the road strays from the smooth curve, from here on
  double bend_length_m;
  double hill_m;  // likewise up and down
};

// clang-format off
constexpr std::array<Waypoint, 26> waypoints{{
    {39.9205, 32.8542,  885,  50,  0,  600,  3},  // Ankara, Kızılay
    {39.9395, 32.8560,  868,  50,  0,  600,  3},  // Ulus
    {39.9480, 32.8300,  850,  60, 10,  800,  2},
    {39.9560, 32.7900,  842,  70, 10,  900,  3},
    {39.9690, 32.7300,  836,  82, 15, 1200,  5},  // Batıkent
    {39.9900, 32.6500,  830, 100, 20, 1800,  8},  // ring road
    {40.0450, 32.6050,  842, 112, 30, 2500, 12},  // toll plaza
    {40.1200, 32.6200,  856, 115, 40, 3000, 14},
    {40.2050, 32.6500,  872, 115, 40, 3000, 16},  // Kahramankazan
    {40.3100, 32.5600, 1004, 112, 60, 2600, 24},
    {40.4200, 32.4500, 1083, 108, 70, 2400, 30},
    {40.5200, 32.4200, 1218, 104, 70, 2200, 30},
    {40.6200, 32.3300, 1384, 100, 80, 2200, 30},
    {40.7000, 32.2500, 1421, 104, 70, 2400, 26},
    {40.7700, 32.1800, 1306, 108, 50, 2400, 20},  // Gerede
    {40.7850, 32.0900, 1052, 112, 40, 2600, 14},
    {40.7650, 31.9800,  994, 116, 30, 3000, 10},  // Yeniçağa
    {40.7500, 31.8500,  868, 116, 30, 3000, 12},
    {40.7450, 31.7300,  792, 110, 30, 2600,  8},
    {40.7400, 31.6300,  746,  70, 10,  900,  3},  // Bolu, motorway exit
    {40.7330, 31.6050,  731,  50,  0,  600,  2},  // Bolu, centre
    {40.7250, 31.5600,  752,  82, 20, 1100,  4},
    {40.7100, 31.4900,  824,  76, 40,  900,  6},
    {40.6800, 31.4200,  992,  68, 45,  560,  8},
    {40.6500, 31.3400, 1184,  60, 45,  480,  8},
    {40.6130, 31.2830, 1345,  40, 10,  500,  1},  // Lake Abant
}};
// clang-format on

constexpr double metres_per_degree_latitude = 111'320.0;
constexpr double metres_per_degree_longitude = metres_per_degree_latitude * 0.7627;  // cosine of 40.3°
constexpr double point_spacing_m = 40.0;
constexpr double comfortable_braking_mps2 = 1.1;
constexpr double comfortable_cornering_mps2 = 2.4;

enum Channel : std::uint64_t { bend, hill, light_place, light_red, light_duration };

struct Plane {
  double east_m;
  double north_m;
};

Plane plane_of(const Waypoint& w) {
  return {(w.longitude - waypoints[0].longitude) * metres_per_degree_longitude,
          (w.latitude - waypoints[0].latitude) * metres_per_degree_latitude};
}

/// Uniform Catmull–Rom through p1 … p2 (Catmull and Rom, 1974).
double catmull_rom(double p0, double p1, double p2, double p3, double t) {
  return 0.5 * (2.0 * p1 + t * ((p2 - p0) + t * ((2.0 * p0 - 5.0 * p1 + 4.0 * p2 - p3) + t * (3.0 * (p1 - p2) + p3 - p0))));
}

struct Leg {
  const Waypoint& from;
  const Waypoint& to;
  Plane before;
  Plane begin;
  Plane end;
  Plane after;

  [[nodiscard]] Plane at(double t) const {
    return {catmull_rom(before.east_m, begin.east_m, end.east_m, after.east_m, t),
            catmull_rom(before.north_m, begin.north_m, end.north_m, after.north_m, t)};
  }
  [[nodiscard]] double chord_m() const {
    const double east = end.east_m - begin.east_m;
    const double north = end.north_m - begin.north_m;
    return std::sqrt(east * east + north * north);
  }
};

Leg leg_after(std::size_t index) {
  const std::size_t last = waypoints.size() - 1;
  return {waypoints[index],           waypoints[index + 1],           plane_of(waypoints[index == 0 ? 0 : index - 1]),
          plane_of(waypoints[index]), plane_of(waypoints[index + 1]), plane_of(waypoints[std::min(index + 2, last)])};
}

/// The curve's point moved sideways by the bends.
Plane bent(const Leg& leg, double t, double along_m, const Noise& noise) {
  const Plane here = leg.at(t);
  const Plane ahead = leg.at(t + 1e-3);
  const double east = ahead.east_m - here.east_m;
  const double north = ahead.north_m - here.north_m;
  const double length = std::sqrt(east * east + north * north);
  const double fade = ramp(0.0, 0.12, t) * (1.0 - ramp(0.88, 1.0, t));
  const double side = fade * leg.from.bend_m * noise.smooth(bend, along_m / leg.from.bend_length_m);
  return {here.east_m + side * north / length, here.north_m - side * east / length};
}

double altitude_on(const Leg& leg, double t, double along_m, const Noise& noise) {
  const double fade = ramp(0.0, 0.15, t) * (1.0 - ramp(0.85, 1.0, t));
  return mix(leg.from.altitude_m, leg.to.altitude_m, t) + fade * leg.from.hill_m * noise.smooth(hill, along_m / 1400.0);
}

}  // namespace

Road::Road(const Noise& noise) {
  lay_out(noise);
  limit_speeds();
  place_stops(noise);
}

void Road::lay_out(const Noise& noise) {
  Plane previous{0.0, 0.0};
  double along_m = 0.0;
  for (std::size_t index = 0; index + 1 < waypoints.size(); ++index) {
    const Leg leg = leg_after(index);
    const int pieces = std::max(1, rounded(leg.chord_m() / point_spacing_m));
    const double piece_m = leg.chord_m() / pieces;
    for (int piece = 0; piece < pieces; ++piece) {
      const double t = static_cast<double>(piece) / pieces;
      const double guide_m = static_cast<double>(index) * 50'000.0 + piece * piece_m;
      const Plane here = bent(leg, t, guide_m, noise);
      const double east = here.east_m - previous.east_m;
      const double north = here.north_m - previous.north_m;
      along_m += std::sqrt(east * east + north * north);
      points_.push_back({along_m, waypoints[0].latitude + here.north_m / metres_per_degree_latitude,
                         waypoints[0].longitude + here.east_m / metres_per_degree_longitude,
                         altitude_on(leg, t, guide_m, noise), bearing_deg(east, north), leg.from.limit_kmh / 3.6});
      previous = here;
    }
  }
  points_.front().bearing_deg = points_[1].bearing_deg;
}

void Road::limit_speeds() {
  for (std::size_t i = 1; i + 1 < points_.size(); ++i) {
    const double turn_rad = std::abs(turn_deg(points_[i - 1].bearing_deg, points_[i + 1].bearing_deg)) * 0.017453292519943295;
    const double length_m = points_[i + 1].distance_m - points_[i - 1].distance_m;
    if (turn_rad < 1e-4) continue;
    const double cornering = std::sqrt(comfortable_cornering_mps2 * length_m / turn_rad);
    points_[i].speed_limit_mps = std::min(points_[i].speed_limit_mps, std::max(cornering, 4.0));
  }
  for (std::size_t i = points_.size() - 1; i > 0; --i) {
    const double next = points_[i].speed_limit_mps;
    const double length_m = points_[i].distance_m - points_[i - 1].distance_m;
    const double braking = std::sqrt(next * next + 2.0 * comfortable_braking_mps2 * length_m);
    points_[i - 1].speed_limit_mps = std::min(points_[i - 1].speed_limit_mps, braking);
  }
}

void Road::place_stops(const Noise& noise) {
  const double end_m = length_m();
  const auto lights = [&](double from_m, double to_m, double spacing_m, std::int64_t first) {
    double place = from_m;
    for (std::int64_t light = first; place < to_m; ++light) {
      if (noise.uniform(light_red, light) < 0.55) stops_.push_back({place, 14.0 + 56.0 * noise.uniform(light_duration, light)});
      place += spacing_m * (0.6 + 0.8 * noise.uniform(light_place, light));
    }
  };
  lights(320.0, 9'800.0, 480.0, 0);                         // the boulevards of Ankara
  stops_.push_back({31'400.0, 9.0});                        // toll plaza
  stops_.push_back({121'500.0, 310.0});                     // services beyond Gerede, engine left running
  lights(end_m - 40'500.0, end_m - 35'500.0, 620.0, 1000);  // Bolu
  stops_.push_back({end_m - 21'000.0, 24.0});               // flock on the mountain road
  stops_.push_back({end_m - 6'000.0, 11.0});                // gate of the nature park
  stops_.push_back({end_m, 62.0});                          // arrived
}

RoadPoint Road::at(double distance_m, std::size_t& hint) const {
  while (hint + 2 < points_.size() && points_[hint + 1].distance_m <= distance_m) ++hint;
  const RoadPoint& from = points_[hint];
  const RoadPoint& to = points_[hint + 1];
  const double part = std::clamp((distance_m - from.distance_m) / (to.distance_m - from.distance_m), 0.0, 1.0);
  const double bearing = from.bearing_deg + part * turn_deg(from.bearing_deg, to.bearing_deg);
  return {distance_m,
          mix(from.latitude, to.latitude, part),
          mix(from.longitude, to.longitude, part),
          mix(from.altitude_m, to.altitude_m, part),
          bearing - 360.0 * std::floor(bearing / 360.0),
          mix(from.speed_limit_mps, to.speed_limit_mps, part)};
}

}  // namespace iotstream::datagen
