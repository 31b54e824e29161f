#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <iotstream/os/process.hpp>
#include <iotstream/sim/simulator.hpp>

#include "sim/engine.hpp"

namespace iotstream::sim {
namespace {

class SimulatorImpl final : public Simulator {
 public:
  SimulatorImpl(catalog::Catalog& catalog, ingest::Gate& gate, os::Clock& clock, metrics::Table& metrics)
      : clock_(clock), inproc_(inproc_transport(gate)), engine_(catalog, clock, metrics, [this] { wake(); }) {
    engine_.set_transport(config::Transport::inproc, inproc_.get());
  }
  ~SimulatorImpl() override { stop(); }

  Status start(const std::string& url, const std::string& token, const std::vector<config::Simulation>& simulations) override {
    if (!url.empty()) {
      Result<std::unique_ptr<Transport>> http = http_transport(url, token);
      if (!http) return std::move(http).error();
      http_ = std::move(*http);
      engine_.set_transport(config::Transport::http, http_.get());
    }
    // Before the first is added: opening the next one's rows must not make its readings late.
    thread_ = std::thread([this] { run(); });
    Status first_problem;
    for (const config::Simulation& simulation : simulations)
      if (Result<std::uint64_t> added = engine_.add(simulation); !added && first_problem) first_problem = added.error();
    return first_problem;
  }

  Result<std::uint64_t> add(const config::Simulation& simulation) override { return engine_.add(simulation); }
  Status change(std::uint64_t id, const SimulationChange& change) override { return engine_.change(id, change); }
  Status remove(std::uint64_t id) override { return engine_.remove(id); }
  std::vector<SimulationStatus> list() const override { return engine_.list(); }

  void stop() override {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    waiting_.notify_one();
    if (thread_.joinable()) thread_.join();
    if (http_) http_->stop();
    inproc_->stop();
  }

 private:
  void wake() {
    {
      const std::scoped_lock lock(mutex_);
      woken_ = true;
    }
    waiting_.notify_one();
  }

  void run() {
    os::name_thread("sim");
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      woken_ = false;
      lock.unlock();
      const std::optional<std::int64_t> next_ns = engine_.run_due();
      lock.lock();
      const auto disturbed = [this] { return woken_ || stopping_; };
      if (!next_ns)
        waiting_.wait(lock, disturbed);
      else if (const std::int64_t left_ns = *next_ns - clock_.monotonic_ns(); left_ns > 0)
        waiting_.wait_for(lock, std::chrono::nanoseconds(left_ns), disturbed);
    }
  }

  os::Clock& clock_;
  std::mutex mutex_;  ///< guards stopping_ and woken_
  std::condition_variable waiting_;
  bool stopping_ = false;
  bool woken_ = false;
  std::unique_ptr<Transport> inproc_;
  std::unique_ptr<Transport> http_;
  Engine engine_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Simulator> Simulator::create(catalog::Catalog& catalog, ingest::Gate& gate, os::Clock& clock,
                                             metrics::Table& metrics) {
  return std::make_unique<SimulatorImpl>(catalog, gate, clock, metrics);
}

}  // namespace iotstream::sim
