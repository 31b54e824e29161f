#include "bench/system/store.hpp"

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <thread>

#include <fmt/format.h>

#include <iotstream/catalog/schemas.hpp>
#include <iotstream/model/row.hpp>
#include <iotstream/os/clock.hpp>
#include <iotstream/sqlite/database.hpp>
#include <iotstream/store/history.hpp>

#include "bench/support/server_process.hpp"
#include "bench/support/timing.hpp"
#include "bench/system/log_workload.hpp"
#include "bench/system/store_machine.hpp"

namespace iotstream::bench {

namespace {

constexpr std::string_view dataset = "machine";
constexpr std::size_t columns = Machine::signals + 2;

std::string signal(std::size_t i) { return Machine::names()[i]; }

/// A log with the machine's readings, and the schema that they have.
class Source {
 public:
  static Result<std::unique_ptr<Source>> open(const std::string& directory) {
    auto source = std::make_unique<Source>();
    auto log = OwnLog::open(directory);
    if (!log) return log.error();
    source->log_ = std::move(*log);
    auto partition = source->log_->partition(dataset, log::Sync::none);
    if (!partition) return partition.error();
    source->partition_ = *partition;
    std::vector<model::FieldDraft> drafts;
    for (std::size_t i = 0; i < Machine::signals; ++i)
      drafts.push_back({signal(i), i < Machine::decimals_from ? model::FieldType::integer : model::FieldType::real, "", ""});
    auto schema = source->schemas.evolve(dataset, drafts, record_key, Timestamp{Machine::first_us});
    if (!schema) return schema.error();
    source->version_ = (*schema)->version();
    return source;
  }

  Status append(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      const Machine::Reading& reading = machine_.next();
      builder_.begin(version_, FactsId(0), 0);
      for (std::uint32_t field = 0; field < Machine::signals; ++field) {
        const double value = reading.values[field];
        field < Machine::decimals_from ? builder_.set_integer(FieldId(field), static_cast<std::int64_t>(value))
                                       : builder_.set_real(FieldId(field), value);
      }
      auto offset = bench::append(*partition_, reading.time, builder_.finish());
      if (!offset) return offset.error();
      last_ = reading.time;
      ++rows_;
    }
    return wait_for(*partition_, log::Watermark::durable, Offset(rows_));
  }

  Result<std::unique_ptr<store::History>> history(const std::string& directory) {
    config::Store options;
    options.retention_rows = {};
    std::filesystem::create_directories(directory);
    return store::History::open(directory, options, log_->log(), schemas, os::system_clock(), metrics_);
  }
  Timestamp from() const { return Timestamp{Machine::first_us}; }
  Timestamp to() const { return last_ + Duration{1}; }
  std::uint64_t rows() const { return rows_; }

  catalog::Schemas schemas;

 private:
  metrics::Table metrics_;
  std::unique_ptr<OwnLog> log_;
  log::Partition* partition_ = nullptr;
  SchemaVersion version_;
  Machine machine_;
  model::RowBuilder builder_;
  Timestamp last_;
  std::uint64_t rows_ = 0;
};

/// Seconds from the opening of a new history until all rows are in it.
Result<double> write_history(Source& source, const std::string& directory) {
  std::filesystem::remove_all(directory);
  const std::int64_t begin = now_ns();
  auto history = source.history(directory);
  if (!history) return history.error();
  if (auto drained = (*history)->drain(Duration::seconds(600)); !drained) return drained.error();
  const double seconds = seconds_since(begin);
  (*history)->stop();
  return seconds;
}

/// The limit: the same sixteen columns, already read, by one prepared insert, without index; 4,096 rows a transaction.
Result<double> write_bare(const std::string& path, const std::vector<Machine::Reading>& readings) {
  for (const char* ending : {"", "-wal", "-shm"}) std::filesystem::remove(path + ending);
  auto database = sqlite::Database::open(path, sqlite::OpenMode::read_write);
  if (!database) return database.error();
  std::string names = "time, device";
  std::string places = "?, ?";
  for (std::size_t i = 0; i < Machine::signals; ++i) {
    names += ", " + sqlite::quote_identifier(signal(i));
    places += ", ?";
  }
  if (Status made = database->execute(fmt::format("CREATE TABLE rows({})", names)); !made) return made.error();
  auto insert = database->prepare(fmt::format("INSERT INTO rows VALUES({})", places));
  if (!insert) return insert.error();
  const std::int64_t begin = now_ns();
  for (std::size_t row = 0; row < readings.size();) {
    auto transaction = sqlite::Transaction::begin(*database);
    if (!transaction) return transaction.error();
    for (const std::size_t end = std::min(readings.size(), row + 4096); row < end; ++row) {
      const Machine::Reading& reading = readings[row];
      insert->bind(1, reading.time.us).bind(2, std::int64_t{1});
      for (std::size_t i = 0; i < Machine::signals; ++i) {
        const int parameter = static_cast<int>(i) + 3;
        i < Machine::decimals_from ? insert->bind(parameter, static_cast<std::int64_t>(reading.values[i]))
                                   : insert->bind(parameter, reading.values[i]);
      }
      if (Status done = insert->run(); !done) return done.error();
    }
    if (Status committed = transaction->commit(); !committed) return committed.error();
  }
  return seconds_since(begin);
}

double size_of(const std::string& path) {
  std::error_code missing;
  const auto size = std::filesystem::file_size(path, missing);
  return missing ? 0 : static_cast<double>(size);
}

Status measure_writer(Source& source, const std::string& folder, std::uint64_t rounds, std::vector<Figure>& figures) {
  std::vector<Machine::Reading> readings;
  Machine machine;
  for (std::uint64_t i = 0; i < source.rows(); ++i) readings.push_back(machine.next());
  const auto rate = [&](const Result<double>& seconds) -> Result<double> {
    if (!seconds) return seconds.error();
    return static_cast<double>(source.rows()) / *seconds;
  };
  const std::string bare = folder + "/bare.db";
  auto turns = InTurns::run(
      rounds, [&] { return rate(write_history(source, folder + "/written")); },
      [&] { return rate(write_bare(bare, readings)); });
  if (!turns) return turns.error();
  figures.push_back(turns->figure(fmt::format("log to history with rollups and offsets, {} columns", columns), "rows/s",
                                  "a bare prepared insert of the same columns", 0.5, Good::at_least));
  const auto rows = static_cast<double>(source.rows());
  figures.push_back({"the bare table's bytes a row", size_of(bare) / rows, "B", 1, {}, 0, 0, Good::at_most});
  std::filesystem::remove_all(folder + "/written");
  for (const char* ending : {"", "-wal", "-shm"}) std::filesystem::remove(bare + ending);
  return {};
}

/// Milliseconds of one call.
template <class Ask>
Result<double> time_ms(Ask&& ask) {
  const std::int64_t begin = now_ns();
  auto answer = ask();
  if (!answer) return answer.error();
  return seconds_since(begin) * 1000;
}

template <class Ask>
Result<std::vector<double>> times_ms(std::uint64_t rounds, Ask&& ask) {
  std::vector<double> times;
  for (std::uint64_t i = 0; i < rounds; ++i) {
    auto ms = time_ms(ask);
    if (!ms) return ms.error();
    times.push_back(*ms);
  }
  return times;
}

class Questions {
 public:
  Questions(Source& source, store::History& history, std::string path, std::uint64_t rounds)
      : source_(source), history_(history), path_(std::move(path)), rounds_(rounds) {}

  Result<store::Series> thousand_points() const {
    store::SeriesQuery query;
    query.dataset = dataset;
    query.fields = {FieldId(10)};
    query.aggregates = {store::Aggregate::avg};
    query.from = source_.from();
    query.to = source_.to();
    // As an answer of about a thousand points is made over HTTP: whole minutes, here.
    const std::int64_t minutes = std::max<std::int64_t>(1, (query.to - query.from).us / 1000 / 60'000'000);
    query.interval = Duration{minutes * 60'000'000};
    return history_.series(query);
  }

  Status measure(std::vector<Figure>& figures) {
    for (const auto part :
         {&Questions::measure_series, &Questions::measure_m4, &Questions::measure_window, &Questions::measure_filter}) {
      if (auto measured = (this->*part)(figures); !measured) return measured;
    }
    return {};
  }

 private:
  Status measure_series(std::vector<Figure>& figures) {
    auto ours = times_ms(rounds_, [&] { return thousand_points(); });
    if (!ours) return ours.error();
    figures.push_back(beside_target(fmt::format("series: 1,000 points of avg over {} rows, p50", source_.rows()), *ours, "ms",
                                    20, Good::at_most));
    auto group_by = times_ms(1, [&]() -> Result<std::uint64_t> {
      return run_bare("SELECT time / 300000000, avg(\"oil_temperature\") FROM events_machine GROUP BY 1");
    });
    if (!group_by) return group_by.error();
    figures.push_back({"the same by SQLite's GROUP BY of the rows", median(*group_by), "ms", 1, {}, 0, 0, Good::at_most});
    return {};
  }

  Status measure_m4(std::vector<Figure>& figures) {
    store::M4Query query;
    query.dataset = dataset;
    query.fields = {FieldId(9)};
    query.from = source_.from();
    query.to = source_.to();
    query.columns = 1000;
    auto ours = times_ms(rounds_, [&] { return history_.m4(query); });
    if (!ours) return ours.error();
    figures.push_back(
        beside_target(fmt::format("m4: 1,000 pixels over {} rows, p50", source_.rows()), *ours, "ms", 50, Good::at_most));
    return {};
  }

  Status measure_window(std::vector<Figure>& figures) {
    store::EventQuery query;
    query.dataset = dataset;
    query.from = source_.from() + Duration{(source_.to() - source_.from()).us / 2};
    query.fields = {FieldId(3), FieldId(9), FieldId(10), FieldId(12)};
    query.newest_first = false;
    query.limit = 10'000;
    double sum = 0;
    auto ours = times_ms(rounds_, [&] {
      return history_.events(query, [&](const store::Event& event) {
        for (const auto& [field, value] : *event.values) sum += value.as_double();
        return true;
      });
    });
    if (!ours) return ours.error();
    if (sum == 0) return Error{ErrorKind::corrupt, "the window has no numbers"};
    figures.push_back(beside_target("events: a window of 10,000 rows, 4 fields, p50", *ours, "ms", 10, Good::at_most));
    return {};
  }

  Status measure_filter(std::vector<Figure>& figures) {
    const query::Scope scope{*source_.schemas.current(dataset), {}, source_.to()};
    auto bound = query::compile("oil_temperature > 58 and gear = 126 and \"pressure high\" >= 32858", scope);
    if (!bound) return bound.error();
    store::EventQuery query;
    query.dataset = dataset;
    query.limit = 100'000'000;
    query.newest_first = false;
    query.where = std::make_shared<const query::Bound>(std::move(*bound));
    std::uint64_t found = 0;
    std::uint64_t bare = 0;
    const auto rate = [&](double seconds) { return static_cast<double>(source_.rows()) / seconds; };
    auto turns = InTurns::run(
        std::min<std::uint64_t>(rounds_, 5),
        [&]() -> Result<double> {
          found = 0;
          const std::int64_t begin = now_ns();
          auto page = history_.events(query, [&](const store::Event&) { return ++found > 0; });
          if (!page) return page.error();
          return rate(seconds_since(begin));
        },
        [&]() -> Result<double> {
          const std::int64_t begin = now_ns();
          auto rows = run_bare(
              "SELECT * FROM events_machine WHERE \"oil_temperature\" > 58 AND \"gear\" = 126 AND \"pressure high\" >= 32858 "
              "ORDER BY time, partition, offset");
          if (!rows) return rows.error();
          bare = *rows;
          return rate(seconds_since(begin));
        });
    if (!turns) return turns.error();
    if (found != bare) return Error{ErrorKind::corrupt, fmt::format("the filter finds {} events, SQLite {}", found, bare)};
    note(fmt::format("the filter finds {} of {} events", found, source_.rows()));
    figures.push_back(turns->figure("events: a filter of three comparisons", "rows/s",
                                    "SQLite with the same comparisons written by hand", 0.7, Good::at_least));
    return {};
  }

  /// Steps through all rows; how many.
  Result<std::uint64_t> run_bare(std::string_view sql) {
    auto database = sqlite::Database::open(path_, sqlite::OpenMode::read_only);
    if (!database) return database.error();
    auto statement = database->prepare(sql);
    if (!statement) return statement.error();
    for (std::uint64_t rows = 0;; ++rows) {
      auto row = statement->step();
      if (!row) return row.error();
      if (!*row) return rows;
    }
  }

  Source& source_;
  store::History& history_;
  std::string path_;
  std::uint64_t rounds_;
};

/// The same question while nothing is written and while the writer has as much to do as it can.
Status measure_beside_writer(Source& source, const Questions& questions, std::uint64_t rounds, std::uint64_t more,
                             std::vector<Figure>& figures) {
  auto alone = times_ms(rounds, [&] { return questions.thousand_points(); });
  if (!alone) return alone.error();
  std::atomic<bool> stopping{false};
  std::atomic<bool> failed{false};
  std::thread writer([&] {
    while (!stopping && !failed) {
      if (!source.append(more)) failed = true;
    }
  });
  sleep_for_ms(50);
  auto beside = times_ms(rounds, [&] { return questions.thousand_points(); });
  stopping = true;
  writer.join();
  if (!beside) return beside.error();
  if (failed) return Error{ErrorKind::io, "the log took no more"};
  figures.push_back({"the thousand points beside a full-speed writer, p50", median(*beside), "ms", rounds, "without it",
                     median(*alone), 3, Good::at_most});
  return {};
}

}  // namespace

Result<std::vector<Figure>> store_suite(const Options& options) {
  const TemporaryFolder folder;
  const std::uint64_t rows = options.quick ? 20'000 : 5'000'000;
  const std::uint64_t rounds = options.quick ? 2 : 21;
  std::vector<Figure> figures;
  {
    auto small = Source::open(folder.path() + "/small");
    if (!small) return small.error();
    if (auto appended = (*small)->append(options.quick ? 10'000 : 300'000); !appended) return appended.error();
    if (auto measured = measure_writer(**small, folder.path(), options.quick ? 1 : 5, figures); !measured)
      return measured.error();
  }
  std::filesystem::remove_all(folder.path() + "/small");

  auto source = Source::open(folder.path() + "/log");
  if (!source) return source.error();
  if (auto appended = (*source)->append(rows); !appended) return appended.error();
  const std::string directory = folder.path() + "/history";
  auto history = (*source)->history(directory);
  if (!history) return history.error();
  if (auto drained = (*history)->drain(Duration::seconds(600)); !drained) return drained.error();
  // Closed and opened once, so that all of it is in the file.
  (*history)->stop();
  history = (*source)->history(directory);
  if (!history) return history.error();
  const std::string path = directory + "/history.db";
  figures.push_back({"bytes on disk a row, with index and rollups, at 10 Hz", size_of(path) / static_cast<double>(rows), "B", 1,
                     "target", 90, 1, Good::at_most});
  Questions questions(**source, **history, path, rounds);
  if (auto measured = questions.measure(figures); !measured) return measured.error();
  if (auto measured = measure_beside_writer(**source, questions, rounds, options.quick ? 1000 : 20'000, figures); !measured)
    return measured.error();
  (*history)->stop();
  return figures;
}

}  // namespace iotstream::bench
