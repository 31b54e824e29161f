// Commands that work on files and the data directory: check and import.
#include <cstdio>
#include <unistd.h>

#include <fmt/format.h>

#include <iotstream/base/json.hpp>
#include <iotstream/catalog/export.hpp>

#include "app/commands.hpp"
#include "app/rooms.hpp"

namespace iotstream::app {

namespace {

void print_report(const catalog::ImportReport& report) {
  if (report.unchanged) {
    fmt::print("{}: imported before, nothing changed\n", report.path);
    return;
  }
  const std::string span =
      report.first_time ? fmt::format(", {} to {}", format_rfc3339(*report.first_time), format_rfc3339(*report.last_time))
                        : std::string();
  fmt::print("{}: {} rows, {} columns ({} without any value), {}{}\n", report.path, report.rows, report.columns,
             report.columns_empty, report.time_column.empty() ? "no time column" : "times from '" + report.time_column + "'",
             span);
  if (report.rejected == 0) return;
  fmt::print("  {} rows could not be taken:\n", report.rejected);
  for (const catalog::RowProblem& problem : report.problems) fmt::print("  line {}: {}\n", problem.line, problem.reason);
  if (report.rejected > report.problems.size()) fmt::print("  … and {} more\n", report.rejected - report.problems.size());
}

/// `site=Lyon`, `floor=3`: a value that is a JSON scalar is that, anything else a text.
Status add_fact(const std::string& said, catalog::Facts& facts) {
  const std::size_t equals = said.find('=');
  if (equals == std::string::npos || equals == 0)
    return Error{ErrorKind::invalid, fmt::format("--fact '{}': write it as NAME=VALUE", said)};
  const std::string name = said.substr(0, equals);
  std::string value = said.substr(equals + 1);
  const auto scalar = catalog::facts_from_json(fmt::format("{{\"x\":{}}}", value));
  if (!scalar || scalar->size() != 1) {
    std::string text;
    json::append_string(text, value);
    value = std::move(text);
  }
  std::erase_if(facts, [&](const auto& fact) { return fact.first == name; });
  facts.emplace_back(name, std::move(value));
  return {};
}

/// The prototype to import into: as it is in the catalog, in the configuration, or new, with what the command line says on top.
Result<catalog::Prototype> prototype_for(const ImportArguments& arguments, const config::Config& config,
                                         catalog::Catalog& catalog) {
  catalog::Prototype prototype;
  prototype.code = arguments.prototype;
  if (auto known = catalog.find(arguments.prototype)) {
    prototype = std::move(*known);
  } else {
    for (const config::Prototype& configured : config.prototypes) {
      if (configured.code != arguments.prototype) continue;
      auto made = to_catalog(configured);
      if (!made) return made.error();
      prototype = std::move(*made);
    }
  }
  if (!arguments.label.empty()) prototype.label = arguments.label;
  if (!arguments.brand.empty()) prototype.brand = arguments.brand;
  if (!arguments.version.empty()) prototype.version = arguments.version;
  if (!arguments.dataset.empty()) prototype.dataset = arguments.dataset;
  if (prototype.dataset.empty()) prototype.dataset = prototype.code;
  for (const std::string& fact : arguments.facts)
    if (Status added = add_fact(fact, prototype.facts); !added) return added.error();
  if (!arguments.model.empty()) {
    config::Prototype from;
    from.code = prototype.code;
    from.model = arguments.model;
    auto read = to_catalog(from);
    if (!read) return read.error();
    prototype.model_xml = std::move(read->model_xml);
  }
  return prototype;
}

Result<catalog::CsvChoices> choices_of(const ImportArguments& arguments) {
  catalog::CsvChoices choices;
  if (arguments.separator == "tab")
    choices.separator = '\t';
  else if (arguments.separator.size() == 1 && std::string_view("\"\r\n").find(arguments.separator[0]) == std::string_view::npos)
    choices.separator = arguments.separator[0];
  else if (!arguments.separator.empty())
    return Error{ErrorKind::invalid, fmt::format("--separator is one character or tab, not '{}'", arguments.separator)};
  if (!arguments.time_column.empty()) choices.time_column = arguments.time_column == "-" ? "" : arguments.time_column;
  choices.date_order = arguments.date_order;
  return choices;
}

}  // namespace

ProgressBar::ProgressBar() : terminal_(::isatty(STDERR_FILENO) == 1) {}
ProgressBar::~ProgressBar() {
  if (shown_) std::fputs("\r\033[K", stderr);
}
void ProgressBar::show(const std::string& name, std::uint64_t done, std::uint64_t total) {
  if (!terminal_ || total == 0) return;
  constexpr std::size_t width = 30;
  const std::size_t filled = static_cast<std::size_t>(done * width / total);
  const std::string shown = name.size() > 40 ? "…" + name.substr(name.size() - 39) : name;
  fmt::print(stderr, "\r\033[K[{}{}] {:3} % {}", std::string(filled, '#'), std::string(width - filled, '.'), done * 100 / total,
             shown);
  std::fflush(stderr);
  shown_ = true;
}

std::optional<config::Config> load_config(const ConfigChoice& choice) {
  config::Loaded loaded = config::load(choice.file, choice.overrides);
  if (loaded.problems.empty()) return std::move(loaded.config);
  for (const config::Problem& problem : loaded.problems) fmt::print(stderr, "{}\n", problem.text());
  return std::nullopt;
}

int fail(const Error& error) {
  fmt::print(stderr, "iotstream: {}\n", error.message);
  return error.kind == ErrorKind::invalid || error.kind == ErrorKind::unprocessable ? 2 : 1;
}

int check(const ConfigChoice& choice) {
  const config::Loaded loaded = config::load(choice.file, choice.overrides);
  std::vector<std::string> problems;
  for (const config::Problem& problem : loaded.problems) problems.push_back(problem.text());
  for (const config::Prototype& prototype : loaded.config.prototypes) {
    auto model = to_catalog(prototype);
    // A model that cannot be read at all is among the file's problems already.
    if (!model && model.error().kind != ErrorKind::not_found) problems.push_back(model.error().message);
  }
  for (const std::string& problem : problems) fmt::print(stderr, "{}\n", problem);
  if (!problems.empty()) return 2;
  fmt::print("{}: good; {} prototypes, {} simulations\n", choice.file, loaded.config.prototypes.size(),
             loaded.config.simulations.size());
  return 0;
}

int import_files(const ImportArguments& arguments) {
  const auto config = load_config(arguments.config);
  if (!config) return 2;
  auto choices = choices_of(arguments);
  if (!choices) return fail(choices.error());
  auto files = config::expand(arguments.files);
  if (!files) return fail(files.error());
  auto rooms = Rooms::open(*config);
  if (!rooms) return fail(rooms.error());
  auto prototype = prototype_for(arguments, *config, *(*rooms)->catalog);
  if (!prototype) return fail(prototype.error());
  if (auto put = (*rooms)->catalog->put(*prototype); !put) return fail(put.error());

  std::string json_text;
  json::Writer writer(json_text);
  writer.begin_object().key("prototype").value(prototype->code).key("files").begin_array();
  int status = 0;
  for (const std::string& path : *files) {
    Result<catalog::ImportReport> report = [&] {
      ProgressBar bar;
      return (*rooms)->catalog->import_csv(
          prototype->code, path,
          [&](std::uint64_t done, std::uint64_t total) {
            bar.show(path, done, total);
            return true;
          },
          *choices);
    }();
    if (!report) {
      status = fail(Error{report.error().kind, fmt::format("{}: {}", path, report.error().message)});
      continue;
    }
    writer.begin_object();
    catalog::write_members(writer, *report);
    writer.end_object();
    if (!arguments.json) print_report(*report);
  }
  writer.end_array().end_object();
  if (arguments.json) fmt::print("{}\n", json_text);
  (*rooms)->close();
  return status;
}

}  // namespace iotstream::app
