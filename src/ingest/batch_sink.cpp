#include "ingest/batch_sink.hpp"

#include <utility>

#include <fmt/format.h>

namespace iotstream::ingest {
namespace {

constexpr std::size_t piece_size = 256u << 10;
// Readings repeat themselves, but not without end: logs of machines that stand still come to some 100 : 1.
constexpr std::uint64_t ratio_max = 200;

/// The first bytes of what was compressed; nothing when they cannot be had.
std::optional<std::string> begin_of(Coding coding, std::string_view head) {
  auto decompressor = Decompressor::create(coding);
  if (!decompressor) return std::nullopt;
  std::string begin;
  for (bool more = true; more && begin.size() < piece_size;) {
    const Result<bool> next = (*decompressor)->next(head, begin, piece_size - begin.size());
    if (!next) return std::nullopt;
    more = *next;
  }
  return begin;
}

}  // namespace

std::unique_ptr<BatchSink> BatchSink::open(Gate& gate, Submission submission, Coding coding, std::string_view head,
                                           std::uint64_t size_max, Answer answer) {
  std::unique_ptr<Decompressor> decompressor;
  std::optional<std::string> begin;
  submission.body = head;
  if (coding != Coding::identity) {
    auto created = Decompressor::create(coding);
    begin = begin_of(coding, head);
    if (!created || !begin) return nullptr;
    decompressor = std::move(*created);
    submission.body = *begin;
  }
  if (submission.body.size() < batch_fingerprint_size) return nullptr;
  std::unique_ptr<Batch> batch = open_batch(gate, submission);
  if (!batch) return nullptr;
  return std::unique_ptr<BatchSink>(new BatchSink(std::move(batch), std::move(decompressor), size_max, std::move(answer)));
}

bool BatchSink::fail(Error error) {
  failed_ = true;
  batch_->fail(std::move(error));
  return false;
}

bool BatchSink::take(std::string_view bytes) {
  if (!decompressor_) return batch_->take(bytes);
  taken_ += bytes.size();
  for (bool more = true; more;) {
    piece_.clear();
    const Result<bool> next = decompressor_->next(bytes, piece_, piece_size);
    if (!next) return fail(next.error());
    unpacked_ += piece_.size();
    if (unpacked_ > size_max_ && unpacked_ / ratio_max > taken_)
      return fail({ErrorKind::too_large,
                   fmt::format("the decompressed body has more than {} bytes and is more than {} times as long as the sent one",
                               size_max_, ratio_max)});
    if (!batch_->take(piece_)) return false;
    more = *next;
  }
  return true;
}

void BatchSink::finish(net::Respond respond) {
  if (decompressor_ && !failed_)
    if (Status whole = decompressor_->finish(); !whole) fail(std::move(whole).error());
  batch_->finish([answer = answer_, respond = std::move(respond)](const Result<Outcome>& result) { respond(answer(result)); });
}

}  // namespace iotstream::ingest
