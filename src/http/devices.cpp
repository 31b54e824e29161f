// Devices as they are seen, and the simulations that drive some of them.
#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "http/body.hpp"
#include "http/parameters.hpp"
#include "http/routes.hpp"

namespace iotstream::http {

namespace {

struct DeviceLine {
  store::DeviceUsage stored;
  live::DeviceLive live;
  std::optional<double> expected_rate;
};

using DeviceKey = std::pair<std::string, std::string>;  ///< dataset, device

std::map<DeviceKey, DeviceLine> collect(Services& services) {
  std::map<DeviceKey, DeviceLine> devices;
  for (store::DeviceUsage& stored : services.history.devices()) {
    DeviceKey key{stored.dataset, stored.device};
    devices[key].stored = std::move(stored);
  }
  for (live::DeviceLive& live : services.hub.devices()) {
    DeviceKey key{live.dataset, live.device};
    devices[key].live = std::move(live);
  }
  for (const sim::SimulationStatus& simulation : services.simulator.list()) {
    if (simulation.state != sim::State::running || simulation.devices.empty()) continue;
    for (const std::string& device : simulation.devices) {
      const auto found = devices.find({simulation.dataset, device});
      if (found != devices.end())
        found->second.expected_rate = simulation.expected_rate / static_cast<double>(simulation.devices.size());
    }
  }
  return devices;
}

/// live: heard of within five of its own periods (at least 3 s); late: within fifty (at least 30 s); else lost. The period is
/// the expected one, or the one seen.
std::string_view state_of(const DeviceLine& device, Timestamp now) {
  if (device.live.events == 0) return "lost";
  const double rate = device.expected_rate.value_or(device.live.rate);
  const std::int64_t period_us = rate > 0 ? static_cast<std::int64_t>(1e6 / rate) : 1'000'000;
  const std::int64_t silence_us = (now - device.live.last_arrival).us;
  if (silence_us <= std::max<std::int64_t>(5 * period_us, 3'000'000)) return "live";
  return silence_us <= std::max<std::int64_t>(50 * period_us, 30'000'000) ? "late" : "lost";
}

std::map<std::string, std::string> prototypes_by_dataset(Services& services) {
  std::map<std::string, std::string> codes;
  for (const catalog::Prototype& prototype : services.catalog.prototypes()) codes.emplace(prototype.dataset, prototype.code);
  return codes;
}

Answer list_devices(Services& services) {
  const Timestamp now = services.clock.now();
  const auto prototypes = prototypes_by_dataset(services);
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("devices").begin_array();
  for (const auto& [key, device] : collect(services)) {
    const auto& [dataset, name] = key;
    const bool stored = device.stored.events > 0;
    writer.begin_object();
    writer.key("device").value(name);
    writer.key("dataset").value(dataset);
    const auto prototype = prototypes.find(dataset);
    writer.key("prototype");
    prototype == prototypes.end() ? writer.null() : writer.value(prototype->second);
    writer.key("first_seen").value(stored ? device.stored.first_seen.us : device.live.last_seen.us);
    writer.key("last_seen").value(std::max(device.stored.last_seen.us, device.live.last_seen.us));
    writer.key("rate").value(device.live.rate);
    writer.key("expected_rate");
    device.expected_rate ? writer.value(*device.expected_rate) : writer.null();
    writer.key("state").value(state_of(device, now));
    writer.key("events").value(std::max(device.stored.events, device.live.events));
    writer.end_object();
  }
  writer.end_array().end_object();
  return net::Response::json(std::move(body));
}

void write_simulation(json::Writer& writer, const sim::SimulationStatus& status) {
  writer.begin_object();
  writer.key("id").value(status.id);
  writer.key("prototype").value(status.settings.prototype);
  writer.key("dataset").value(status.dataset);
  writer.key("state").value(sim::name_of(status.state));
  if (!status.problem.empty()) writer.key("problem").value(status.problem);
  writer.key("period").value(status.settings.period ? format_duration(*status.settings.period) : "recorded");
  writer.key("speed").value(status.settings.speed);
  writer.key("loop").value(status.settings.loop);
  writer.key("transport").value(status.settings.transport == config::Transport::http ? "http" : "inproc");
  writer.key("seed").value(status.settings.seed);
  writer.key("devices").begin_array();
  for (const std::string& device : status.devices) writer.value(device);
  writer.end_array();
  writer.key("expected_rate").value(status.expected_rate);
  writer.key("sent").value(status.sent);
  writer.key("acknowledged").value(status.acknowledged);
  writer.key("refused").value(status.refused);
  writer.key("dropped").value(status.dropped);
  writer.key("loops").value(status.loops);
  writer.key("lateness_us_max").value(status.lateness_us_max);
  writer.end_object();
}

Answer list_simulations(Services& services) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("simulations").begin_array();
  for (const sim::SimulationStatus& status : services.simulator.list()) write_simulation(writer, status);
  writer.end_array().end_object();
  return net::Response::json(std::move(body));
}

Result<std::uint64_t> id_of(const net::Request& request) {
  const std::string_view text = request.param("id");
  std::uint64_t id = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (code != std::errc() || end != text.data() + text.size()) {
    return Error{ErrorKind::not_found, fmt::format("there is no simulation '{}'", text)};
  }
  return id;
}

Answer one_simulation(Services& services, std::uint64_t id, unsigned http_status = 200) {
  for (const sim::SimulationStatus& status : services.simulator.list()) {
    if (status.id != id) continue;
    std::string body;
    json::Writer writer(body);
    write_simulation(writer, status);
    return net::Response::json(std::move(body), http_status);
  }
  return Error{ErrorKind::not_found, fmt::format("there is no simulation '{}'", id)};
}

Result<std::optional<Duration>> period_from(const std::string& text) {
  if (text == "recorded") return std::optional<Duration>();
  auto period = parse_duration(text);
  if (!period) return Error{ErrorKind::unprocessable, fmt::format("'period': {}", period.error().message)};
  if (period->us <= 0) return Error{ErrorKind::unprocessable, "'period' must be longer than nothing, or \"recorded\""};
  return std::optional(*period);
}

Status check_speed(double speed) {
  if (speed >= 0.001 && speed <= 10'000) return {};
  return Error{ErrorKind::unprocessable, fmt::format("'speed' must be from 0.001 to 10000, not {}", speed)};
}

Status check_devices(std::uint64_t devices) {
  if (devices >= 1 && devices <= 100'000) return {};
  return Error{ErrorKind::unprocessable, fmt::format("'devices' must be from 1 to 100000, not {}", devices)};
}

Answer add_simulation(Services& services, const net::Request& request) {
  auto json = JsonObject::parse(request.body);
  if (!json) return json.error();
  config::Simulation simulation;
  auto prototype = json->text("prototype");
  auto period = json->text("period");
  auto speed = json->number("speed");
  auto devices = json->whole("devices");
  auto loop = json->truth("loop");
  auto transport = json->text("transport");
  auto seed = json->whole("seed");
  if (!prototype) return prototype.error();
  if (!period) return period.error();
  if (!speed) return speed.error();
  if (!devices) return devices.error();
  if (!loop) return loop.error();
  if (!transport) return transport.error();
  if (!seed) return seed.error();
  if (!*prototype) return Error{ErrorKind::unprocessable, "a simulation needs a 'prototype'"};
  simulation.prototype = **prototype;
  if (*period) {
    auto parsed = period_from(**period);
    if (!parsed) return parsed.error();
    simulation.period = *parsed;
  }
  simulation.speed = speed->value_or(1.0);
  if (auto checked = check_speed(simulation.speed); !checked) return checked.error();
  if (auto checked = check_devices(devices->value_or(1)); !checked) return checked.error();
  simulation.devices = static_cast<std::uint32_t>(devices->value_or(1));
  simulation.loop = loop->value_or(true);
  simulation.seed = seed->value_or(1);
  if (transport->value_or("http") == "inproc")
    simulation.transport = config::Transport::inproc;
  else if (transport->value_or("http") != "http")
    return Error{ErrorKind::unprocessable, "'transport' is \"http\" or \"inproc\""};
  auto id = services.simulator.add(simulation);
  if (!id) return id.error();
  return one_simulation(services, *id, 201);
}

Answer change_simulation(Services& services, const net::Request& request) {
  auto id = id_of(request);
  if (!id) return id.error();
  auto json = JsonObject::parse(request.body);
  if (!json) return json.error();
  sim::SimulationChange change;
  auto state = json->text("state");
  auto period = json->text("period");
  auto speed = json->number("speed");
  auto devices = json->whole("devices");
  if (!state) return state.error();
  if (!period) return period.error();
  if (!speed) return speed.error();
  if (!devices) return devices.error();
  if (*state && **state != "running" && **state != "paused") {
    return Error{ErrorKind::unprocessable, "'state' can be set to \"running\" or \"paused\""};
  }
  if (*state) change.paused = **state == "paused";
  if (*speed) {
    if (auto checked = check_speed(**speed); !checked) return checked.error();
    change.speed = **speed;
  }
  if (*period) {
    auto parsed = period_from(**period);
    if (!parsed) return parsed.error();
    change.period = *parsed;
  }
  if (*devices) {
    if (auto checked = check_devices(**devices); !checked) return checked.error();
    change.devices = static_cast<std::uint32_t>(**devices);
  }
  if (auto changed = services.simulator.change(*id, change); !changed) return changed.error();
  return one_simulation(services, *id);
}

Answer delete_simulation(Services& services, const net::Request& request) {
  auto id = id_of(request);
  if (!id) return id.error();
  if (auto removed = services.simulator.remove(*id); !removed) return removed.error();
  net::Response response;
  response.status = 204;
  return response;
}

}  // namespace

void add_device_routes(net::Router& router, Services& services) {
  using net::Method;
  const auto add = [&](Method method, const char* pattern, Answer (*route)(Services&, const net::Request&)) {
    router.add(method, pattern,
               on_worker(services, [&services, route](const net::Request& request) { return route(services, request); }));
  };
  add(Method::get, "/api/v1/devices", [](Services& s, const net::Request&) { return list_devices(s); });
  add(Method::get, "/api/v1/simulations", [](Services& s, const net::Request&) { return list_simulations(s); });
  add(Method::get, "/api/v1/simulations/{id}", [](Services& s, const net::Request& request) -> Answer {
    auto id = id_of(request);
    if (!id) return id.error();
    return one_simulation(s, *id);
  });
  add(Method::post, "/api/v1/simulations", add_simulation);
  add(Method::patch, "/api/v1/simulations/{id}", change_simulation);
  add(Method::delete_, "/api/v1/simulations/{id}", delete_simulation);
}

}  // namespace iotstream::http
