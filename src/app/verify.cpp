// `iotstream verify`: whether all that is stored holds.
#include <cstdio>
#include <simdjson.h>

#include <fmt/format.h>

#include <iotstream/base/time.hpp>
#include <iotstream/http/api.hpp>
#include <iotstream/os/clock.hpp>
#include <iotstream/os/disk.hpp>
#include <iotstream/os/process.hpp>

#include "app/look.hpp"

namespace iotstream::app {

namespace {

using simdjson::dom::element;

std::uint64_t number(element object, const char* name) {
  std::uint64_t value = 0;
  return object[name].get(value) == simdjson::SUCCESS ? value : 0;
}

std::string_view text(element object, const char* name) {
  std::string_view value;
  return object[name].get(value) == simdjson::SUCCESS ? value : std::string_view();
}

bool has(element object, const char* name) { return object[name].error() == simdjson::SUCCESS; }

/// Reads the lines of a verification as they come.
class VerifyReader {
 public:
  explicit VerifyReader(bool json) : json_(json) {}

  bool take(std::string_view piece) {
    rest_ += piece;
    for (std::size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n')) {
      line(rest_.substr(0, end));
      rest_.erase(0, end + 1);
    }
    return true;
  }

  /// The exit status, after the last piece.
  int finish() {
    bar_.reset();
    if (report_.empty()) return fail(Error{ErrorKind::unavailable, "the verification ended before it was done"});
    if (json_) fmt::print("{{\"findings\":[{}],\"report\":{}}}\n", findings_, report_);
    return ok_ ? 0 : 1;
  }

 private:
  void line(const std::string& text) {
    simdjson::dom::parser parser;
    element document;
    element part;
    if (parser.parse(text).get(document) != simdjson::SUCCESS) return;
    if (document["finding"].get(part) == simdjson::SUCCESS) finding(part);
    if (document["progress"].get(part) == simdjson::SUCCESS && bar_)
      bar_->show("verifying", std::min(number(part, "bytes"), number(part, "bytes_expected")), number(part, "bytes_expected"));
    if (document["report"].get(part) == simdjson::SUCCESS) report(part);
  }

  void finding(element part) {
    if (json_) {
      if (!findings_.empty()) findings_ += ',';
      findings_ += simdjson::minify(part);
      return;
    }
    std::string place;
    const auto add = [&place](const std::string& more) { place += (place.empty() ? "" : ", ") + more; };
    if (has(part, "topic")) add(fmt::format("topic {}", text(part, "topic")));
    if (has(part, "partition")) add(fmt::format("partition {}", number(part, "partition")));
    if (has(part, "first")) add(fmt::format("offsets {} to {}", number(part, "first"), number(part, "next") - 1));
    if (has(part, "file")) add(fmt::format("{} byte {}", text(part, "file"), number(part, "position")));
    // A line of its own, not one behind the bar.
    bar_.reset();
    fmt::print("{}: {}: {}\n", text(part, "kind"), place, text(part, "what"));
    bar_.emplace();
  }

  void report(element part) {
    report_ = simdjson::minify(part);
    bool ok = false;
    ok_ = part["ok"].get(ok) == simdjson::SUCCESS && ok;
    bar_.reset();
    if (json_) return;
    fmt::print("{} topics, {} partitions, {} segments, {} batches, {} records ({}), {} indexes and {} without, {} groups\n",
               number(part, "topics"), number(part, "partitions"), number(part, "segments"), number(part, "batches"),
               number(part, "records"), format_size(number(part, "bytes")), number(part, "indexes"),
               number(part, "indexes_absent"), number(part, "groups"));
    fmt::print("history: {} datasets, {} rows\n", number(part, "datasets"), number(part, "rows"));
    ok_ ? fmt::print("all holds\n") : fmt::print("{} places are damaged\n", number(part, "damage"));
  }

  bool json_;
  std::optional<ProgressBar> bar_{std::in_place};
  std::string rest_;
  std::string findings_;
  std::string report_;
  bool ok_ = false;
};

/// Of a directory that nobody has open; nobody can open it to write meanwhile.
Status verify_stopped(const config::Config& config, VerifyReader& reader) {
  if (!os::real_disk().exists(config.data_dir + "/log"))
    return Error{ErrorKind::unavailable, fmt::format("no iotstream answers at {}, and there is no data in '{}'",
                                                     config.server.listen.front().text(), config.data_dir)};
  auto lock = os::DirectoryLock::acquire_shared(config.data_dir);
  if (!lock) return lock.error();
  auto verification = store::Verification::create(
      os::real_disk(), {config.data_dir, config.store.retention_rows, os::system_clock().now(), nullptr});
  const auto stream = http::verify_stream(std::move(verification), 0);
  return pump(stream.get(), [&](std::string_view piece) { return reader.take(piece); });
}

}  // namespace

int verify(const LookArguments& arguments) {
  const auto config = load_config(arguments.config);
  if (!config) return 2;
  auto server = open_server(arguments, *config);
  if (!server) return fail(server.error());
  VerifyReader reader(arguments.json);
  const Status done = *server != nullptr
                          ? (*server)->stream("/api/v1/verify", [&](std::string_view piece) { return reader.take(piece); })
                          : verify_stopped(*config, reader);
  if (!done) return fail(done.error());
  return reader.finish();
}

}  // namespace iotstream::app
