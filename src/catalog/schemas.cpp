#include <algorithm>
#include <simdjson.h>

#include <iotstream/catalog/schemas.hpp>

#include "catalog/schema_record.hpp"

namespace iotstream::catalog {
namespace {

constexpr std::size_t name_bytes_max = 200;
constexpr std::size_t fields_max = 5000;
constexpr std::size_t edit_bytes_max = 1000;

Status check_name(std::string_view dataset) {
  if (dataset.empty()) return Error{ErrorKind::invalid, "a dataset needs a name"};
  if (dataset.size() > name_bytes_max)
    return Error{ErrorKind::invalid,
                 fmt::format("the dataset's name has {} bytes; {} are allowed", dataset.size(), name_bytes_max)};
  if (!simdjson::validate_utf8(dataset.data(), dataset.size()))
    return Error{ErrorKind::invalid, "the dataset's name is not UTF-8"};
  return {};
}

Status check_edit(const model::FieldEdit& edit) {
  const std::pair<const char*, const std::optional<std::string>*> texts[] = {
      {"label", &edit.label}, {"unit", &edit.unit}, {"group", &edit.group}, {"description", &edit.description}};
  for (const auto& [name, text] : texts) {
    if (!*text) continue;
    if (!simdjson::validate_utf8(**text)) return Error{ErrorKind::invalid, fmt::format("the {} is not UTF-8", name)};
    if ((*text)->size() > edit_bytes_max)
      return Error{ErrorKind::invalid,
                   fmt::format("the {} has {} bytes; {} are allowed", name, (*text)->size(), edit_bytes_max)};
  }
  return {};
}

/// Why a value was not taken: what there is, what came, and which rule is in the way.
std::string refusal_of(std::string_view dataset, const model::Misfit& misfit, model::Compatibility rule) {
  if (!misfit.from)
    return fmt::format("dataset '{}' is {}, and its model has no field '{}'", dataset, name_of(rule), misfit.draft->name);
  return fmt::format("dataset '{}' is {}: its field '{}' is {}, and this value is {}", dataset, name_of(rule),
                     misfit.draft->name, name_of(*misfit.from), name_of(misfit.draft->type));
}

}  // namespace

/// Who asks for a change of a schema.
struct Schemas::Change {
  std::string_view device;
  std::string_view source;
  Timestamp now;
  model::Origin origin = model::Origin::values;
};

struct Schemas::Dataset {
  std::vector<SchemaRecord> versions;                                     ///< ascending
  std::unordered_map<std::string, FactsId, Hash, std::equal_to<>> facts;  ///< by code; "" is any
  FactsId fallback;                                                       ///< for other codes
  model::Compatibility compatibility = model::Compatibility::adaptive;
  std::optional<model::Compatibility> configured;  ///< what the configuration said last
  ConflictBook conflicts;                          ///< its own lock
};

Schemas::Schemas() : facts_{std::make_shared<const Facts>()} {}
Schemas::~Schemas() = default;

Status Schemas::restore(std::string_view record) {
  auto parsed = schema_record_from_json(record);
  if (!parsed) return std::move(parsed).error();
  const std::lock_guard change(change_);
  if (auto* facts = std::get_if<FactsRecord>(&*parsed)) {
    publish(facts->id, facts->dataset, facts->code, std::make_shared<const Facts>(std::move(facts->facts)));
    return {};
  }
  if (auto* said = std::get_if<CompatibilityRecord>(&*parsed)) {
    const std::unique_lock lock(mutex_);
    Dataset& dataset = entry(said->dataset);
    dataset.compatibility = said->compatibility;
    dataset.configured = said->configured;
    return {};
  }
  if (const auto* kept = std::get_if<ConflictRecord>(&*parsed)) {
    const Conflict& conflict = kept->conflict;
    ConflictCell& cell = conflicts(kept->dataset).cell(conflict.field, conflict.from, conflict.to);
    cell.count(conflict.first, true);
    cell.describe({conflict.first, conflict.device, conflict.source, conflict.sample, true});
    return {};
  }
  auto& schema = std::get<SchemaRecord>(*parsed);
  const model::SchemaPtr known = current(schema.schema->dataset());
  if (known && known->version() > schema.schema->version())
    return Error{ErrorKind::corrupt, fmt::format("_schemas: version {} of dataset '{}' after version {}",
                                                 schema.schema->version(), schema.schema->dataset(), known->version())};
  note_restored(schema);
  publish(std::move(schema));
  return {};
}

/// The values that widened fields, as far as their version tells.
void Schemas::note_restored(const SchemaRecord& record) {
  const model::Schema& schema = *record.schema;
  for (const model::SchemaChange& change : record.changes) {
    const auto field = schema.find(change.field);
    if (change.kind != model::ChangeKind::widened || !field || record.source == "model") continue;
    const model::FieldType base = schema.field(*field).base;
    // Versions of programs that knew of no base tell what it was before.
    ConflictCell& cell = conflicts(schema.dataset()).cell(change.field, base == change.to ? change.from : base, change.to);
    cell.count(record.time, false);
    cell.describe({record.time, record.device, record.source, change.sample, false});
  }
}

Schemas::Dataset& Schemas::entry(std::string_view dataset) {
  auto& found = datasets_[std::string(dataset)];
  if (!found) found = std::make_shared<Dataset>();
  return *found;
}

ConflictBook& Schemas::conflicts(std::string_view dataset) {
  {
    const std::shared_lock lock(mutex_);
    if (const auto found = datasets_.find(dataset); found != datasets_.end()) return found->second->conflicts;
  }
  const std::unique_lock lock(mutex_);
  return entry(dataset).conflicts;
}

std::uint64_t Schemas::conflicts_total() const {
  const std::shared_lock lock(mutex_);
  std::uint64_t total = 0;
  for (const auto& [name, dataset] : datasets_) total += dataset->conflicts.total();
  return total;
}

void Schemas::set_persist(Persist persist) {
  const std::lock_guard change(change_);
  persist_ = std::move(persist);
}

Status Schemas::keep(std::string_view key, const std::string& record) { return persist_ ? persist_(key, record) : Status{}; }

void Schemas::publish(SchemaRecord record) {
  {
    const std::unique_lock lock(mutex_);
    auto& dataset = datasets_[record.schema->dataset()];
    if (!dataset) dataset = std::make_shared<Dataset>();
    // A record that reached the topic although its append was reported as failed was never used by a row: the next one of its
    // number stands.
    if (!dataset->versions.empty() && dataset->versions.back().schema->version() == record.schema->version())
      dataset->versions.back() = std::move(record);
    else
      dataset->versions.push_back(std::move(record));
  }
  generation_.fetch_add(1, std::memory_order_release);
}

void Schemas::publish(FactsId id, std::string_view dataset, std::string_view code, std::shared_ptr<const Facts> facts) {
  {
    const std::unique_lock lock(mutex_);
    auto& entry = datasets_[std::string(dataset)];
    if (!entry) entry = std::make_shared<Dataset>();
    entry->facts.insert_or_assign(std::string(code), id);
    if (id.value >= facts_.size()) facts_.resize(id.value + 1, facts_[0]);
    facts_[id.value] = std::move(facts);
    entry->fallback = fallback_of(*entry);
  }
  generation_.fetch_add(1, std::memory_order_release);
}

/// Those of any code; else the only ones that say something.
FactsId Schemas::fallback_of(const Dataset& dataset) const {
  if (const auto any = dataset.facts.find(std::string_view()); any != dataset.facts.end()) return any->second;
  FactsId only;
  for (const auto& [code, id] : dataset.facts) {
    if (facts_[id.value]->empty()) continue;
    if (only != FactsId(0)) return FactsId(0);
    only = id;
  }
  return only;
}

model::SchemaPtr Schemas::current(std::string_view dataset) const {
  const std::shared_lock lock(mutex_);
  const auto found = datasets_.find(dataset);
  if (found == datasets_.end() || found->second->versions.empty()) return nullptr;
  return found->second->versions.back().schema;
}

std::vector<model::SchemaPtr> Schemas::all() const {
  std::vector<model::SchemaPtr> schemas;
  {
    const std::shared_lock lock(mutex_);
    for (const auto& [name, dataset] : datasets_)
      if (!dataset->versions.empty()) schemas.push_back(dataset->versions.back().schema);
  }
  std::sort(schemas.begin(), schemas.end(), [](const auto& a, const auto& b) { return a->dataset() < b->dataset(); });
  return schemas;
}

std::vector<SchemaRecord> Schemas::versions(std::string_view dataset) const {
  const std::shared_lock lock(mutex_);
  const auto found = datasets_.find(dataset);
  return found == datasets_.end() ? std::vector<SchemaRecord>{} : found->second->versions;
}

Result<model::SchemaPtr> Schemas::evolve(std::string_view dataset, const std::vector<model::FieldDraft>& drafts,
                                         std::string_view device, Timestamp now, std::string_view source) {
  const Change change{device, source, now, model::Origin::values};
  Result<model::SchemaPtr> grown = grow(dataset, drafts, change);
  if (grown) note(**grown, drafts, change);
  return grown;
}

Result<model::SchemaPtr> Schemas::declare(std::string_view dataset, const std::vector<model::FieldDraft>& drafts,
                                          Timestamp now) {
  return grow(dataset, drafts, {{}, "model", now, model::Origin::model});
}

Result<model::SchemaPtr> Schemas::grow(std::string_view dataset, const std::vector<model::FieldDraft>& drafts,
                                       const Change& by) {
  SchemaRecord record;
  if (const model::SchemaPtr known = current(dataset);
      known && model::evolve(known, dataset, drafts, by.now, record.changes, by.origin) == known)
    return known;
  if (Status named = check_name(dataset); !named) return std::move(named).error();

  const std::lock_guard change(change_);
  const model::SchemaPtr before = current(dataset);  // again: another thread may have been first
  if (by.origin == model::Origin::values)
    if (Status admitted = admit(dataset, before.get(), drafts, by); !admitted) return std::move(admitted).error();
  record.schema = model::evolve(before, dataset, drafts, by.now, record.changes, by.origin);
  if (record.schema == before) return before;
  if (record.schema->fields().size() > fields_max)
    return Error{ErrorKind::too_large, fmt::format("dataset '{}' would have {} fields; {} are allowed", dataset,
                                                   record.schema->fields().size(), fields_max)};
  record.time = by.now;
  record.device = std::string(by.device);
  record.source = std::string(by.source);
  if (Status kept = keep(dataset, to_json(record)); !kept) return std::move(kept).error();
  const model::SchemaPtr schema = record.schema;
  publish(std::move(record));
  return schema;
}

/// Under change_: what is admitted here stands until the version is made.
Status Schemas::admit(std::string_view dataset, const model::Schema* schema, const std::vector<model::FieldDraft>& drafts,
                      const Change& change) {
  const model::Compatibility rule = compatibility(dataset);
  const std::vector<model::Misfit> misfits = model::misfits(schema, drafts, rule);
  for (const model::Misfit& misfit : misfits) refuse(dataset, misfit, change);
  if (misfits.empty()) return {};
  return Error{ErrorKind::conflict, refusal_of(dataset, misfits.front(), rule)};
}

/// Counts it; the first of its kind is kept for after a restart. That one is not waited for in vain: when it cannot be stored,
/// the reading is refused all the same, and its dead letter tells of it.
void Schemas::refuse(std::string_view dataset, const model::Misfit& misfit, const Change& change) {
  const model::FieldDraft& draft = *misfit.draft;
  ConflictCell& cell = conflicts(dataset).cell(draft.name, misfit.from, draft.type);
  const bool first = cell.counted() == 0;
  if (!cell.count(change.now, true)) return;
  cell.describe({change.now, change.device, change.source, draft.sample, true});
  if (!first) return;
  ConflictRecord record{std::string(dataset), cell.read()};
  record.conflict.field = draft.name;
  record.conflict.from = misfit.from;
  record.conflict.to = draft.type;
  static_cast<void>(keep(dataset, to_json(record)));
}

void Schemas::note(const model::Schema& schema, const std::vector<model::FieldDraft>& drafts, const Change& change) {
  for (const model::FieldDraft& draft : drafts) {
    const auto id = schema.find(draft.name);
    if (!id || draft.null || draft.type <= schema.field(*id).base) continue;
    ConflictCell& cell = conflicts(schema.dataset()).cell(draft.name, schema.field(*id).base, draft.type);
    if (cell.count(change.now, false)) cell.describe({change.now, change.device, change.source, draft.sample, false});
  }
}

Result<model::SchemaPtr> Schemas::edit_field(std::string_view dataset, std::string_view field, const model::FieldEdit& edit,
                                             Timestamp now) {
  if (Status good = check_edit(edit); !good) return std::move(good).error();
  const std::lock_guard change(change_);
  const model::SchemaPtr before = current(dataset);
  if (!before) return Error{ErrorKind::not_found, fmt::format("there is no dataset '{}'", dataset)};
  const auto id = before->find(field);
  if (!id) return Error{ErrorKind::not_found, fmt::format("dataset '{}' has no field '{}'", dataset, field)};
  SchemaRecord record;
  record.schema = model::edit(before, *id, edit, record.changes);
  if (record.schema == before) return before;
  record.time = now;
  record.source = "edit";
  if (Status kept = keep(dataset, to_json(record)); !kept) return std::move(kept).error();
  const model::SchemaPtr schema = record.schema;
  publish(std::move(record));
  return schema;
}

model::Compatibility Schemas::compatibility(std::string_view dataset) const {
  const std::shared_lock lock(mutex_);
  const auto found = datasets_.find(dataset);
  return found == datasets_.end() ? model::Compatibility::adaptive : found->second->compatibility;
}

Status Schemas::set_compatibility(std::string_view dataset, model::Compatibility compatibility, Timestamp now) {
  if (Status named = check_name(dataset); !named) return named;
  const std::lock_guard change(change_);
  std::optional<model::Compatibility> configured;
  {
    const std::unique_lock lock(mutex_);
    const Dataset& known = entry(dataset);
    if (known.compatibility == compatibility) return {};
    configured = known.configured;
  }
  return keep_compatibility(dataset, compatibility, configured, now);
}

Status Schemas::configure_compatibility(std::string_view dataset, model::Compatibility compatibility, Timestamp now) {
  if (Status named = check_name(dataset); !named) return named;
  const std::lock_guard change(change_);
  {
    const std::unique_lock lock(mutex_);
    if (entry(dataset).configured == compatibility) return {};
  }
  return keep_compatibility(dataset, compatibility, compatibility, now);
}

Status Schemas::keep_compatibility(std::string_view dataset, model::Compatibility compatibility,
                                   std::optional<model::Compatibility> configured, Timestamp now) {
  const CompatibilityRecord record{std::string(dataset), now, compatibility, configured};
  if (Status kept = keep(dataset, to_json(record)); !kept) return kept;
  {
    const std::unique_lock lock(mutex_);
    Dataset& known = entry(dataset);
    known.compatibility = compatibility;
    known.configured = configured;
  }
  generation_.fetch_add(1, std::memory_order_release);
  return {};
}

Result<FactsId> Schemas::set_facts(std::string_view dataset, std::string_view code, const Facts& facts) {
  if (Status named = check_name(dataset); !named) return std::move(named).error();
  FactsRecord record{FactsId(0), std::string(dataset), std::string(code), {}};
  for (const auto& [name, value] : facts) {
    auto written = canonical_json(value);
    if (!written) return Error{ErrorKind::invalid, fmt::format("the fact '{}' of dataset '{}' is not JSON", name, dataset)};
    record.facts.emplace_back(name, std::move(*written));
  }

  const std::lock_guard change(change_);
  {
    const std::shared_lock lock(mutex_);
    if (const auto found = datasets_.find(dataset); found != datasets_.end())
      if (const auto known = found->second->facts.find(code); known != found->second->facts.end())
        if (*facts_[known->second.value] == record.facts) return known->second;
    record.id = FactsId(static_cast<std::uint32_t>(facts_.size()));
  }
  if (Status kept = keep(dataset, to_json(record)); !kept) return std::move(kept).error();
  publish(record.id, dataset, code, std::make_shared<const Facts>(std::move(record.facts)));
  return record.id;
}

FactsId Schemas::facts_for(std::string_view dataset, std::string_view code) const {
  const std::shared_lock lock(mutex_);
  const auto found = datasets_.find(dataset);
  if (found == datasets_.end()) return FactsId(0);
  const auto by_code = found->second->facts.find(code);
  return by_code != found->second->facts.end() ? by_code->second : found->second->fallback;
}

std::shared_ptr<const Facts> Schemas::facts(FactsId id) const {
  const std::shared_lock lock(mutex_);
  return facts_[id.value < facts_.size() ? id.value : 0];
}

std::vector<std::pair<FactsId, std::shared_ptr<const Facts>>> Schemas::all_facts() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::pair<FactsId, std::shared_ptr<const Facts>>> all;
  for (std::size_t id = 0; id != facts_.size(); ++id)
    if (facts_[id] != nullptr) all.emplace_back(FactsId(static_cast<decltype(FactsId::value)>(id)), facts_[id]);
  return all;
}

}  // namespace iotstream::catalog
