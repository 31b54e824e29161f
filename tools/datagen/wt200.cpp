#include <array>
#include <iterator>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "datagen.hpp"
#include "random.hpp"
#include "shape.hpp"
#include "text.hpp"
#include "wt200_plant.hpp"

namespace iotstream::datagen {

namespace {

constexpr std::string_view header =
    "timestamp,state,grid_connected,brake_applied,ice_detected,wind_speed_80m(m/s),wind_speed_40m(m/s),wind_speed_10m(m/s),"
    "wind_direction(°),air_temperature(°C),relative_humidity(%),air_pressure(hPa),rotor_speed(rpm),generator_speed(rpm),"
    "pitch_angle(°),nacelle_direction(°),active_power(kW),reactive_power(kvar),grid_frequency(Hz),gearbox_oil_temperature(°C),"
    "generator_bearing_temperature(°C),tower_acceleration(mm/s²),energy_total(Wh),power_limit(kW),alarm_code,alarm_text\r\n";

constexpr int seconds_per_file = 1800;
constexpr int first_second_of_day = 6 * 3600;
constexpr int gear_ratio = 100;
constexpr std::array<std::string_view, 2> file_names{"wt200/WT200_2024-03-05T06-00-00Z.csv",
                                                     "wt200/WT200_2024-03-05T06-30-00Z.csv"};

/// The anemometer at 40 m is frozen from the sixth to the tenth minute.
constexpr int frozen_from = 330;
constexpr int frozen_to = 560;
constexpr Alarm frozen_alarm{118, "Anemometer 40 m frozen, readings discarded, heating on"};

/// The mast's radio lost these seconds: every value of the mast is missing.
constexpr int silent_from = 2660;
constexpr int silent_to = 2675;

enum Channel : std::uint64_t { frequency = 400, generator_play, pressure_play, voltage_regulation };

/// One CSV row in the making: cells in the order of the header, empty where there is no value.
class Row {
 public:
  explicit Row(std::string& out) : out_(out) {}
  void number(double value, int digits) { next(), append_fixed(out_, value, digits); }
  void number_if(bool present, double value, int digits) { next(), present ? append_fixed(out_, value, digits) : void(); }
  void integer(std::int64_t value) { next(), append_integer(out_, value); }
  void integer_if(bool present, std::int64_t value) { next(), present ? append_integer(out_, value) : void(); }
  void boolean(bool value) { next(), out_.append(value ? "true" : "false"); }
  void boolean_if(bool present, bool value) { next(), out_.append(!present ? "" : value ? "true" : "false"); }
  void text(std::string_view value) { next(), append_quoted(out_, value); }
  void end() { out_.append("\r\n"); }

 private:
  void next() {
    if (!first_) out_.push_back(',');
    first_ = false;
  }

  std::string& out_;
  bool first_ = true;
};

bool frozen(int second) { return second >= frozen_from && second < frozen_to; }

std::optional<int> ordered_limit_kw(int second) {
  if (second >= 1560 && second < 2040) return 900;
  return std::nullopt;
}

void append_weather(Row& row, const Weather& weather, int second) {
  const bool heard = second < silent_from || second >= silent_to;
  row.boolean_if(heard && second % 10 == 0, frozen(second));  // the ice detector answers every ten seconds
  row.number_if(heard, weather.wind_80m_mps, 2);
  row.number_if(heard && !frozen(second), weather.wind_40m_mps, 2);
  row.number_if(heard, weather.wind_10m_mps, 2);
  row.number_if(heard, weather.wind_direction_deg, 1);
  row.number_if(heard, weather.temperature_c, 2);
  row.number_if(heard, weather.humidity_percent, 1);
  row.number_if(heard && second % 10 == 0, weather.pressure_hpa, 2);
}

void append_turbine(Row& row, const Turbine& turbine, const Noise& noise, int second) {
  const double load = std::max(0.0, turbine.power_kw());
  row.number(turbine.rotor_rpm(), 3);
  row.integer(std::max(0, rounded(turbine.rotor_rpm() * gear_ratio + 1.5 * noise.bell(generator_play, second))));
  row.number(turbine.pitch_deg(), 2);
  row.number(turbine.nacelle_deg(), 1);
  row.number(turbine.power_kw(), 1);
  row.number(turbine.grid_connected() ? 0.04 * load + 22.0 * noise.smooth(voltage_regulation, second / 25.0) : 0.0, 1);
  row.number(50.0 + 0.022 * noise.smooth(frequency, second / 70.0) + 0.006 * noise.smooth(frequency, 9000.0 + second / 6.0), 3);
  row.number(turbine.gearbox_oil_c(), 1);
  row.number_if(second % 5 == 0, turbine.bearing_c(), 1);
  row.number(turbine.tower_acceleration_mmps2(), 1);
  row.integer(turbine.energy_total_wh());
}

void append_alarm(Row& row, std::optional<Alarm> alarm, int second) {
  if (!alarm && frozen(second)) alarm = frozen_alarm;
  row.integer_if(alarm.has_value(), alarm ? alarm->code : 0);
  row.text(alarm ? alarm->text : std::string_view{});
}

void append_row(std::string& out, const Weather& weather, const Turbine& turbine, const Noise& noise, int second) {
  out.append("2024-03-05T");
  append_clock(out, first_second_of_day + second, ':');
  out.append("Z,");
  Row row(out);
  row.text(name_of(turbine.state()));
  row.boolean(turbine.grid_connected());
  row.boolean(turbine.brake_applied());
  append_weather(row, weather, second);
  append_turbine(row, turbine, noise, second);
  const std::optional<int> limit_kw = ordered_limit_kw(second);
  row.integer_if(limit_kw.has_value(), limit_kw.value_or(0));
  append_alarm(row, turbine.alarm(), second);
  row.end();
}

}  // namespace

std::vector<GeneratedFile> generate_wt200(std::uint64_t seed) {
  const Noise noise(seed, "wt200");
  std::vector<GeneratedFile> files;
  Turbine turbine;
  int second = 0;
  for (const std::string_view name : file_names) {
    std::string out(header);
    for (const int end = second + seconds_per_file; second < end; ++second) {
      const Weather weather = weather_at(noise, second);
      turbine.advance(weather, ordered_limit_kw(second), second);
      append_row(out, weather, turbine, noise, second);
    }
    files.push_back({std::string(name), std::move(out)});
  }
  return files;
}

}  // namespace iotstream::datagen
