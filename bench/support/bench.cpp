#include "bench/support/bench.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <fmt/format.h>

#include <iotstream/base/json.hpp>
#include <iotstream/os/disk.hpp>
#include <iotstream/os/process.hpp>

namespace iotstream::bench {

namespace {

void print_figure(const Figure& figure) {
  std::string line = fmt::format("  {:<52} {:>12.4g} {:<10}", figure.name, figure.value, figure.unit);
  if (!figure.limit_name.empty())
    line += fmt::format(" {:.3g} × {} ({:.4g} {})", figure.ratio(), figure.limit_name, figure.limit_value, figure.unit);
  if (figure.target_ratio > 0) {
    line += fmt::format("; target {} {:g}: {}", figure.good == Good::at_most ? "≤" : "≥", figure.target_ratio,
                        figure.met() ? "met" : "NOT met");
  }
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

void write_figure(json::Writer& writer, const std::string& benchmark, const Figure& figure) {
  writer.begin_object();
  writer.key("name").value(benchmark + ": " + figure.name);
  writer.key("value").value(figure.value);
  writer.key("unit").value(figure.unit);
  writer.key("runs").value(figure.runs);
  if (!figure.limit_name.empty()) {
    writer.key("limit_name").value(figure.limit_name);
    writer.key("limit_value").value(figure.limit_value);
    writer.key("ratio").value(figure.ratio());
  }
  if (figure.target_ratio > 0) {
    writer.key("target_ratio").value(figure.target_ratio);
    writer.key("met").value(figure.met());
  }
  writer.end_object();
}

void write_machine(json::Writer& writer, double steal_percent) {
  const os::Machine machine = os::machine();
  writer.key("machine").begin_object();
  writer.key("processor").value(machine.processor);
  writer.key("cores").value(machine.cores);
  writer.key("memory_bytes").value(machine.memory_bytes);
  writer.key("kernel").value(machine.kernel);
  writer.key("steal_percent").value(steal_percent);
  writer.end_object();
}

void print_machine() {
  const os::Machine machine = os::machine();
  fmt::print("iotstream {} on {}, {} cores, {:.0f} GiB, {}\n", IOTSTREAM_VERSION, machine.processor, machine.cores,
             static_cast<double>(machine.memory_bytes) / (1ull << 30), machine.kernel);
#ifndef NDEBUG
  fmt::print("WARNING: a debug build; its figures say nothing about the product\n");
#endif
}

}  // namespace

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(values.size())));
  return values[std::clamp<std::size_t>(rank, 1, values.size()) - 1];
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

void note(const std::string& line) {
  fmt::print("  ({})\n", line);
  std::fflush(stdout);
}

std::string names() {
  std::string names;
  for (const Entry& entry : suite()) names += (names.empty() ? "" : ", ") + std::string(entry.name);
  return names;
}

int run(const Options& options) {
  for (const std::string& name : options.names) {
    const bool known = std::any_of(suite().begin(), suite().end(), [&](const Entry& entry) { return entry.name == name; });
    if (known) continue;
    fmt::print(stderr, "iotstream: there is no benchmark '{}'; there are: {}\n", name, names());
    return 2;
  }
  print_machine();
  const os::CpuTimes before = os::cpu_times();
  std::string results;
  json::Writer writer(results);
  writer.begin_array();
  int status = 0;
  for (const Entry& entry : suite()) {
    if (!options.names.empty() && std::find(options.names.begin(), options.names.end(), entry.name) == options.names.end())
      continue;
    fmt::print("{}: {}\n", entry.name, entry.workload);
    std::fflush(stdout);
    auto figures = entry.run(options);
    if (!figures) {
      fmt::print(stderr, "iotstream: benchmark {}: {}\n", entry.name, figures.error().message);
      status = 1;
      continue;
    }
    for (const Figure& figure : *figures) {
      print_figure(figure);
      write_figure(writer, entry.name, figure);
    }
  }
  writer.end_array();
  const double steal = os::steal_percent(before, os::cpu_times());
  fmt::print("processor time taken by the host meanwhile: {:.1f} %\n", steal);
  if (options.json_file.empty()) return status;
  std::string document;
  json::Writer whole(document);
  whole.begin_object();
  write_machine(whole, steal);
  whole.key("results").raw(results);
  whole.end_object();
  if (auto written = os::write_atomically(os::real_disk(), options.json_file, as_bytes(document)); !written) {
    fmt::print(stderr, "iotstream: {}\n", written.error().message);
    return 1;
  }
  return status;
}

}  // namespace iotstream::bench
