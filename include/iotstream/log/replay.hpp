// A range of time, delivered once more at the pace at which it was recorded, or faster, or slower: the base of the dashboard's
// time travel and of "what would this rule have done".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <iotstream/base/ids.hpp>
#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/log/log.hpp>
#include <iotstream/metrics/metrics.hpp>
#include <iotstream/os/clock.hpp>

namespace iotstream::log {

inline constexpr double replay_speed_min = 0.1;
inline constexpr double replay_speed_max = 1000;

struct ReplayOptions {
  std::optional<Timestamp> from;  ///< first event time, inclusive; nothing: from the earliest record that is kept
  std::optional<Timestamp> to;    ///< last event time, exclusive; nothing: everything from `from` on
  double speed = 1;               ///< replay_speed_min … replay_speed_max times the recorded pace; 0: as fast as possible
  std::optional<PartitionId> partition;  ///< only this one
  std::string key;                       ///< only records of this key (device); empty: all
  Duration gap_max;                      ///< silences of the recording that are longer are shortened to this; 0: none is
  bool follow = false;                   ///< after the last record: wait for more, until `to` when there is one
  std::size_t memory_max = 8u << 20;     ///< bytes of records held at a time, about
};

/// Re-delivers the records of [from, to) of one topic, in order of event time; equal times in order of partition, then offset.
/// Every record that was durable at the start (or at the last seek) and is still kept is delivered exactly once, and the same
/// range of the same log comes in the same order every time.
///
/// Recordings are not sorted by event time: clocks run backwards, devices send what they had stored. Within each segment
/// records are put in order over a window (a share of memory_max, at most 256 KiB of records); segments whose times overlap are
/// read side by side, up to four of a partition. What stands further out of place than that is not lost: it comes as soon as it
/// is found, marked `late`.
///
/// It is pulled: next() says what is due now, or when to ask again. So it has no thread of its own, and as many as one likes
/// can run at a time; a caller parks in whatever way is its own. Nothing is delivered before it is due; a caller that comes
/// late gets all that is overdue at once. One thread at a time. The topic's log, the clock and the metrics outlive it.
class Replay {
 public:
  enum class State : unsigned char {
    record,   ///< Step::record is due now
    later,    ///< nothing is due before Step::due_ns, or (when that has passed) there is more to read: ask again then
    waiting,  ///< only with `follow`: all is delivered; ask again when the topic's durable watermark has moved, or at due_ns
    paused,   ///< until resume()
    ended,    ///< all is delivered; only seek() makes more come
  };
  struct Step {
    State state = State::ended;
    std::int64_t due_ns = 0;  ///< on the clock's monotonic time; INT64_MAX: never
    PartitionId partition;
    Record record;      ///< its views are valid until the next call of a member that is not const
    bool late = false;  ///< its event time is before one that was delivered already
  };
  struct Progress {
    std::uint64_t records = 0;  ///< delivered since open()
    std::uint64_t late = 0;     ///< of these, the late ones
    std::uint64_t missed = 0;   ///< offsets that retention removed before they could be read
  };

  /// Errors: invalid for an impossible speed, an empty range, or a partition that is not there.
  static Result<std::unique_ptr<Replay>> open(Topic& topic, ReplayOptions options, os::Clock& clock, metrics::Table& metrics);
  virtual ~Replay() = default;

  /// The clock begins with the first call: then `from` is now, or the first record's time when there is no `from`. Reads at
  /// most some megabytes, then returns; blocks on the disk for that. Errors: io; the next call tries again.
  virtual Result<Step> next() = 0;

  /// The recording stands still until resume(): what was due before stays due, the rest moves.
  virtual void pause() = 0;
  virtual void resume() = 0;
  /// From the present position on. Errors: invalid.
  virtual Status set_speed(double speed) = 0;
  /// Goes on from `time`, forwards or backwards, also before `from`: [time, to) is delivered, and what has become durable since
  /// the start counts. Paused stays paused. Errors: invalid when it is not before `to`.
  virtual Status seek(Timestamp time) = 0;

  /// Where the recording is now. As fast as possible: the greatest event time delivered.
  virtual Timestamp position() const = 0;
  virtual double speed() const = 0;
  virtual Progress progress() const = 0;
};

}  // namespace iotstream::log
