// A Disk in memory for tests: it forgets what was not synced, tears writes at sectors, fills up, and fails on demand.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <iotstream/os/disk.hpp>

namespace iotstream::test {

/// Any thread. Files stay usable after the disk is gone.
class MemoryDisk final : public os::Disk {
 public:
  enum class Kind : unsigned char {
    open,
    create,
    read,
    write,
    allocate,
    sync,
    truncate,
    rename,
    remove,
    make_directory,
    sync_directory
  };
  struct Operation {
    Kind kind;
    std::uint64_t node = 0;  ///< the file, whatever it is called by now; 0 for operations on names
    std::string path;        ///< of the name, or under which the file was opened
    std::string to;          ///< of a rename
    std::uint64_t position = 0;
    std::uint64_t length = 0;
    std::vector<std::byte> bytes;
  };

  MemoryDisk();
  ~MemoryDisk() override;

  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override;
  Status create_directories(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  bool exists(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;

  /// Asked before each operation but exists(), list() and size(); an error is returned in its place. A failed write may leave a
  /// part, a failed sync leaves its bytes for ever un-synced, though later syncs succeed. Called under no lock.
  void set_fault(std::function<std::optional<Error>(Kind kind, const std::string& path)> fault);
  /// disk_full once the files together would pass it.
  void set_capacity(std::uint64_t bytes);

  /// From now on every changing operation is kept, in order, with markers that note() puts in between.
  void record();
  void note(std::function<void()> marker);
  struct Step {
    Operation operation;
    std::function<void()> marker;  ///< set: this step is a note
  };
  std::vector<Step> recorded() const;
  /// Does what was recorded once more, on this disk.
  void replay(const Operation& operation);

  /// What a sector holds that its file was extended over, when the file's size has reached the medium and its data has not.
  enum class Stale : unsigned char {
    zeros,
    own,    ///< what was there before the file was cut, or before an earlier loss of power took its size back
    other,  ///< the same place of another file, also of a removed one
    noise,
  };
  /// What a loss of power now could leave: each sector that was written or reserved since its file's last sync is old, new, or
  /// as it was in between, by itself; sizes likewise; each change of a folder since its last sync has happened or not, renames
  /// before their data included. `keep` in percent is how likely the new is.
  std::shared_ptr<MemoryDisk> after_power_cut(std::mt19937_64& random, unsigned keep = 50, Stale stale = Stale::zeros) const;
  /// What a killed process leaves: the content as it is now, and what was not synced is still not: a later loss of power may
  /// take it.
  std::shared_ptr<MemoryDisk> copy() const;

  // For tests that damage files.
  std::vector<std::byte> content(const std::string& path) const;
  void set_content(const std::string& path, std::vector<std::byte> bytes);
  void flip(const std::string& path, std::uint64_t position, unsigned char mask = 1);
  std::vector<std::string> paths() const;
  std::uint64_t size_of(const std::string& path) const;
  std::uint64_t count(Kind kind) const;

 private:
  static constexpr std::uint64_t sector = 512;
  static constexpr std::size_t versions_max = 3;
  using Sector = std::array<std::byte, sector>;
  struct Node {
    std::uint64_t id = 0;
    std::vector<std::byte> now;
    std::vector<std::byte> synced;
    /// Sectors that were written since the last sync, with contents that they had in between.
    std::map<std::uint64_t, std::vector<Sector>> dirty;
    std::vector<std::uint64_t> sizes;   ///< that the file had since the last sync, but for the present one
    std::vector<std::byte> ghost;       ///< what the medium holds behind the end of the file
    std::set<std::uint64_t> abandoned;  ///< dirty when a sync failed: later syncs do not write them
    std::string path;
  };
  struct Change {  ///< of names, not yet synced
    std::string directory;
    std::string path;
    std::string to;
    std::shared_ptr<Node> node;  ///< created or renamed; none: removed
    bool folder = false;         ///< `to` is a new folder
  };
  struct Names;
  class MemoryFile;
  class Weather;
  struct State;

  std::shared_ptr<State> state_;
};

}  // namespace iotstream::test
