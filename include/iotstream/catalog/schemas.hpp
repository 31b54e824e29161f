// The schemas of all datasets, current and past, and the prototypes' facts that rows refer to.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <iotstream/base/ids.hpp>
#include <iotstream/base/result.hpp>
#include <iotstream/base/time.hpp>
#include <iotstream/model/schema.hpp>

namespace iotstream::catalog {

/// One version of a schema and how it came to be.
struct SchemaRecord {
  model::SchemaPtr schema;
  Timestamp time;
  std::string device;  ///< whose event brought it; empty: a model or an import
  std::vector<model::SchemaChange> changes;
};

/// The members that enrich events, in order: name → value as JSON text (`"Pipo"`).
using Facts = std::vector<std::pair<std::string, std::string>>;

/// In memory, thread-safe. What is durable is the topic `_schemas`: every new version or set of facts is handed to the
/// `persist` hook, and is published only after that returned well; at start the topic is replayed through restore().
class Schemas {
 public:
  /// `record` is one JSON document to append to `_schemas`, `key` its dataset. Called under the lock of that change: must not
  /// call back.
  using Persist = std::function<Status(std::string_view key, std::string_view record)>;

  /// Replays one record of `_schemas`: any version but the newest may be missing (retention may have taken it). Before the
  /// first evolve(). Errors: corrupt.
  Status restore(std::string_view record);
  void set_persist(Persist persist);

  /// nullptr: no such dataset.
  model::SchemaPtr current(std::string_view dataset) const;
  std::vector<model::SchemaPtr> all() const;
  std::vector<SchemaRecord> versions(std::string_view dataset) const;
  /// Counts new versions over all datasets and new facts; a cheap test for "something changed".
  std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

  /// The schema of `dataset`, made to hold the drafts. Serialised; the persist hook may block for one sync. Errors: those of
  /// the hook; invalid for a dataset name that is empty, longer than 200 bytes, or not UTF-8; too_large beyond 5,000 fields.
  Result<model::SchemaPtr> evolve(std::string_view dataset, const std::vector<model::FieldDraft>& drafts,
                                  std::string_view device, Timestamp now);

  /// Makes `facts` those of `dataset` (optionally only of events whose `code` member equals `code`) from now on; the id they
  /// have from now on. The same facts keep their id. Errors: those of the hook; invalid for a dataset name as above, or a value
  /// that is not JSON.
  Result<FactsId> set_facts(std::string_view dataset, std::string_view code, const Facts& facts);
  /// The facts for an event of `dataset` with that `code` (may be empty): by code first, then those of any code, then the
  /// dataset's only ones that are not empty; 0: none.
  FactsId facts_for(std::string_view dataset, std::string_view code) const;
  /// Never null; empty for 0 and unknown ids. Shared: facts are immutable.
  std::shared_ptr<const Facts> facts(FactsId id) const;

 private:
  struct Dataset;
  mutable std::shared_mutex mutex_;  ///< guards the maps; readers share it for a look-up only
  std::mutex change_;                ///< serialises changes; taken before mutex_
  Persist persist_;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  FactsId fallback_of(const Dataset& dataset) const;
  Status keep(std::string_view key, const std::string& record);
  void publish(SchemaRecord record);
  void publish(FactsId id, std::string_view dataset, std::string_view code, std::shared_ptr<const Facts> facts);
  std::unordered_map<std::string, std::shared_ptr<Dataset>, Hash, std::equal_to<>> datasets_;
  std::vector<std::shared_ptr<const Facts>> facts_;
  std::atomic<std::uint64_t> generation_{0};  ///< release after the maps hold the change: who reads the new number finds it

 public:
  Schemas();
  ~Schemas();
};

}  // namespace iotstream::catalog
