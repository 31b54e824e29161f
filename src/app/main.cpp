// The command line.
#include <cstdio>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>
#include <iotstream/base/time.hpp>

#include "app/commands.hpp"
#include "app/questions.hpp"
#include "bench/support/bench.hpp"

namespace iotstream::app {

namespace {

constexpr const char* description =
    "iotstream: simulated and real devices in; a durable log, history and live charts out; one process.\n"
    "  ./iotstream --config config/iotstream.toml    everything, until SIGINT or SIGTERM\n";
constexpr const char* footer =
    "Exit status: 0 done, 1 failed, 2 wrong usage or configuration.\n"
    "The looking commands ask the server at --url, else the one at the configured address, else (no server there) the data "
    "directory itself.";

void add_config(CLI::App& command, ConfigChoice& choice) {
  command.add_option("--config", choice.file, "configuration file")->capture_default_str()->type_name("FILE");
  command.add_option("--set", choice.overrides, "overrides a key: --set log.partitions=8")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

void add_look(CLI::App& command, LookArguments& look) {
  add_config(command, look.config);
  command.add_option("--url", look.url, "the server, as http://127.0.0.1:8080")->type_name("URL");
  command.add_flag("--json", look.json, "JSON in place of a table");
}

/// Names and options of all commands, for the completion scripts.
std::vector<std::pair<std::string, std::vector<std::string>>> words(const CLI::App& app) {
  std::vector<std::pair<std::string, std::vector<std::string>>> commands;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    std::vector<std::string> options;
    for (const CLI::Option* option : command->get_options()) {
      for (const std::string& name : option->get_lnames()) options.push_back("--" + name);
    }
    commands.emplace_back(command->get_name(), std::move(options));
  }
  return commands;
}

int main_of(int argc, char** argv) {
  CLI::App app(description, "iotstream");
  app.footer(footer);
  app.set_version_flag("--version", "iotstream " IOTSTREAM_VERSION);
  app.require_subcommand(0, 1);
  std::string level = "info";
  app.add_option("--diagnostics", level, "lowest level printed on stderr: debug, info, warning, error, off")
      ->capture_default_str()
      ->type_name("LEVEL");
  ConfigChoice root;
  add_config(app, root);
  int status = 2;

  ConfigChoice run_choice;
  CLI::App* run = app.add_subcommand("run", "everything in one process (the default)");
  add_config(*run, run_choice);
  run->callback([&] { status = run_server(run_choice); });

  ConfigChoice check_choice;
  CLI::App* check_command =
      app.add_subcommand("check", "validates configuration, models and paths; lists every problem with its place");
  add_config(*check_command, check_choice);
  check_command->callback([&] { status = check(check_choice); });

  ImportArguments import;
  CLI::App* import_command = app.add_subcommand("import", "loads CSV files into the catalog, for simulated devices to replay");
  add_config(*import_command, import.config);
  import_command
      ->add_option("--prototype", import.prototype, "code of the prototype whose rows these are; created when it is new")
      ->required()
      ->type_name("CODE");
  import_command->add_option("--model", import.model, "its model, a MySQL `desc TABLE --xml` document")->type_name("FILE");
  import_command->add_option("--label", import.label, "its label");
  import_command->add_option("--brand", import.brand, "its brand");
  import_command->add_option("--version", import.version, "its version");
  import_command->add_option("--dataset", import.dataset, "its dataset (DatasetType); the code by default");
  import_command->add_option("--separator", import.separator,
                             "between cells: one character, or tab; found by itself otherwise");
  import_command->add_option("--time-column", import.time_column, "name of the column of times, - for none; found otherwise")
      ->type_name("NAME");
  import_command->add_option("--date-order", import.date_order, "which number comes first in 3/4/2022; found otherwise")
      ->check(CLI::IsMember({"day", "month"}));
  import_command->add_option("--fact", import.facts, "a further member of its events: --fact site=Lyon")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  import_command->add_flag("--json", import.json, "the reports as JSON");
  import_command->add_option("CSV", import.files, "CSV files, or patterns")->required();
  import_command->callback([&] { status = import_files(import); });

  LookArguments look;
  struct Looking {
    const char* name;
    const char* help;
    int (*command)(const LookArguments&);
  };
  constexpr Looking lookings[] = {{"topics", "topics and their partitions", list_topics},
                                  {"prototypes", "prototypes", list_prototypes},
                                  {"devices", "devices: state, rate, last seen", list_devices}};
  for (const Looking& looking : lookings) {
    CLI::App* command = app.add_subcommand(looking.name, looking.help);
    add_look(*command, look);
    command->callback([&status, &look, run_command = looking.command] { status = run_command(look); });
  }

  GroupsArguments groups_arguments;
  std::uint32_t group_partition = 0;
  CLI::App* groups_command = app.add_subcommand("groups", "consumer groups: members, committed offsets, lag; and their reset");
  add_look(*groups_command, groups_arguments.look);
  groups_command->add_option("GROUP", groups_arguments.group, "only this one, with its members");
  CLI::Option* reset_option =
      groups_command->add_option("--reset", groups_arguments.reset, "goes on at earliest, latest, an offset, a time, or -5m")
          ->type_name("WHERE");
  CLI::Option* topic_option =
      groups_command->add_option("--topic", groups_arguments.topic, "resets only this topic")->needs(reset_option);
  CLI::Option* group_partition_option =
      groups_command->add_option("--partition", group_partition, "resets only this one")->type_name("N")->needs(topic_option);
  groups_command->add_flag("--force", groups_arguments.force, "resets although there are members; they join again")
      ->needs(reset_option);
  groups_command->add_flag("--delete", groups_arguments.remove, "forgets what the group has committed")->excludes(reset_option);
  groups_command->callback([&] {
    if (group_partition_option->count() > 0) groups_arguments.partition = group_partition;
    status = groups(groups_arguments);
  });

  DatasetsArguments datasets_arguments;
  CLI::App* datasets_command =
      app.add_subcommand("datasets", "datasets: fields, devices, events, rate; one with its fields and what did not fit them");
  add_look(*datasets_command, datasets_arguments.look);
  CLI::Option* dataset_option =
      datasets_command->add_option("DATASET", datasets_arguments.dataset, "only this one, with fields");
  CLI::Option* compatibility_option =
      datasets_command
          ->add_option("--compatibility", datasets_arguments.compatibility,
                       "sets which drift of its data it takes: adaptive (all), additive (new fields), strict (none)")
          ->check(CLI::IsMember({"adaptive", "additive", "strict"}))
          ->needs(dataset_option);
  datasets_command
      ->add_option("--format", datasets_arguments.format, "its schema as xml (a model to import) or jsonschema (2020-12)")
      ->check(CLI::IsMember({"xml", "jsonschema"}))
      ->needs(dataset_option)
      ->excludes(compatibility_option);
  datasets_command->callback([&] { status = datasets(datasets_arguments); });

  TailArguments tail_arguments;
  std::uint32_t partition = 0;
  std::uint64_t limit = 0;
  CLI::App* tail_command = app.add_subcommand("tail", "events of a topic as JSON lines; follows unless --limit is reached");
  add_look(*tail_command, tail_arguments.look);
  tail_command->add_option("TOPIC", tail_arguments.topic, "topic")->required();
  CLI::Option* partition_option = tail_command->add_option("--partition", partition, "only this one")->type_name("N");
  tail_command->add_option("--from", tail_arguments.from, "earliest, latest, an offset, a time, or -5m")->capture_default_str();
  CLI::Option* limit_option = tail_command->add_option("--limit", limit, "ends after so many")->type_name("N");
  tail_command->add_option("--to", tail_arguments.to, "replay: ends before this event time")->type_name("TIME");
  tail_command
      ->add_option("--speed", tail_arguments.speed,
                   "replay: 0.1 to 1000 times the recorded pace; max: as fast as possible (default)")
      ->type_name("N");
  tail_command->add_option("--device", tail_arguments.device, "replay: only of this device")->type_name("NAME");
  tail_command->add_option("--gap", tail_arguments.gap, "replay: silences that are longer are shortened to this, as 5s")
      ->type_name("DURATION");
  tail_command->footer(
      "With --to, --speed, --device or --gap the records come by event time, in the pace they were recorded in: see "
      "docs/replay.md.");
  tail_command->callback([&] {
    if (partition_option->count() > 0) tail_arguments.partition = partition;
    if (limit_option->count() > 0) tail_arguments.limit = limit;
    status = tail(tail_arguments);
  });

  RejectedArguments rejected_arguments;
  CLI::App* rejected_command =
      app.add_subcommand("rejected", "readings that could not be taken: why, from whom; sent again with --resend");
  add_look(*rejected_command, rejected_arguments.look);
  rejected_command->add_option("DATASET", rejected_arguments.dataset, "dataset; without it those that name none");
  rejected_command->add_option("--limit", rejected_arguments.limit, "at most so many, newest first")
      ->capture_default_str()
      ->type_name("N");
  CLI::Option* resend_flag =
      rejected_command->add_flag("--resend", rejected_arguments.resend, "sends all of them through the gate again");
  rejected_command->add_flag("--dismiss", rejected_arguments.dismiss, "takes all of them off the list")->excludes(resend_flag);
  rejected_command->callback([&] { status = rejected(rejected_arguments); });

  QueryArguments query_arguments;
  CLI::App* query_command =
      app.add_subcommand("query", "one reading SQL statement over history and catalog: query \"SELECT …\"");
  add_look(*query_command, query_arguments.look);
  query_command->add_option("SQL", query_arguments.sql, "SELECT … in SQLite's dialect; docs/questions.md names the tables")
      ->required();
  query_command->add_option("--limit", query_arguments.limit, "at most so many rows")->capture_default_str()->type_name("N");
  query_command->add_option("--timeout", query_arguments.timeout, "ended after this (10s; at most 60s)")->type_name("DURATION");
  query_command->add_flag("--csv", query_arguments.csv, "CSV in place of a table")
      ->excludes(query_command->get_option("--json"));
  query_command->callback([&] { status = query(query_arguments); });

  ReportArguments report_arguments;
  CLI::App* report_command =
      app.add_subcommand("report", "CSV files side by side as one HTML page with pictures, which opens without a server");
  report_command->add_option("FILE", report_arguments.files, "CSV files, or patterns")->required();
  report_command->add_option("--output,-o", report_arguments.output, "the page; - for standard output")
      ->required()
      ->type_name("FILE");
  report_command->add_option("--title", report_arguments.title, "its heading");
  report_command->callback([&] { status = report(report_arguments); });

  LookArguments verify_arguments;
  CLI::App* verify_command = app.add_subcommand(
      "verify", "checks every segment, index, mark and group offset, and history against the log; changes nothing");
  add_look(*verify_command, verify_arguments);
  verify_command->footer("Exit status 0 only if all holds. What is damaged is named with its file, byte and offsets.");
  verify_command->callback([&] { status = verify(verify_arguments); });

  SendArguments send_arguments;
  CLI::App* send_command = app.add_subcommand("send", "NDJSON to a server, with the errors of each line");
  add_look(*send_command, send_arguments.look);
  send_command->add_option("DATASET", send_arguments.dataset, "dataset")->required();
  send_command->add_option("FILE", send_arguments.file, "a file, or - for standard input")->capture_default_str();
  send_command->callback([&] { status = send(send_arguments); });

  bench::Options bench_options;
  CLI::App* bench_command =
      app.add_subcommand("bench", "the benchmark suite: each figure beside its limit, measured in the same run");
  bench_command->add_option("NAME", bench_options.names, "which: " + bench::names() + " (all by default)");
  bench_command->add_option("--json", bench_options.json_file, "writes the results to this file")->type_name("FILE");
  bench_command->add_option("--import-bytes", bench_options.import_bytes, "size of the CSV file that import loads")
      ->capture_default_str()
      ->type_name("BYTES");
  bench_command->add_flag("--quick", bench_options.quick, "each for a moment only: that it runs, not how fast");
  std::string stored_size;
  bench_command->add_option("--size", stored_size, "what benchmarks of much stored data store, when there is room (10GiB)")
      ->type_name("SIZE");
  bench_command->callback([&] {
    if (!stored_size.empty()) {
      auto size = parse_size(stored_size);
      if (!size) throw CLI::ValidationError("--size", size.error().message);
      bench_options.stored_size = *size;
    }
    diagnostics::set_level(diagnostics::Level::warning);
    status = bench::run(bench_options);
  });

  std::string shell;
  CLI::App* completion_command = app.add_subcommand("completion", "a completion script on stdout: bash, zsh or fish");
  completion_command->add_option("SHELL", shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion_command->callback([&] { status = completion(shell, words(app)); });

  app.parse_complete_callback([&] {
    if (diagnostics::set_level(std::string_view(level))) return;
    throw CLI::ValidationError("--diagnostics", "'" + level + "' is none of debug, info, warning, error, off");
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // --help and --version come this way too, with exit status 0.
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (app.get_subcommands().empty()) {
    if (app.get_option("--config")->count() == 0) {
      fmt::print(
          stderr,
          "iotstream: say which configuration, as iotstream --config config/iotstream.toml; --help lists the commands\n");
      return 2;
    }
    return run_server(root);
  }
  return status;
}

}  // namespace

}  // namespace iotstream::app

int main(int argc, char** argv) { return iotstream::app::main_of(argc, argv); }
