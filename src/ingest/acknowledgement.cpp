#include "ingest/acknowledgement.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

namespace iotstream::ingest {
namespace {

class Waiting {
 public:
  Waiting(std::size_t partitions, Acknowledged done) : remaining_(partitions), done_(std::move(done)) {}

  void arrived(const Status& status) {
    if (!status) {
      const std::scoped_lock lock(mutex_);
      status_ = status;
    }
    if (remaining_.fetch_sub(1, std::memory_order_acq_rel) == 1) done_(status_);
  }

 private:
  std::atomic<std::size_t> remaining_;  ///< acq_rel: who brings it to 0 sees every failure noted before
  std::mutex mutex_;                    ///< guards status_ while others arrive
  Status status_;
  Acknowledged done_;
};

}  // namespace

void acknowledge(const std::vector<Touched>& touched, Acks acks, Acknowledged done) {
  if (acks == Acks::none || touched.empty()) {
    done({});
    return;
  }
  const auto watermark = acks == Acks::durable ? log::Watermark::durable : log::Watermark::written;
  const auto waiting = std::make_shared<Waiting>(touched.size(), std::move(done));
  for (const Touched& one : touched)
    one.partition->when(watermark, one.last, [waiting](const Status& status) { waiting->arrived(status); });
}

}  // namespace iotstream::ingest
