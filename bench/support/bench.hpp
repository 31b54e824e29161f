// The benchmark suite: named benchmarks, each of whose figures stands beside its limit or target, measured in the same run.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <iotstream/base/result.hpp>

namespace iotstream::bench {

struct Options {
  std::vector<std::string> names;              ///< empty: all
  std::string json_file;                       ///< empty: none
  bool quick = false;                          ///< each for a moment: that it runs, not how fast
  std::uint64_t stored_size = 10ull << 30;     ///< bytes that benchmarks of much stored data store, when there is room
  std::uint64_t import_bytes = 1'000'000'000;  ///< of the CSV file that `import` loads
};

/// Whether a good figure is below or above its limit times the target ratio.
enum class Good : unsigned char { at_most, at_least };

/// One figure. Value and limit are medians of the same run.
struct Figure {
  std::string name;
  double value = 0;
  std::string unit;
  std::uint64_t runs = 1;
  std::string limit_name;  ///< empty: nothing to compare with
  double limit_value = 0;
  double target_ratio = 0;  ///< 0: no target
  Good good = Good::at_most;

  double ratio() const { return limit_value == 0 ? 0 : value / limit_value; }
  bool met() const { return good == Good::at_most ? ratio() <= target_ratio : ratio() >= target_ratio; }
};

/// Prints a line below the running benchmark: what was left out or made smaller, and why.
void note(const std::string& line);

/// Runs one benchmark; prints nothing itself but note(). Errors stop that benchmark alone.
using Benchmark = std::function<Result<std::vector<Figure>>(const Options&)>;

/// The registry: name, one line of workload, and the benchmark. Filled in suite.cpp.
struct Entry {
  const char* name;
  const char* workload;
  Benchmark run;
};
const std::vector<Entry>& suite();

/// All names, separated by `, `.
std::string names();

/// Prints the machine, then each figure; writes the JSON file. Exit status: 0 when all ran (whether or not a target is met), 1
/// when one failed, 2 for an unknown name.
int run(const Options& options);

/// The median of `values` (the mean of the middle two); 0 without values.
double median(std::vector<double> values);
/// The q-th share (0…1), by nearest rank.
double quantile(std::vector<double> values, double q);

}  // namespace iotstream::bench
