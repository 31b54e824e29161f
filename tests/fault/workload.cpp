#include "fault/workload.hpp"

namespace iotstream::fault {

using namespace iotstream::log;

namespace {

constexpr std::uint64_t segment_size = 64u << 10;

/// The topics of the workloads, one of each kind.
const std::vector<std::pair<std::string, TopicOptions>>& topics() {
  static const std::vector<std::pair<std::string, TopicOptions>> all = [] {
    TopicOptions plain;
    plain.partitions = 2;
    plain.segment_size = segment_size;
    plain.retention_size = 0;
    plain.retention_age = Duration{0};
    TopicOptions interval = plain;
    interval.sync = Sync::interval;
    interval.partitions = 1;
    interval.sync_interval = Duration::milliseconds(1);
    TopicOptions none = plain;
    none.sync = Sync::none;
    none.partitions = 1;
    TopicOptions retained = plain;
    retained.partitions = 1;
    retained.retention_size = segment_size / 4;  // everything that is sealed
    return std::vector<std::pair<std::string, TopicOptions>>{
        {"batch", plain}, {"interval", interval}, {"none", none}, {"retained", retained}};
  }();
  return all;
}

class IndexNotes final : public WatchedDisk::Watcher {
 public:
  IndexNotes(test::MemoryDisk& disk, std::shared_ptr<Promises> now) : disk_(disk), now_(std::move(now)) {}
  void index_stored(const std::string& path) override {
    disk_.note([now = now_, path] { now->indexes.insert(path); });
  }
  void index_removed(const std::string& path) override {
    disk_.note([now = now_, path] { now->indexes.erase(path); });
  }

 private:
  test::MemoryDisk& disk_;
  std::shared_ptr<Promises> now_;
};

}  // namespace

const TopicOptions& options_of(std::string_view topic) {
  for (const auto& [name, options] : topics())
    if (name == topic) return options;
  throw Violation{"no such topic"};
}

Rhythm rhythm_of(Tempo tempo, std::mt19937_64& random) {
  constexpr Tempo all[] = {Tempo::brief, Tempo::hasty, Tempo::lazy, Tempo::single, Tempo::busy};
  if (tempo == Tempo::any) tempo = all[random() % 5];
  if (tempo == Tempo::brief) return {2, 2, 6, 2, 4, 8};
  if (tempo == Tempo::hasty) return {12, 2, 4, 4, 4, 8};
  if (tempo == Tempo::lazy) return {260, 3, 1, 60, 60, 90};
  if (tempo == Tempo::single) return {60, 8, 1, 20, 40, 60};
  return {};
}

Workload::Workload(std::mt19937_64& random, std::shared_ptr<test::MemoryDisk> disk, std::shared_ptr<Promises> now, Lives& lives,
                   unsigned life)
    : random_(random), disk_(std::move(disk)), now_(std::move(now)), lives_(lives), life_(life) {}

void Workload::run(Engine::Kind kind, DiskSync without, const Focus& focus) {
  focus_ = focus;
  const Rhythm rhythm = rhythm_ = rhythm_of(focus.tempo, random_);
  IndexNotes notes(*disk_, now_);
  WatchedDisk watched(disk_, without, &notes);
  for (auto starts = 1 + random_() % 2; starts != 0; --starts) {
    places_.clear();
    note([](Promises& now) { now.clean = false; });
    const auto engine = Engine::open(kind, watched, Timestamp{1'700'000'000'000'000 + life_});
    const auto served = engine->group_offsets();
    if (!served.empty()) note([at = served[0].committed.value](Promises& now) { now.committed = std::max(now.committed, at); });
    for (const auto& [name, options] : topics())
      if (Topic* topic = engine->find(name)) take_up(*topic);
    while (places_.empty()) create(*engine);
    for (auto records = 1 + random_() % rhythm.records_max; records != 0; --records) {
      append(*engine);
      for (auto steps = random_() % (2 * rhythm.pause); steps != 0; --steps) engine->work(random_, rhythm.syncs);
      if (random_() % 80 == 0) create(*engine);
      if (random_() % rhythm.commit == 0) commit(*engine);
      if (random_() % rhythm.retain == 0) retain(*engine);
    }
    if (starts == 1 && random_() % 2 == 0) return;  // left standing
    engine->close();
    // In every mode: a clean end syncs.
    for (const Place& place : places_)
      note([topic = place.topic, p = place.id, next = place.next](Promises& now) {
        auto& promise = now.topics[topic].partitions[p];
        promise.durable = promise.written = next;
      });
    note([](Promises& now) { now.clean = true; });
  }
}

/// What a topic serves after a start, it will be held to, acknowledged or not: a consumer may have acted on it.
void Workload::take_up(Topic& topic) {
  const std::string& name = topic.name();
  auto& lives = lives_[name];
  lives.resize(topic.partition_count());
  for (std::uint32_t p = 0; p != topic.partition_count(); ++p) {
    auto& partition = topic.partition(PartitionId(p));
    const std::uint64_t durable = partition.watermarks().durable.value;
    lives[p].resize(std::max<std::size_t>(lives[p].size(), durable));
    for (const Seen& record : read_all(partition, random_))
      for (unsigned life = 0; life <= life_; ++life)
        if (record.value == value_of(name, p, record.offset, life)) lives[p][record.offset] = life;
    places_.push_back({&partition, name, p, durable, topic.options().sync != Sync::none});
    const std::uint64_t earliest = partition.watermarks().earliest.value;
    note([name, p, durable, earliest, life = life_, options = topic.options()](Promises& now) {
      auto& promise = now.topics[name];
      promise.options = options;
      promise.partitions.resize(options.partitions);
      promise.partitions[p].durable = std::max(promise.partitions[p].durable, durable);
      promise.partitions[p].written = promise.partitions[p].durable;
      promise.partitions[p].earliest = earliest;
      promise.partitions[p].opened = life;
    });
  }
}

void Workload::create(Engine& engine) {
  const auto& [name, options] = topics()[random_() % topics().size()];
  if (!focus_.topic.empty() && focus_.topic != name) return;
  if (engine.find(name) == nullptr) take_up(engine.topic(name, options));
}

void Workload::append(Engine& engine) {
  Place& place = places_[random_() % places_.size()];
  const std::string value = value_of(place.topic, place.id, place.next, life_);
  const std::uint64_t offset = place.next++;
  auto appended = place.partition->append(Timestamp{time_of(offset)}, "k", as_bytes(value));
  for (int tries = 0; appended.status == AppendStatus::back_pressured && tries != 1'000'000; ++tries) {
    engine.work(random_, 4);
    appended = place.partition->append(Timestamp{time_of(offset)}, "k", as_bytes(value));
  }
  if (appended.status != AppendStatus::accepted) throw Violation{fmt::format("append: {}", describe(appended.status))};
  if (appended.offset.value != offset) throw Violation{fmt::format("offset {} where {} belongs", appended.offset, offset)};
  auto& lives = lives_[place.topic][place.id];
  if (lives.size() <= offset) lives.resize(offset + 1);
  lives[offset] = life_;
  auto promise = [this, topic = place.topic, p = place.id, offset](std::uint64_t PartitionPromise::*watermark) {
    return [disk = disk_.get(), now = now_, topic, p, offset, watermark](Status status) {
      if (!status) return;
      disk->note([now, topic, p, offset, watermark] {
        auto& reached = now->topics[topic].partitions[p].*watermark;
        reached = std::max(reached, offset + 1);
      });
    };
  };
  place.partition->when(Watermark::written, appended.offset, promise(&PartitionPromise::written));
  if (place.syncs) place.partition->when(Watermark::durable, appended.offset, promise(&PartitionPromise::durable));
  if (random_() % rhythm_.finish == 0 && place.syncs) engine.finish(*place.partition, appended.offset);
}

void Workload::retain(Engine& engine) {
  for (Place& place : places_) {
    if (place.topic != "retained") continue;
    // Noted before it happens, filled in after it: somewhere in between the records go.
    auto earliest = std::make_shared<std::uint64_t>();
    note([earliest](Promises& now) { now.topics["retained"].partitions[0].earliest = *earliest; });
    const std::uint64_t pin = place.partition->watermarks().earliest.value + (random_() % 2 == 0 ? 0 : random_() % 600);
    place.partition->pin("reader", Offset(pin));
    engine.retain(*engine.find(place.topic));
    *earliest = place.partition->watermarks().earliest.value;
    if (*earliest > pin) throw Violation{fmt::format("retention went to {}, past the pin at {}", *earliest, pin)};
  }
}

void Workload::commit(Engine& engine) {
  const auto before = engine.group_offsets();
  const std::uint64_t value = (before.empty() ? 0 : before[0].committed.value) + 1;
  std::vector<GroupOffset> offsets;
  for (std::uint32_t p = 0; p != group_partitions; ++p) offsets.push_back({"g", "t", PartitionId(p), Offset(value)});
  engine.commit(offsets);
  note([value](Promises& now) { now.committed = value; });
}

}  // namespace iotstream::fault
