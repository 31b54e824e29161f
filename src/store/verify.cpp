#include <algorithm>

#include <iotstream/store/verify.hpp>

#include "store/verify_history.hpp"

namespace iotstream::store {

namespace {

class VerificationOfDirectory final : public Verification {
 public:
  VerificationOfDirectory(os::Disk& disk, VerifyOptions options)
      : options_(std::move(options)),
        history_(disk, options_, totals_, findings_),
        log_(log::Verifier::create(disk, {options_.data_dir + "/log", options_.log}, &history_)) {}

  bool step(std::size_t bytes) override {
    if (history_.compare()) return true;
    const bool more = log_->step(bytes) || history_.compare();
    totals_.log = log_->totals();
    return more;
  }

  std::vector<log::Finding> take_findings() override {
    std::vector<log::Finding> found = log_->take_findings();
    found.insert(found.end(), std::make_move_iterator(findings_.begin()), std::make_move_iterator(findings_.end()));
    findings_.clear();
    for (const log::Finding& finding : found) ++(finding.kind == log::Finding::Kind::damage ? totals_.damage : totals_.notes);
    return found;
  }
  const VerifyTotals& totals() const override { return totals_; }

 private:
  VerifyOptions options_;
  VerifyTotals totals_;
  std::vector<log::Finding> findings_;
  HistoryVerifier history_;
  std::unique_ptr<log::Verifier> log_;
};

}  // namespace

std::unique_ptr<Verification> Verification::create(os::Disk& disk, VerifyOptions options) {
  return std::make_unique<VerificationOfDirectory>(disk, std::move(options));
}

}  // namespace iotstream::store
