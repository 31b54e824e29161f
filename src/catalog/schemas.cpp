#include <algorithm>
#include <simdjson.h>

#include <iotstream/catalog/schemas.hpp>

#include "catalog/schema_record.hpp"

namespace iotstream::catalog {
namespace {

constexpr std::size_t name_bytes_max = 200;
constexpr std::size_t fields_max = 5000;

Status check_name(std::string_view dataset) {
  if (dataset.empty()) return Error{ErrorKind::invalid, "a dataset needs a name"};
  if (dataset.size() > name_bytes_max)
    return Error{ErrorKind::invalid,
                 fmt::format("the dataset's name has {} bytes; {} are allowed", dataset.size(), name_bytes_max)};
  if (!simdjson::validate_utf8(dataset.data(), dataset.size()))
    return Error{ErrorKind::invalid, "the dataset's name is not UTF-8"};
  return {};
}

}  // namespace

struct Schemas::Dataset {
  std::vector<SchemaRecord> versions;                                     ///< ascending
  std::unordered_map<std::string, FactsId, Hash, std::equal_to<>> facts;  ///< by code; "" is any
  FactsId fallback;                                                       ///< for other codes
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
  auto& schema = std::get<SchemaRecord>(*parsed);
  const model::SchemaPtr known = current(schema.schema->dataset());
  if (known && known->version() > schema.schema->version())
    return Error{ErrorKind::corrupt, fmt::format("_schemas: version {} of dataset '{}' after version {}",
                                                 schema.schema->version(), schema.schema->dataset(), known->version())};
  publish(std::move(schema));
  return {};
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
                                         std::string_view device, Timestamp now) {
  SchemaRecord record;
  if (const model::SchemaPtr known = current(dataset);
      known && model::evolve(known, dataset, drafts, now, record.changes) == known)
    return known;
  if (Status named = check_name(dataset); !named) return std::move(named).error();

  const std::lock_guard change(change_);
  const model::SchemaPtr before = current(dataset);  // again: another thread may have been first
  record.schema = model::evolve(before, dataset, drafts, now, record.changes);
  if (record.schema == before) return before;
  if (record.schema->fields().size() > fields_max)
    return Error{ErrorKind::too_large, fmt::format("dataset '{}' would have {} fields; {} are allowed", dataset,
                                                   record.schema->fields().size(), fields_max)};
  record.time = now;
  record.device = std::string(device);
  if (Status kept = keep(dataset, to_json(record)); !kept) return std::move(kept).error();
  const model::SchemaPtr schema = record.schema;
  publish(std::move(record));
  return schema;
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

}  // namespace iotstream::catalog
