// Fetches: read at once, or wait without a thread; and the thread that ends the waiting.
#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "log/group_coordinator.hpp"

namespace iotstream::log {
namespace {

constexpr std::size_t read_size = 256u << 10;

/// The first `count` records; shares ownership of their bytes.
Batch first_of(const Batch& batch, std::size_t count) {
  if (count >= batch.records().size()) return batch;
  std::vector<Record> records(batch.records().begin(), batch.records().begin() + static_cast<std::ptrdiff_t>(count));
  return Batch(std::make_shared<const Batch>(batch), std::move(records));
}

std::size_t size_of(const Batch& batch) {
  std::size_t bytes = 0;
  for (const Record& record : batch.records()) bytes += record.key.size() + record.value.size();
  return bytes;
}

}  // namespace

void Fetch::hurry() {
  if (!answered.load(std::memory_order_acquire)) coordinator_.hurry(shared_from_this());
}

std::shared_ptr<PendingFetch> Coordinator::fetch(FetchOptions options, Fetched done) {
  const Duration wait = std::clamp(options.wait_max, Duration{}, fetch_wait_max);
  const std::int64_t deadline_ns = clock_.monotonic_ns() + wait.us * 1000;
  auto fetch = std::make_shared<Fetch>(*this, std::move(options), std::move(done), deadline_ns);
  Answers answers;
  bool begun = false;
  {
    std::lock_guard lock(mutex_);
    begun = begin(fetch, answers);
    drop_if_idle(fetch->options.group);
  }
  answers.give();
  if (begun) {
    attempt(fetch);
    task_done();
  }
  return fetch;
}

/// Checks the member and makes the fetch its one; else answers.
bool Coordinator::begin(const std::shared_ptr<Fetch>& fetch, Answers& answers) {
  const auto refuse = [&](Result<FetchReply> reply) {
    fetch->answered.store(true, std::memory_order_release);
    answers.add(std::move(fetch->done), std::move(reply));
    return false;
  };
  if (closed_) return refuse(closing());
  Group* const group = visit(fetch->options.group, answers);
  auto* const member = group == nullptr ? nullptr : group->members.find(fetch->options.member);
  if (member == nullptr) return refuse(FetchReply{});
  const std::int64_t now_ns = clock_.monotonic_ns();
  const Standing standing = group->members.touch(*member, fetch->options.generation, now_ns);
  group->members.acknowledge(*member, fetch->options.generation, now_ns);
  changed(*group, answers);
  if (standing == Standing::fenced) {
    counters_.fenced.add();
    return refuse(FetchReply{Standing::fenced, group->members.membership(*member), {}, {}});
  }
  if (const auto former = group->fetches.find(member->id); former != group->fetches.end()) {
    const auto superseded = former->second;
    answer(superseded, FetchReply{Standing::current, group->members.membership(*member), {}, {}}, answers);
  }
  ++member->busy;
  group->fetches[member->id] = fetch;
  ++tasks_;
  return true;
}

/// One look at the partitions; then the fetch is answered, or parked. On the caller's thread or a worker.
void Coordinator::attempt(const std::shared_ptr<Fetch>& fetch) {
  const auto todo = plan(fetch);
  if (!todo) return;
  std::vector<Fetch::Wanted> wanted;
  auto reply = read(fetch->options, *todo, wanted);
  if (!reply || !reply->parts.empty())
    finish(fetch, std::move(reply));
  else
    park(fetch, todo->version, std::move(wanted));
}

std::optional<Coordinator::Plan> Coordinator::plan(const std::shared_ptr<Fetch>& fetch) {
  std::lock_guard lock(mutex_);
  auto* const member = fetch->answered ? nullptr : find(fetch->options.group, fetch->options.member);
  if (member == nullptr) return std::nullopt;
  Plan plan;
  plan.version = member->version;
  auto owned = groups_.find(fetch->options.group)->second->members.membership(*member).owned;
  // Another place begins each time, so that a busy one does not starve the others.
  if (!owned.empty())
    std::rotate(owned.begin(), owned.begin() + static_cast<std::ptrdiff_t>(member->turn++ % owned.size()), owned.end());
  for (TopicPartition& place : owned) {
    Planned planned{place, &log_.find(place.topic)->partition(place.partition), std::nullopt};
    for (const Position& position : fetch->options.positions)
      if (position.place == place) planned.asked = position.offset;
    plan.places.push_back(std::move(planned));
  }
  return plan;
}

Result<FetchReply> Coordinator::read(const FetchOptions& options, const Plan& plan, std::vector<Fetch::Wanted>& wanted) {
  FetchReply reply;
  reply.standing = Standing::current;
  Room room{std::max<std::size_t>(1, options.bytes_max), std::max<std::size_t>(1, options.records_max)};
  for (const Planned& planned : plan.places)
    if (auto done = read_place(options.group, planned, room, reply, wanted); !done) return done.error();
  return reply;
}

Status Coordinator::read_place(const std::string& group, const Planned& planned, Room& room, FetchReply& reply,
                               std::vector<Fetch::Wanted>& wanted) {
  auto position = begin_of(group, planned, reply.resets);
  if (!position) return position.error();
  while (room.bytes > 0 && room.records > 0) {
    // Taken before the read: what is not readable below it is damaged, and is not worth waking up for again.
    const Offset end = planned.partition->watermarks().durable;
    auto batch = planned.partition->read(*position, std::min(room.bytes, read_size), Watermark::durable);
    if (!batch) return batch.error();
    if (batch->empty()) {
      wanted.push_back({planned.partition, std::max(*position, end)});
      return {};
    }
    Batch taken = first_of(*batch, room.records);
    room.records -= taken.records().size();
    room.bytes -= std::min(room.bytes, std::max<std::size_t>(1, size_of(taken)));
    position = taken.records().back().offset + 1;
    reply.parts.push_back({planned.place, std::move(taken), *position});
  }
  return {};
}

/// Where a fetch reads on. What cannot be so is said, never passed over in silence.
Result<Offset> Coordinator::begin_of(const std::string& group, const Planned& planned, std::vector<OffsetReset>& resets) {
  const Watermarks marks = planned.partition->watermarks();
  const TopicPartition& place = planned.place;
  if (planned.asked && *planned.asked > marks.durable)
    return Error{ErrorKind::unprocessable, fmt::format("position {} of {}/{} is above its end, which is {}", *planned.asked,
                                                       place.topic, place.partition, marks.durable)};
  {
    std::lock_guard lock(mutex_);
    if (const auto found = rewound_.find({group, place}); found != rewound_.end())
      resets.push_back({place, found->second.first, found->second.second, OffsetReset::Reason::lost_tail});
  }
  const auto known = planned.asked ? planned.asked : log_.committed(group, place.topic, place.partition);
  if (!known) return marks.earliest;
  if (*known < marks.earliest) {
    resets.push_back({place, *known, marks.earliest, OffsetReset::Reason::retention});
    return marks.earliest;
  }
  return std::min(*known, marks.durable);
}

void Coordinator::park(const std::shared_ptr<Fetch>& fetch, std::uint64_t version, std::vector<Fetch::Wanted> wanted) {
  Answers answers;
  {
    std::lock_guard lock(mutex_);
    const auto* const member = fetch->answered ? nullptr : find(fetch->options.group, fetch->options.member);
    if (member == nullptr) return;
    if (closed_ || fetch->hurried || member->version != version || fetch->deadline_ns <= clock_.monotonic_ns()) {
      const auto membership = groups_.find(fetch->options.group)->second->members.membership(*member);
      answer(fetch, FetchReply{Standing::current, membership, {}, {}}, answers);
    } else {
      fetch->wanted = std::move(wanted);
      fetch->version = version;
      fetch->parked = true;
      parked_.push_back(fetch);
      counters_.waiting.set(static_cast<std::int64_t>(parked_.size()));
    }
  }
  answers.give();
  // The thread looks once more: a record may have come between the read and the parking.
  signal_.notify();
}

void Coordinator::finish(const std::shared_ptr<Fetch>& fetch, Result<FetchReply> reply) {
  Answers answers;
  {
    std::lock_guard lock(mutex_);
    const auto* const member = fetch->answered ? nullptr : find(fetch->options.group, fetch->options.member);
    if (member == nullptr) return;
    const GroupMembers& members = groups_.find(fetch->options.group)->second->members;
    if (reply) {
      std::erase_if(reply->parts, [&](const FetchedPart& part) { return !members.holds(*member, part.place); });
      reply->membership = members.membership(*member);
    }
    answer(fetch, std::move(reply), answers);
  }
  answers.give();
}

/// Takes the fetch from wherever it is and has it answered; once.
void Coordinator::answer(const std::shared_ptr<Fetch>& fetch, Result<FetchReply> reply, Answers& answers) {
  if (fetch->answered) return;
  fetch->answered.store(true, std::memory_order_release);
  if (fetch->parked) std::erase(parked_, fetch);
  fetch->parked = false;
  counters_.waiting.set(static_cast<std::int64_t>(parked_.size()));
  counters_.fetches.add();
  if (const auto found = groups_.find(fetch->options.group); found != groups_.end()) {
    found->second->fetches.erase(fetch->options.member);
    if (auto* const member = found->second->members.find(fetch->options.member)) {
      --member->busy;
      (void)found->second->members.touch(*member, fetch->options.generation, clock_.monotonic_ns());
    }
  }
  answers.add(std::move(fetch->done), std::move(reply));
}

void Coordinator::hurry(const std::shared_ptr<Fetch>& fetch) {
  Answers answers;
  {
    std::lock_guard lock(mutex_);
    if (fetch->answered) return;
    fetch->hurried = true;
    const auto* const member = find(fetch->options.group, fetch->options.member);
    if (fetch->parked && member != nullptr) {
      const auto membership = groups_.find(fetch->options.group)->second->members.membership(*member);
      answer(fetch, FetchReply{Standing::current, membership, {}, {}}, answers);
    }
  }
  answers.give();
  signal_.notify();  // its session has a deadline again
}

void Coordinator::task_done() {
  std::lock_guard lock(mutex_);
  if (--tasks_ == 0) tasks_done_.notify_all();
}

void Coordinator::run() {
  for (;;) {
    Answers answers;
    std::vector<std::shared_ptr<Fetch>> readable;
    Duration wait;
    {
      std::lock_guard lock(mutex_);
      if (closed_) break;
      update_subscription();
      const std::int64_t now_ns = clock_.monotonic_ns();
      std::vector<std::string> names;
      for (auto& [name, group] : groups_) {
        expire(name, *group, answers);
        names.push_back(name);
      }
      for (const std::string& name : names) drop_if_idle(name);
      readable = wake_fetches(now_ns, answers);
      wait = next_wait(now_ns);
    }
    answers.give();
    resume(std::move(readable));
    signal_.wait(wait);
  }
  std::lock_guard lock(mutex_);
  if (subscribed_) log_.unsubscribe(signal_);
}

/// The log wakes the thread only while somebody waits for what it tells.
void Coordinator::update_subscription() {
  const bool needed = !parked_.empty() || std::any_of(groups_.begin(), groups_.end(),
                                                      [](const auto& group) { return group.second->members.awaits_topics(); });
  if (needed == subscribed_) return;
  subscribed_ = needed;
  needed ? log_.subscribe(signal_, Watermark::durable) : log_.unsubscribe(signal_);
}

std::vector<std::shared_ptr<Fetch>> Coordinator::wake_fetches(std::int64_t now_ns, Answers& answers) {
  std::vector<std::shared_ptr<Fetch>> readable;
  const auto parked = parked_;
  for (const auto& fetch : parked) {
    const bool ready = std::any_of(fetch->wanted.begin(), fetch->wanted.end(), [](const Fetch::Wanted& wanted) {
      return wanted.partition->watermarks().durable > wanted.offset;
    });
    if (ready) {
      std::erase(parked_, fetch);
      fetch->parked = false;
      ++tasks_;
      readable.push_back(fetch);
    } else if (fetch->deadline_ns <= now_ns) {
      const auto* const member = find(fetch->options.group, fetch->options.member);
      const auto membership = groups_.find(fetch->options.group)->second->members.membership(*member);
      answer(fetch, FetchReply{Standing::current, membership, {}, {}}, answers);
    }
  }
  counters_.waiting.set(static_cast<std::int64_t>(parked_.size()));
  return readable;
}

void Coordinator::resume(std::vector<std::shared_ptr<Fetch>> readable) {
  for (const auto& fetch : readable) {
    const bool taken = workers_.submit([this, fetch] {
      attempt(fetch);
      task_done();
    });
    if (taken) continue;
    finish(fetch, Error{ErrorKind::unavailable, "too many requests are waiting; try again in a moment"});
    task_done();
  }
}

Duration Coordinator::next_wait(std::int64_t now_ns) const {
  std::int64_t next_ns = std::numeric_limits<std::int64_t>::max();
  for (const auto& [name, group] : groups_)
    if (const auto deadline = group->members.deadline_ns()) next_ns = std::min(next_ns, *deadline);
  for (const auto& fetch : parked_) next_ns = std::min(next_ns, fetch->deadline_ns);
  if (next_ns == std::numeric_limits<std::int64_t>::max()) return Duration{-1};
  return Duration{std::max<std::int64_t>(0, next_ns - now_ns) / 1000 + 1};
}

}  // namespace iotstream::log
