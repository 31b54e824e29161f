#include <chrono>

#include <concurrentqueue/blockingconcurrentqueue.h>

#include <iotstream/base/assert.hpp>
#include <iotstream/os/process.hpp>
#include <iotstream/os/worker_pool.hpp>

namespace iotstream::os {

struct WorkerPool::Queue {
  moodycamel::BlockingConcurrentQueue<std::function<void()>> tasks;  ///< an empty one asks a worker to leave
};

WorkerPool::WorkerPool(std::string name, unsigned threads, std::size_t capacity)
    : name_(std::move(name)), capacity_(capacity), queue_(std::make_unique<Queue>()) {
  threads_.reserve(threads);
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

WorkerPool::~WorkerPool() { stop(); }

bool WorkerPool::submit(std::function<void()> task) {
  IOTSTREAM_ASSERT(task != nullptr, "an empty task was given to the pool {}", name_);
  // Counted first, then the look at stopping_; stop() does the reverse and the workers then wait for the count: in the one
  // order of all four either this sees that the pool stops, or the workers see that something is still to come.
  const bool full = waiting_.fetch_add(1) >= capacity_;
  if (full || stopping_.load() || !queue_->tasks.enqueue(std::move(task))) {
    waiting_.fetch_sub(1);
    return false;
  }
  return true;
}

void WorkerPool::work() {
  name_thread(name_);
  std::function<void()> task;
  for (bool leaving = false; !leaving || waiting_.load() > 0;) {
    if (leaving) {
      // Only while a submit that raced with stop() is between its count and its enqueue, or another worker took the task.
      if (!queue_->tasks.wait_dequeue_timed(task, std::chrono::milliseconds(1))) continue;
    } else {
      queue_->tasks.wait_dequeue(task);
    }
    if (!task) {
      leaving = true;
      continue;
    }
    waiting_.fetch_sub(1);
    task();
    task = nullptr;  // what it holds is released now, not when the next one comes
  }
  queue_->tasks.enqueue(nullptr);  // for a colleague whose request to leave was taken here
}

void WorkerPool::stop() {
  if (!stopping_.exchange(true)) {
    for (std::size_t i = 0; i < threads_.size(); ++i) queue_->tasks.enqueue(nullptr);
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace iotstream::os
