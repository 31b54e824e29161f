#pragma once

#include <algorithm>
#include <cmath>

/// Curves made of + - * / alone, so that every IEEE 754 machine computes the same bits.
namespace iotstream::datagen {

inline double mix(double from, double to, double part) { return from + (to - from) * part; }

/// 0 before `begin`, 1 after `end`, 3t²-2t³ between.
inline double ramp(double begin, double end, double at) {
  const double t = std::clamp((at - begin) / (end - begin), 0.0, 1.0);
  return t * t * (3.0 - 2.0 * t);
}

/// 1 inside [begin, end], falling to 0 within `edge` outside of it.
inline double plateau(double begin, double end, double edge, double at) {
  return ramp(begin - edge, begin, at) * (1.0 - ramp(end, end + edge, at));
}

/// One step of a first-order lag (explicit Euler): towards `target` with time constant `tau_s`.
inline double lag(double value, double target, double tau_s, double step_s) {
  return value + (target - value) * std::min(1.0, step_s / tau_s);
}

/// The nearest multiple of `step`, as a sensor of that resolution reports it.
inline double quantised(double value, double step) { return std::floor(value / step + 0.5) * step; }

inline int rounded(double value) { return static_cast<int>(std::floor(value + 0.5)); }

/// sin(2π·turns): the Taylor polynomial of degree 11 after folding into a quarter turn; off by less than 6e-8.
inline double sine(double turns) {
  double folded = turns - std::floor(turns + 0.5);
  if (folded > 0.25) folded = 0.5 - folded;
  if (folded < -0.25) folded = -0.5 - folded;
  const double x = folded * 6.283185307179586;
  const double y = x * x;
  return x * (1.0 + y * (-1.0 / 6 + y * (1.0 / 120 + y * (-1.0 / 5040 + y * (1.0 / 362880 - y / 39916800)))));
}

/// The compass bearing, 0 … 360 degrees clockwise from north, of a vector that points `east` and `north`.
/// Arctangent by Abramowitz and Stegun 4.4.49 (|error| ≤ 1e-5 rad) on an octant.
inline double bearing_deg(double east, double north) {
  const double wide = std::abs(east);
  const double high = std::abs(north);
  if (wide == 0.0 && high == 0.0) return 0.0;
  const double q = std::min(wide, high) / std::max(wide, high);
  const double y = q * q;
  const double octant = q * (0.9998660 + y * (-0.3302995 + y * (0.1801410 + y * (-0.0851330 + y * 0.0208351))));
  double degrees = octant * 57.29577951308232;
  if (wide > high) degrees = 90.0 - degrees;
  if (north < 0.0) degrees = 180.0 - degrees;
  if (east < 0.0) degrees = 360.0 - degrees;
  return degrees;
}

/// The shortest way from bearing `from` to bearing `to`, -180 … 180.
inline double turn_deg(double from, double to) {
  const double difference = to - from;
  return difference - 360.0 * std::floor(difference / 360.0 + 0.5);
}

}  // namespace iotstream::datagen
