// Readings that could not be taken, kept with the reason, so that nothing is silent and a mended one can be sent again.
//
// They stand in internal topics of the log, one for each dataset (`_rejected.<dataset>`), and `_rejected` for those whose
// dataset is not known or does not exist: a sender of nonsense cannot push out the letters of a good dataset. Both are bounded
// by their own retention, and what may enter in a second is bounded as well.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/ids.hpp>
#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/log/log.hpp>
#include <iotstream/metrics/metrics.hpp>
#include <iotstream/os/clock.hpp>

namespace iotstream::ingest {

/// How the bytes of a letter are to be read when they are sent again.
enum class LetterForm : unsigned char {
  reading,   ///< one reading of the dataset, as JSON
  envelope,  ///< one `{"DatasetType", "data"}`
  csv,       ///< one row; DeadLetter::header is the first line of its file
  point,     ///< one point of InfluxDB's line protocol; DeadLetter::header says how it is read
  body,      ///< a whole body that could not be cut into readings
};

/// A reading that could not be taken.
struct DeadLetter {
  std::string id;  ///< `d17`: offset 17 of the dataset's topic; `g5`: of the general one
  Timestamp time;  ///< when it arrived
  std::string dataset;
  std::string source;  ///< who sent it: an address, a simulation
  std::string device;  ///< when the way in told it, and not the reading itself (an MQTT topic)
  std::string kind;    ///< by which way: `http`, `simulation`…
  std::uint64_t line = 0;
  std::string reason;
  LetterForm form = LetterForm::reading;
  std::string header;
  std::string raw;         ///< the bytes, at most letter_size_max of them
  std::uint64_t size = 0;  ///< bytes that there were
  bool truncated = false;  ///< not all of them were kept
};

inline constexpr std::size_t letter_size_max = 64u << 10;  ///< bytes kept of one reading

struct DeadLetterQuery {
  std::string dataset;
  std::optional<Timestamp> from;  ///< inclusive
  std::optional<Timestamp> to;    ///< exclusive
  std::uint64_t limit = 100;
  std::string cursor;  ///< from a former page
};

struct DeadLetterPage {
  std::vector<DeadLetter> letters;  ///< newest first
  std::string next;                 ///< empty: that was all
};

/// Thread-safe. The references outlive it.
class DeadLetters {
 public:
  DeadLetters(log::Log& log, os::Clock& clock, metrics::Table& metrics);
  ~DeadLetters();

  /// Keeps a letter; `id` is not looked at. What cannot be kept (over the rate, a full ring or disk) is counted in
  /// `iotstream_ingest_dead_letters_dropped_total`. Blocks only when a dataset's first letter creates its topic. It is durable
  /// within the topic's sync interval: the sender was told of the rejection and has the reading still.
  void keep(DeadLetter letter);

  /// Letters of a dataset that are neither sent again nor dismissed. Those that came before the dataset existed are among
  /// them. Errors: invalid (cursor), io.
  Result<DeadLetterPage> list(const DeadLetterQuery& query);
  /// Those with these ids, in their order. Errors: not_found for an id that is not there any more, invalid for one that is
  /// none.
  Result<std::vector<DeadLetter>> find(const std::string& dataset, const std::vector<std::string>& ids);
  /// Takes letters off the list, durably: they were sent again, or somebody decided so. Blocks for one sync.
  Status settle(const std::string& dataset, const std::vector<std::string>& ids);

 private:
  struct Place {
    bool general = false;
    Offset offset;
  };
  struct Allowance;

  log::Topic* topic_for(std::string_view dataset);
  log::Topic* own_topic(std::string_view dataset) const;
  log::Topic* general_topic() const;
  static std::optional<Place> place_of(std::string_view id);
  Result<std::vector<DeadLetter>> newest(log::Topic& topic, const DeadLetterQuery& query, Offset before);
  static Result<std::optional<DeadLetter>> read_letter(log::Topic& topic, Offset offset, std::string_view dataset);
  Result<std::set<std::uint64_t>> settled(log::Topic& topic);
  Status settle_in(log::Topic& topic, const std::vector<std::uint64_t>& offsets);

  log::Log& log_;
  os::Clock& clock_;
  std::unique_ptr<Allowance> allowance_;
  metrics::Counter& kept_;
  metrics::Counter& dropped_;

  void await_kept(log::Topic& topic);

  std::mutex mutex_;                                        ///< guards what follows
  std::map<std::string, Offset> last_kept_;                 ///< by topic
  std::map<std::string, std::set<std::uint64_t>> settled_;  ///< by topic; read from it when first asked for
};

/// `_rejected.<dataset>`, shortened with its hash where the name would be too long for a topic.
std::string dead_letter_topic_name(std::string_view dataset);

}  // namespace iotstream::ingest
