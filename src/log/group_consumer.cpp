// A member of a group in this process.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include <iotstream/log/group.hpp>

namespace iotstream::log {
namespace {

/// Longest time that a parked consumer vouches for itself; then it does so again.
constexpr Duration park_max = Duration::seconds(60);
constexpr int commit_tries_max = 1000;

}  // namespace

struct Consumer::Impl {
  Log& log;
  GroupCoordinator& coordinator;
  ConsumerOptions options;
  Signal signal;
  std::atomic<bool> woken{false};  ///< relaxed: the signal publishes it
  Membership membership;
  std::map<TopicPartition, Offset> next;    ///< where poll() reads on
  std::map<TopicPartition, Offset> polled;  ///< given out and not committed
  std::size_t turn = 0;
  bool closed = false;

  Impl(Log& log_given, GroupCoordinator& coordinator_given, ConsumerOptions options_given)
      : log(log_given), coordinator(coordinator_given), options(std::move(options_given)) {
    options.join.member.clear();
    options.join.signal = &signal;
    log.subscribe(signal, Watermark::durable);
  }
  ~Impl() { log.unsubscribe(signal); }

  Status join() {
    auto joined = coordinator.join(options.group, options.join);
    if (!joined) return joined.error();
    next.clear();
    polled.clear();
    adopt(std::move(*joined));
    return {};
  }

  /// What is not owned any more is forgotten; what came is begun where the group has committed.
  void adopt(Membership given) {
    membership = std::move(given);
    const auto gone = [this](const auto& entry) {
      return !std::binary_search(membership.owned.begin(), membership.owned.end(), entry.first);
    };
    std::erase_if(next, gone);
    std::erase_if(polled, gone);
  }

  /// Says that the member lives and learns what has changed, until there is nothing new.
  Status refresh(Duration stays) {
    for (;;) {
      auto reply = coordinator.heartbeat(options.group, membership.member, membership.generation, stays);
      if (!reply) return reply.error();
      if (reply->standing == Standing::unknown) return join();
      if (reply->standing == Standing::current) {
        adopt(std::move(reply->membership));
        return {};
      }
      if (options.released && !reply->membership.releasing.empty()) {
        membership.generation = reply->membership.generation;  // with it what is polled may still be committed
        options.released(reply->membership.releasing);
      }
      adopt(std::move(reply->membership));
    }
  }

  Offset begin_of(const TopicPartition& place, Partition& partition) {
    const auto committed = log.committed(options.group, place.topic, place.partition);
    const Watermarks marks = partition.watermarks();
    return std::min(committed.value_or(marks.earliest), marks.durable);
  }

  /// The next records of one of the places, in turn; no place when there are none.
  Result<FetchedPart> read() {
    const std::size_t count = membership.owned.size();
    for (std::size_t i = 0; i != count; ++i) {
      const TopicPartition& place = membership.owned[(turn + i) % count];
      Partition& partition = log.find(place.topic)->partition(place.partition);
      const auto [at, fresh] = next.try_emplace(place);
      if (fresh) at->second = begin_of(place, partition);
      auto batch = partition.read(at->second, options.bytes_max, Watermark::durable);
      if (!batch) return batch.error();
      if (batch->empty()) continue;
      at->second = batch->records().back().offset + 1;
      polled[place] = at->second;
      turn = (turn + i + 1) % count;
      return FetchedPart{place, std::move(*batch), at->second};
    }
    return FetchedPart{};
  }

  Status commit(std::span<const Position> positions) {
    auto reply = coordinator.commit(options.group, membership.member, membership.generation, positions);
    // A new generation may well leave these places here: it is adopted, and the commit tried again, as often as members come
    // and go meanwhile. Whether the places are still this member's the coordinator decides each time.
    for (int tries = 0; tries != commit_tries_max && reply && reply->standing == Standing::fenced; ++tries)
      reply = coordinator.commit(options.group, membership.member, reply->membership.generation, positions);
    if (!reply) return reply.error();
    if (reply->standing != Standing::current)
      return Error{ErrorKind::conflict, fmt::format("the member {} of group {} was removed, or its generation passed; its "
                                                    "partitions have gone to others",
                                                    membership.member, options.group)};
    for (const Position& position : positions) {
      const auto found = polled.find(position.place);
      if (found != polled.end() && found->second <= position.offset) polled.erase(found);
    }
    return {};
  }
};

Consumer::Consumer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Consumer::~Consumer() { close(); }

Result<std::unique_ptr<Consumer>> Consumer::join(Log& log, GroupCoordinator& coordinator, ConsumerOptions options) {
  auto impl = std::make_unique<Impl>(log, coordinator, std::move(options));
  if (auto joined = impl->join(); !joined) return joined.error();
  return std::unique_ptr<Consumer>(new Consumer(std::move(impl)));
}

Result<FetchedPart> Consumer::poll(Duration timeout) {
  if (impl_->closed) return Error{ErrorKind::unavailable, "the consumer is closed"};
  const os::Clock& clock = os::system_clock();
  const std::int64_t end_ns = clock.monotonic_ns() + timeout.us * 1000;
  for (;;) {
    Duration left = park_max;
    if (timeout.us >= 0) left.us = std::min(left.us, std::max<std::int64_t>(0, (end_ns - clock.monotonic_ns()) / 1000));
    if (auto fresh = impl_->refresh(left); !fresh) return fresh.error();
    auto part = impl_->read();
    if (!part || !part->batch.empty()) return part;
    if (impl_->woken.exchange(false, std::memory_order_relaxed) || left.us == 0) return FetchedPart{};
    impl_->signal.wait(left);
  }
}

Status Consumer::commit() {
  std::vector<Position> positions;
  for (const auto& [place, offset] : impl_->polled) positions.push_back({place, offset});
  return positions.empty() ? Status() : impl_->commit(positions);
}

Status Consumer::commit(std::span<const Position> positions) { return impl_->commit(positions); }

void Consumer::wake() {
  impl_->woken.store(true, std::memory_order_relaxed);
  impl_->signal.notify();
}

void Consumer::close() {
  if (std::exchange(impl_->closed, true)) return;
  impl_->coordinator.leave(impl_->options.group, impl_->membership.member);
}

const Membership& Consumer::membership() const { return impl_->membership; }

}  // namespace iotstream::log
