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
#include <iotstream/catalog/conflicts.hpp>
#include <iotstream/model/compatibility.hpp>
#include <iotstream/model/schema.hpp>

namespace iotstream::catalog {

/// One version of a schema and how it came to be.
struct SchemaRecord {
  model::SchemaPtr schema;
  Timestamp time;
  std::string device;  ///< whose event brought it; empty: a model, an import, or a person
  std::string source;  ///< who sent that event, or `model`, `import`, `edit`; empty where it is not known
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
  /// Counts new versions over all datasets, new facts, and changes of compatibility; a cheap test for "something changed".
  std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

  /// The schema of `dataset`, made to hold the drafts of values. Serialised; the persist hook may block for one sync. Values
  /// wider than their field began are counted as conflicts. Errors: conflict when the dataset's compatibility forbids it (the
  /// sentence names the first field; nothing has changed then); those of the hook; invalid for a dataset name that is empty,
  /// longer than 200 bytes, or not UTF-8; too_large beyond 5,000 fields.
  Result<model::SchemaPtr> evolve(std::string_view dataset, const std::vector<model::FieldDraft>& drafts,
                                  std::string_view device, Timestamp now, std::string_view source = {});
  /// The same for the drafts of a model: whatever the compatibility, and what it declares is no conflict from then on.
  Result<model::SchemaPtr> declare(std::string_view dataset, const std::vector<model::FieldDraft>& drafts, Timestamp now);
  /// What people say about a field, as a new version. Errors: not_found; invalid for a text that is not UTF-8 or longer than
  /// 1,000 bytes; those of the hook.
  Result<model::SchemaPtr> edit_field(std::string_view dataset, std::string_view field, const model::FieldEdit& edit,
                                      Timestamp now);

  /// adaptive for a dataset that nobody said anything about.
  model::Compatibility compatibility(std::string_view dataset) const;
  /// From now on, and after a restart. Errors: as those of set_facts().
  Status set_compatibility(std::string_view dataset, model::Compatibility compatibility, Timestamp now);
  /// What the configuration says: as above, when it says something else than the last time; so that a change at run time lasts
  /// until the configuration itself changes.
  Status configure_compatibility(std::string_view dataset, model::Compatibility compatibility, Timestamp now);

  /// The dataset's conflicts. The book lives as long as this; it is made when the dataset is not known.
  ConflictBook& conflicts(std::string_view dataset);
  std::uint64_t conflicts_total() const;  ///< over all datasets

  /// Makes `facts` those of `dataset` (optionally only of events whose `code` member equals `code`) from now on; the id they
  /// have from now on. The same facts keep their id. Errors: those of the hook; invalid for a dataset name as above, or a value
  /// that is not JSON.
  Result<FactsId> set_facts(std::string_view dataset, std::string_view code, const Facts& facts);
  /// The facts for an event of `dataset` with that `code` (may be empty): by code first, then those of any code, then the
  /// dataset's only ones that are not empty; 0: none.
  FactsId facts_for(std::string_view dataset, std::string_view code) const;
  /// Never null; empty for 0 and unknown ids. Shared: facts are immutable.
  std::shared_ptr<const Facts> facts(FactsId id) const;
  /// All there are, of all datasets.
  std::vector<std::pair<FactsId, std::shared_ptr<const Facts>>> all_facts() const;

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
  struct Change;
  Dataset& entry(std::string_view dataset);
  Result<model::SchemaPtr> grow(std::string_view dataset, const std::vector<model::FieldDraft>& drafts, const Change& change);
  Status admit(std::string_view dataset, const model::Schema* schema, const std::vector<model::FieldDraft>& drafts,
               const Change& change);
  void refuse(std::string_view dataset, const model::Misfit& misfit, const Change& change);
  void note(const model::Schema& schema, const std::vector<model::FieldDraft>& drafts, const Change& change);
  Status keep_compatibility(std::string_view dataset, model::Compatibility compatibility,
                            std::optional<model::Compatibility> configured, Timestamp now);
  void note_restored(const SchemaRecord& record);
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
