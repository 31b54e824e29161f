#include "bench/system/import.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <thread>

#include <fmt/format.h>

#include <iotstream/catalog/catalog.hpp>
#include <iotstream/os/clock.hpp>
#include <iotstream/os/disk.hpp>
#include <iotstream/os/process.hpp>
#include <iotstream/sqlite/database.hpp>

#include "bench/support/server_process.hpp"

namespace iotstream::bench {

namespace {

constexpr std::size_t fields = 15;
constexpr std::size_t patterns = 1021;  // rows that differ, again and again
constexpr std::int64_t first_us = 1'516'340'220'612'611;
constexpr std::uint64_t mib = 1u << 20;

double seconds_since(std::int64_t begin_ns) { return static_cast<double>(os::system_clock().monotonic_ns() - begin_ns) / 1e9; }

/// A machine's readings at 10 Hz: a time, ten whole numbers, four decimals and a word.
struct Reading {
  std::array<std::int64_t, 10> whole{};
  std::array<double, 4> decimal{};
  std::string word;
  std::string text;  ///< all of them as CSV, the time left out
};

std::vector<Reading> make_readings() {
  std::vector<Reading> readings(patterns);
  std::uint64_t state = 1;
  const auto random = [&state](std::uint64_t below) {
    state = state * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u;
    return (state >> 33) % below;
  };
  constexpr std::array<const char*, 4> words = {"field", "road", "idle", "parked"};
  for (Reading& reading : readings) {
    for (std::size_t i = 0; i < reading.whole.size(); ++i)
      reading.text += fmt::format(";{}", reading.whole[i] = static_cast<std::int64_t>(random(i % 3 == 0 ? 40'000 : 250)));
    for (double& decimal : reading.decimal)
      reading.text += fmt::format(";{}", decimal = static_cast<double>(random(1'000'000)) / 1000);
    reading.word = words[random(words.size())];
    reading.text += ";" + reading.word + "\n";
  }
  return readings;
}

/// Writes a file of about `bytes`; the number of rows, 0 when it cannot be written.
std::uint64_t write_csv(const std::string& path, std::uint64_t bytes, const std::vector<Reading>& readings) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return 0;
  std::string text = "dateHour";
  for (std::size_t i = 0; i < fields; ++i) text += fmt::format(";signal {}", i + 1);
  text += '\n';
  std::uint64_t rows = 0;
  std::uint64_t written = 0;
  while (written < bytes) {
    for (; text.size() < mib; ++rows) {
      text += format_date_hour(Timestamp{first_us + static_cast<std::int64_t>(rows) * 100'000});
      text += readings[rows % patterns].text;
    }
    written += text.size();
    if (std::fwrite(text.data(), 1, text.size(), file) != text.size()) rows = 0;
    text.clear();
    if (rows == 0) break;
  }
  return std::fclose(file) == 0 ? rows : 0;
}

/// The most memory this process had while this lives, above what it had before.
class MemoryWatch {
 public:
  MemoryWatch() : before_(os::process_usage().rss_bytes), thread_([this] { run(); }) {}
  double stop_mib() {
    stopping_ = true;
    thread_.join();
    return static_cast<double>(std::max(most_, before_) - before_) / static_cast<double>(mib);
  }

 private:
  void run() {
    while (!stopping_) {
      most_ = std::max(most_, os::process_usage().rss_bytes);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  std::uint64_t before_;
  std::uint64_t most_ = 0;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

/// The limit: the same values, already read, into a table of the same columns, 10,000 rows a transaction. Seconds.
Result<double> insert_bare(const std::string& path, std::uint64_t rows, const std::vector<Reading>& readings) {
  auto database = sqlite::Database::open(path, sqlite::OpenMode::read_write);
  if (!database) return database.error();
  std::string names = "time_us";
  std::string places = "?";
  for (std::size_t i = 0; i < fields; ++i) {
    names += fmt::format(", \"signal {}\"", i + 1);
    places += ", ?";
  }
  if (Status made = database->execute(fmt::format("CREATE TABLE rows({})", names)); !made) return made.error();
  auto insert = database->prepare(fmt::format("INSERT INTO rows VALUES({})", places));
  if (!insert) return insert.error();
  const std::int64_t begin_ns = os::system_clock().monotonic_ns();
  for (std::uint64_t row = 0; row < rows;) {
    auto transaction = sqlite::Transaction::begin(*database);
    if (!transaction) return transaction.error();
    for (const std::uint64_t end = std::min(rows, row + 10'000); row < end; ++row) {
      const Reading& reading = readings[row % patterns];
      int parameter = 1;
      insert->bind(parameter++, first_us + static_cast<std::int64_t>(row) * 100'000);
      for (const std::int64_t whole : reading.whole) insert->bind(parameter++, whole);
      for (const double decimal : reading.decimal) insert->bind(parameter++, decimal);
      insert->bind_view(parameter, reading.word);
      if (Status done = insert->run(); !done) return done.error();
    }
    if (Status committed = transaction->commit(); !committed) return committed.error();
  }
  return seconds_since(begin_ns);
}

struct Imported {
  double seconds = 0;
  double memory_mib = 0;
};

Result<Imported> import_once(const std::string& directory, const std::string& csv, std::uint64_t rows) {
  catalog::Schemas schemas;
  metrics::Table metrics;
  auto catalog = catalog::Catalog::open(directory, schemas, os::system_clock(), metrics);
  if (!catalog) return catalog.error();
  if (Status put = (*catalog)->put({"bench", "bench", "", "", "bench", ""}); !put) return put.error();
  MemoryWatch memory;
  const std::int64_t begin_ns = os::system_clock().monotonic_ns();
  auto report = (*catalog)->import_csv("bench", csv, {});
  Imported imported{seconds_since(begin_ns), memory.stop_mib()};
  if (!report) return report.error();
  if (report->rows != rows || report->rejected != 0)
    return Error{ErrorKind::corrupt, fmt::format("{} of {} rows were imported", report->rows, rows)};
  return imported;
}

}  // namespace

Result<std::vector<Figure>> import(const Options& options) {
  const TemporaryFolder folder;
  const std::uint64_t bytes = options.quick ? 2 * mib : options.import_bytes;
  const std::uint64_t rounds = options.quick ? 1 : 5;
  const std::vector<Reading> readings = make_readings();
  const std::string csv = folder.path() + "/readings.csv";
  const std::uint64_t rows = write_csv(csv, bytes, readings);
  if (rows == 0) return Error{ErrorKind::disk_full, fmt::format("{} cannot be written", csv)};
  std::vector<double> ours;
  std::vector<double> bare;
  double memory_mib = 0;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    const std::string base = fmt::format("{}/{}", folder.path(), round);
    auto limit = insert_bare(base + ".db", rows, readings);
    if (!limit) return limit.error();
    for (const char* ending : {".db", ".db-wal", ".db-shm"}) std::remove((base + ending).c_str());
    auto imported = import_once(base, csv, rows);
    if (!imported) return imported.error();
    for (const char* name : {"/catalog.db", "/catalog.db-wal", "/catalog.db-shm"}) std::remove((base + name).c_str());
    bare.push_back(static_cast<double>(rows) / *limit);
    ours.push_back(static_cast<double>(rows) / imported->seconds);
    memory_mib = std::max(memory_mib, imported->memory_mib);
  }
  const double mb = static_cast<double>(bytes) / 1e6;
  std::vector<Figure> figures;
  figures.push_back({fmt::format("CSV of {:.0f} MB, 16 columns, to committed rows", mb), median(ours), "rows/s", rounds,
                     "prepared inserts of the same values", median(bare), 0.6, Good::at_least});
  const double rate = median(ours) * static_cast<double>(bytes) / static_cast<double>(rows) / 1e6;
  figures.push_back({"the same, file read", rate, "MB/s", rounds, {}, 0, 0, Good::at_least});
  figures.push_back({"memory above idle at most", memory_mib, "MiB", rounds, "allowed", 64, 1, Good::at_most});
  return figures;
}

}  // namespace iotstream::bench
