// A body on its way from the socket into a batch, decompressed on the way.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <iotstream/ingest/batch.hpp>

#include "ingest/decompress.hpp"

namespace iotstream::ingest {

using Answer = std::function<net::Response(const Result<Outcome>& result)>;

/// `size_max`: of a decompressed body that is more than 200 times as long as what was sent; above it is refused as too large.
/// What is sent plain may have any length, for every byte of it has cost its sender one.
class BatchSink final : public net::BodySink {
 public:
  /// `head`: what has come of the body, as sent. Nothing when the body must be known as a whole, or cannot be read.
  /// What `submission` refers to is copied.
  static std::unique_ptr<BatchSink> open(Gate& gate, Submission submission, Coding coding, std::string_view head,
                                         std::uint64_t size_max, Answer answer);

  bool take(std::string_view bytes) override;
  void finish(net::Respond respond) override;

 private:
  BatchSink(std::unique_ptr<Batch> batch, std::unique_ptr<Decompressor> decompressor, std::uint64_t size_max, Answer answer)
      : batch_(std::move(batch)), decompressor_(std::move(decompressor)), size_max_(size_max), answer_(std::move(answer)) {}
  bool fail(Error error);

  std::unique_ptr<Batch> batch_;
  std::unique_ptr<Decompressor> decompressor_;  ///< nothing: the body is plain
  std::uint64_t size_max_;
  Answer answer_;
  std::uint64_t taken_ = 0;     ///< bytes as sent
  std::uint64_t unpacked_ = 0;  ///< bytes decompressed
  bool failed_ = false;
  std::string piece_;
};

}  // namespace iotstream::ingest
