// Threads for work that may block (queries, imports, compression), away from the socket threads.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace iotstream::os {

/// A bounded queue before a fixed number of threads; the hand-over is moodycamel's blocking queue. submit() from any thread.
class WorkerPool {
 public:
  /// `name` is that of the threads; `capacity` the most tasks that wait.
  WorkerPool(std::string name, unsigned threads, std::size_t capacity);
  /// Finishes what was accepted, then joins.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// False when the queue is full or the pool is stopping: the task was not taken. Tasks must not throw.
  bool submit(std::function<void()> task);
  /// Refuses new tasks, finishes the accepted ones, joins. Idempotent; not from a task.
  void stop();
  std::size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }

 private:
  struct Queue;
  void work();

  std::string name_;
  std::size_t capacity_;
  std::unique_ptr<Queue> queue_;
  std::atomic<std::size_t> waiting_{0};  ///< accepted and not yet begun
  std::atomic<bool> stopping_{false};    ///< seq_cst, like waiting_: a submit that races with stop() is run or refused
  std::vector<std::thread> threads_;
};

}  // namespace iotstream::os
