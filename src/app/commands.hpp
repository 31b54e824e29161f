// The commands of the program: each returns its exit status (0 done, 1 failed, 2 wrong usage or configuration) and says errors
// on stderr, one sentence each.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <iotstream/config/config.hpp>

namespace iotstream::app {

/// Where a command finds its configuration.
struct ConfigChoice {
  std::string file = "config/iotstream.toml";
  std::vector<std::string> overrides;
};

/// The configuration, or nothing after having said every problem on stderr (exit status 2).
std::optional<config::Config> load_config(const ConfigChoice& choice);

/// Says `iotstream: message` on stderr; returns the exit status that belongs to the error.
int fail(const Error& error);

int run_server(const ConfigChoice& choice);
int check(const ConfigChoice& choice);

struct ImportArguments {
  ConfigChoice config;
  std::string prototype;
  std::string model;
  std::string label;
  std::string brand;
  std::string version;
  std::string dataset;
  std::vector<std::string> files;
  bool json = false;
};
int import_files(const ImportArguments& arguments);

/// What the looking commands share: a server's address, or (without one, when no server answers at the configured address) the
/// data directory.
struct LookArguments {
  ConfigChoice config;
  std::string url;
  bool json = false;
};
int list_topics(const LookArguments& arguments);
int list_groups(const LookArguments& arguments);
int list_datasets(const LookArguments& arguments);
int list_prototypes(const LookArguments& arguments);
int list_devices(const LookArguments& arguments);

struct TailArguments {
  LookArguments look;
  std::string topic;
  std::optional<std::uint32_t> partition;
  std::string from = "latest";
  std::optional<std::uint64_t> limit;
  // With any of these it is a replay: by event time, over all partitions.
  std::string to;
  std::string speed;
  std::string device;
  std::string gap;
  bool replays() const { return !to.empty() || !speed.empty() || !device.empty() || !gap.empty(); }
};
int tail(const TailArguments& arguments);

struct RejectedArguments {
  LookArguments look;
  std::string dataset;  ///< empty: readings that name none
  std::uint64_t limit = 100;
  bool resend = false;
  bool dismiss = false;
};
int rejected(const RejectedArguments& arguments);

/// Checks log and history: of a server, or of a directory that nobody has open, of which not a byte is changed. 0 only if all
/// holds.
int verify(const LookArguments& arguments);

struct SendArguments {
  LookArguments look;
  std::string dataset;
  std::string file = "-";
};
int send(const SendArguments& arguments);

/// A completion script for `shell` (bash, zsh or fish) on stdout.
int completion(const std::string& shell, const std::vector<std::pair<std::string, std::vector<std::string>>>& commands);

/// A progress bar on stderr, when that is a terminal.
class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar();
  void show(const std::string& name, std::uint64_t done, std::uint64_t total);

 private:
  bool terminal_;
  bool shown_ = false;
};

}  // namespace iotstream::app
