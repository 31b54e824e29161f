#include "bench/system/profile.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <thread>

#include <fmt/format.h>

#include <iotstream/catalog/catalog.hpp>
#include <iotstream/catalog/files.hpp>
#include <iotstream/os/clock.hpp>
#include <iotstream/os/process.hpp>
#include <iotstream/profile/profile.hpp>
#include <iotstream/sqlite/database.hpp>

#include "bench/support/server_process.hpp"
#include "bench/support/timing.hpp"

namespace iotstream::bench {

namespace {

constexpr std::size_t fields = 15;
constexpr std::int64_t first_us = 1'516'340'220'612'611;
constexpr std::uint64_t mib = 1u << 20;

/// Rows of a machine at 10 Hz: a time, six whole numbers of some hundred steps, two counters that never repeat, five decimals
/// of which no two are alike, one that is missing in every other row, and a word.
bool write_csv(const std::string& path, std::uint64_t rows) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return false;
  std::string text = "dateHour";
  for (std::size_t i = 0; i < fields; ++i) text += fmt::format(";signal {}", i + 1);
  text += '\n';
  std::uint64_t state = 1;
  const auto random = [&state] {
    state = state * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u;
    return state >> 33;
  };
  constexpr const char* words[] = {"field", "road", "idle", "parked"};
  bool written = true;
  for (std::uint64_t row = 0; row < rows && written; ++row) {
    text += format_date_hour(Timestamp{first_us + static_cast<std::int64_t>(row) * 100'000});
    for (int i = 0; i < 6; ++i) text += fmt::format(";{}", random() % (i % 2 == 0 ? 250 : 4'000));
    text += fmt::format(";{};{}", row, 10'000'000 + 3 * row);
    for (int i = 0; i < 5; ++i) text += fmt::format(";{}", static_cast<double>(random()) / 1024);
    row % 2 == 0 ? static_cast<void>(text += ';') : static_cast<void>(text += fmt::format(";{}", random() % 100'000));
    text += fmt::format(";{}\n", words[random() % 4]);
    if (text.size() < mib && row + 1 < rows) continue;
    written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
    text.clear();
  }
  return std::fclose(file) == 0 && written;
}

/// The most memory this process has while this lives.
class MemoryWatch {
 public:
  MemoryWatch() : thread_([this] { run(); }) {}
  double stop_mib() {
    stopping_ = true;
    thread_.join();
    return static_cast<double>(most_) / static_cast<double>(mib);
  }

 private:
  void run() {
    while (!stopping_) {
      most_ = std::max(most_, os::process_usage().rss_bytes);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  std::uint64_t most_ = 0;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

/// The limit: SQLite hands over every value of the same rows, and nothing is done with it. Seconds.
Result<double> scan_bare(const std::string& directory) {
  const std::int64_t began = now_ns();
  auto database = sqlite::Database::open(directory + "/catalog.db", sqlite::OpenMode::read_only);
  if (!database) return database.error();
  auto select = database->prepare("SELECT * FROM rows_1 ORDER BY rowid");
  if (!select) return select.error();
  double sum = 0;
  for (;;) {
    auto row = select->step();
    if (!row) return row.error();
    if (!*row) break;
    for (int column = 0; column < select->column_count(); ++column) {
      const auto type = select->type(column);
      if (type == sqlite::ColumnType::integer) sum += static_cast<double>(select->integer(column));
      if (type == sqlite::ColumnType::real) sum += select->real(column);
      if (type == sqlite::ColumnType::text) sum += static_cast<double>(select->text(column).size());
    }
  }
  if (sum == 0) return Error{ErrorKind::corrupt, "the rows are not there"};
  return seconds_since(began);
}

Result<double> profile_once(const std::string& directory, const catalog::Schemas& schemas, std::uint64_t rows,
                            bool correlated) {
  const std::int64_t began = now_ns();
  auto file = catalog::open_file(directory, 1, schemas);
  if (!file) return file.error();
  ::iotstream::profile::Options options;
  options.fields = (*file)->schema()->fields().size();
  if (correlated)
    for (const model::Field& field : (*file)->schema()->fields())
      if (field.type != model::FieldType::text) options.correlated.push_back(field.id);
  ::iotstream::profile::Profiler profiler(std::move(options));
  auto walked = (*file)->walk({}, [&](const catalog::FileRow& row) {
    profiler.row(row.time, *row.values);
    return true;
  });
  if (!walked) return walked.error();
  const auto profile = profiler.finish();
  for (const auto& field : profile.fields)
    if (field.rank_error > 0 || !field.distinct_exact) return Error{ErrorKind::corrupt, "the profile is not exact"};
  if (profile.rows != rows) return Error{ErrorKind::corrupt, fmt::format("{} of {} rows were read", profile.rows, rows)};
  return seconds_since(began);
}

}  // namespace

Result<std::vector<Figure>> profile_suite(const Options& options) {
  const TemporaryFolder folder;
  const std::uint64_t rows = options.quick ? 20'000 : 1'000'000;
  const std::uint64_t rounds = options.quick ? 1 : 5;
  const std::string csv = folder.path() + "/readings.csv";
  if (!write_csv(csv, rows)) return Error{ErrorKind::disk_full, fmt::format("{} cannot be written", csv)};
  catalog::Schemas schemas;
  metrics::Table metrics;
  auto catalog = catalog::Catalog::open(folder.path(), schemas, os::system_clock(), metrics);
  if (!catalog) return catalog.error();
  if (Status put = (*catalog)->put({"bench", "bench", "", "", "bench", ""}); !put) return put.error();
  if (auto imported = (*catalog)->import_csv("bench", csv, {}); !imported) return imported.error();

  std::vector<double> plain;
  std::vector<double> correlated;
  std::vector<double> bare;
  double memory_mib = 0;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    auto limit = scan_bare(folder.path());
    if (!limit) return limit.error();
    MemoryWatch memory;
    auto once = profile_once(folder.path(), schemas, rows, false);
    memory_mib = std::max(memory_mib, memory.stop_mib());
    if (!once) return once.error();
    auto both = profile_once(folder.path(), schemas, rows, true);
    if (!both) return both.error();
    bare.push_back(*limit);
    plain.push_back(*once);
    correlated.push_back(*both);
  }
  const std::string of = fmt::format("exact profile of {} rows × 16", rows);
  std::vector<Figure> figures;
  figures.push_back(beside_target(of, plain, "s", 3, Good::at_most));
  figures.push_back({of, median(plain), "s", rounds, "SQLite hands over the same values", median(bare), 0, Good::at_most});
  figures.push_back({"the same with correlations of all fields", median(correlated), "s", rounds, "without", median(plain), 0,
                     Good::at_most});
  figures.push_back({"memory of the process at most", memory_mib, "MiB", rounds, "allowed", 256, 1, Good::at_most});
  return figures;
}

}  // namespace iotstream::bench
