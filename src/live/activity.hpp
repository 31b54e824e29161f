// What is known of datasets and devices from the stream: last seen, counts, rates.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <iotstream/live/hub.hpp>

namespace iotstream::live {

/// Events a second over the last ten seconds, exactly counted in buckets of one second.
class RateWindow {
 public:
  void add(std::int64_t now_ns, std::uint32_t events = 1);
  double rate(std::int64_t now_ns) const;

 private:
  static constexpr std::int64_t seconds = 10;
  std::array<std::uint32_t, seconds> counts_{};
  std::int64_t second_ = 0;  ///< of the newest bucket
  std::int64_t begin_ns_ = -1;
};

/// Position of a device in its dataset's table; `unknown_device` for those above the table's bound.
using DeviceNumber = std::uint32_t;
inline constexpr DeviceNumber unknown_device = 0xFFFF'FFFF;
/// More devices than this of one dataset are counted in its events only: keys come from outside, the table must not grow
/// without bound.
inline constexpr std::size_t devices_max = 65'535;

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

/// The hub's thread writes; snapshots are taken from any thread. One lock a batch.
class Activity {
 public:
  class Dataset {
   public:
    explicit Dataset(std::string dataset_name) : name(std::move(dataset_name)) {}
    const std::string name;

   private:
    friend class Activity;
    struct Device {
      const std::string* name;
      Timestamp last_seen;
      Timestamp last_arrival;
      std::uint64_t events = 0;
      RateWindow rate;
    };
    std::uint64_t events_ = 0;
    RateWindow rate_;
    std::unordered_map<std::string, DeviceNumber, TextHash, std::equal_to<>> numbers_;
    std::vector<Device> devices_;
  };

  /// Valid as long as the Activity.
  Dataset& add_dataset(std::string name);
  /// Counts `records` of a dataset and gives each its device; true when a device is new.
  bool note(Dataset& dataset, std::span<const log::Record> records, Timestamp now, std::int64_t now_ns,
            std::vector<DeviceNumber>& devices);

  std::vector<DeviceLive> devices(std::int64_t now_ns) const;
  std::vector<DatasetLive> datasets(std::int64_t now_ns) const;

 private:
  static DeviceNumber number_of(Dataset& dataset, std::string_view device);

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Dataset>> datasets_;
};

}  // namespace iotstream::live
