// GET /api/v1/verify: every byte of the log and every row of history checked, slice by slice.
#include <atomic>
#include <chrono>

#include <fmt/format.h>

#include <iotstream/base/json.hpp>
#include <iotstream/os/disk.hpp>

#include "http/parameters.hpp"
#include "http/routes.hpp"

namespace iotstream::http {

namespace {

constexpr std::size_t slice_size = 4u << 20;
constexpr std::uint64_t rate_default = 64u << 20;

void write_finding(json::Writer& writer, const log::Finding& finding) {
  writer.begin_object().key("finding").begin_object();
  writer.key("kind").value(finding.kind == log::Finding::Kind::damage ? "damage" : "note");
  if (!finding.topic.empty()) writer.key("topic").value(finding.topic);
  if (finding.partition) writer.key("partition").value(static_cast<std::uint64_t>(finding.partition->value));
  if (finding.first < finding.next) {
    writer.key("first").value(finding.first.value);
    writer.key("next").value(finding.next.value);
  }
  if (!finding.file.empty()) {
    writer.key("file").value(finding.file);
    writer.key("position").value(finding.position);
  }
  writer.key("what").value(finding.what);
  writer.end_object().end_object();
}

void write_totals(json::Writer& writer, const store::VerifyTotals& totals) {
  writer.key("topics").value(totals.log.topics);
  writer.key("partitions").value(totals.log.partitions);
  writer.key("segments").value(totals.log.segments);
  writer.key("batches").value(totals.log.batches);
  writer.key("records").value(totals.log.records);
  writer.key("bytes").value(totals.log.bytes);
  writer.key("bytes_expected").value(totals.log.bytes_expected);
  writer.key("indexes").value(totals.log.indexes);
  writer.key("indexes_absent").value(totals.log.indexes_absent);
  writer.key("groups").value(totals.log.groups);
  writer.key("datasets").value(totals.datasets);
  writer.key("rows").value(totals.rows);
  writer.key("damage").value(totals.damage);
  writer.key("notes").value(totals.notes);
}

class VerifyStream final : public net::BodySource {
 public:
  VerifyStream(std::unique_ptr<store::Verification> verification, std::uint64_t bytes_per_second)
      : verification_(std::move(verification)), rate_(bytes_per_second) {}

  Result<bool> next(std::string& out) override {
    const auto began = std::chrono::steady_clock::now();
    const std::uint64_t read_before = verification_->totals().log.bytes;
    const bool more = verification_->step(slice_size);
    for (const log::Finding& finding : verification_->take_findings()) {
      json::Writer writer(out);
      write_finding(writer, finding);
      out += '\n';
    }
    json::Writer writer(out);
    const store::VerifyTotals& totals = verification_->totals();
    writer.begin_object().key(more ? "progress" : "report").begin_object();
    if (!more) writer.key("ok").value(totals.damage == 0);
    write_totals(writer, totals);
    writer.end_object().end_object();
    out += '\n';
    rest(totals.log.bytes - read_before, std::chrono::steady_clock::now() - began);
    return more;
  }

  Duration pause() const override { return pause_; }

 private:
  /// What was read may not have been quicker than the rate; the disk and a processor are for others meanwhile.
  void rest(std::uint64_t bytes, std::chrono::steady_clock::duration took) {
    pause_ = {};
    if (rate_ == 0) return;
    const auto due = static_cast<std::int64_t>(static_cast<double>(bytes) / static_cast<double>(rate_) * 1e6);
    const auto took_us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
    // Rows of history take time without bytes of the log: at least as long for others as for this.
    pause_ = {std::max<std::int64_t>(due - took_us, took_us)};
  }

  std::unique_ptr<store::Verification> verification_;
  std::uint64_t rate_;
  Duration pause_;
};

/// Frees the one place when it dies.
class OnlyOne final : public net::BodySource {
 public:
  OnlyOne(std::unique_ptr<net::BodySource> source, std::shared_ptr<std::atomic<bool>> running)
      : source_(std::move(source)), running_(std::move(running)) {}
  ~OnlyOne() override { running_->store(false, std::memory_order_relaxed); }
  Result<bool> next(std::string& out) override { return source_->next(out); }
  Duration pause() const override { return source_->pause(); }

 private:
  std::unique_ptr<net::BodySource> source_;
  std::shared_ptr<std::atomic<bool>> running_;
};

Answer verify(Services& services, const net::Request& request, const std::shared_ptr<std::atomic<bool>>& running) {
  std::uint64_t rate = rate_default;
  if (const auto text = request.query_value("rate")) {
    auto size = parse_size(*text);
    if (!size) return Error{ErrorKind::invalid, fmt::format("rate: {}", size.error().message)};
    rate = *size;
  }
  // Relaxed: only decides who may; publishes nothing.
  if (running->exchange(true, std::memory_order_relaxed))
    return Error{ErrorKind::busy, "a verification is running, and one is enough; try again when it has ended"};
  auto verification = store::Verification::create(
      os::real_disk(), {services.config.data_dir, services.config.store.retention_rows, services.clock.now(), &services.log});
  net::Response response;
  response.content_type = "application/x-ndjson";
  response.source = std::make_unique<OnlyOne>(verify_stream(std::move(verification), rate), running);
  return response;
}

}  // namespace

std::unique_ptr<net::BodySource> verify_stream(std::unique_ptr<store::Verification> verification,
                                               std::uint64_t bytes_per_second) {
  return std::make_unique<VerifyStream>(std::move(verification), bytes_per_second);
}

void add_verify_route(net::Router& router, Services& services) {
  router.add(net::Method::get, "/api/v1/verify",
             on_worker(services, [&services, running = std::make_shared<std::atomic<bool>>(false)](
                                     const net::Request& request) { return verify(services, request, running); }));
}

}  // namespace iotstream::http
