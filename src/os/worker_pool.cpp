#include <concurrentqueue/blockingconcurrentqueue.h>

#include <iotstream/os/process.hpp>
#include <iotstream/os/worker_pool.hpp>

namespace iotstream::os {

/// An empty task tells one worker to end.
struct WorkerPool::Queue {
  moodycamel::BlockingConcurrentQueue<std::function<void()>> tasks;
};

WorkerPool::WorkerPool(std::string name, unsigned threads, std::size_t capacity)
    : name_(std::move(name)), capacity_(capacity), queue_(std::make_unique<Queue>()) {
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

WorkerPool::~WorkerPool() { stop(); }

bool WorkerPool::submit(std::function<void()> task) {
  if (stopping_.load(std::memory_order_relaxed)) return false;
  if (waiting_.fetch_add(1, std::memory_order_relaxed) >= capacity_ || !queue_->tasks.enqueue(std::move(task))) {
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  return true;
}

void WorkerPool::stop() {
  if (stopping_.exchange(true)) return;
  for (std::size_t i = 0; i < threads_.size(); ++i) queue_->tasks.enqueue({});
  for (std::thread& thread : threads_) thread.join();
  // A submit that raced with the flag may have put a task behind the last end mark.
  for (std::function<void()> task; queue_->tasks.try_dequeue(task);) {
    if (task) task();
  }
}

void WorkerPool::work() {
  name_thread(name_);
  for (;;) {
    std::function<void()> task;
    queue_->tasks.wait_dequeue(task);
    if (!task) return;
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    task();
  }
}

}  // namespace iotstream::os
