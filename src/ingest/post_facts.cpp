#include "ingest/post_facts.hpp"

#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "ingest/media_type.hpp"

namespace iotstream::ingest {
namespace {

constexpr std::size_t key_size_max = 255;

std::optional<std::uint64_t> below_key_begin(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number >= log::producer_key_begin) return std::nullopt;
  return number;
}

/// Why the headers of a sender that numbers its readings cannot be meant; empty when they can.
std::string_view check_producer(const net::Request& request, bool envelope, Submission& submission) {
  const std::optional<std::string_view> id = request.header("producer-id");
  const std::optional<std::string_view> sequence = request.header("producer-sequence");
  if (!id && !sequence) return {};
  if (!id || !sequence) return "Producer-Id and Producer-Sequence come together";
  if (envelope) return "Producer-Id belongs to /api/v1/datasets/{dataset}/events";
  if (!submission.idempotency_key.empty()) return "send an Idempotency-Key or a Producer-Id, not both";
  const std::optional<std::uint64_t> producer = below_key_begin(*id);
  const std::optional<std::uint64_t> first = below_key_begin(*sequence);
  if (!producer || !first) return "Producer-Id and Producer-Sequence are whole numbers from 0 to 9223372036854775807";
  submission.numbered = Submission::Numbered{*producer, *first};
  return {};
}

std::optional<Acks> acks_of(const net::Request& request) {
  const std::string_view text = request.query_value("acks").value_or("durable");
  if (text == "durable") return Acks::durable;
  if (text == "written") return Acks::written;
  if (text == "none") return Acks::none;
  return std::nullopt;
}

}  // namespace

Result<Coding> coding_of(const net::Request& request) {
  const std::string_view name = request.header("content-encoding").value_or("identity");
  if (const std::optional<Coding> coding = coding_of(name)) return *coding;
  return Error{ErrorKind::unsupported,
               fmt::format("Content-Encoding {} is not known here: send gzip, zstd or none", lower(name))};
}

Status read_head(const net::Request& request, bool envelope, Submission& submission) {
  if (!envelope) submission.dataset = request.param("dataset");
  const std::optional<Acks> acks = acks_of(request);
  if (!acks) return Error{ErrorKind::invalid, "acks must be durable, written or none"};
  submission.acks = *acks;
  const std::optional<BodyFormat> format = format_of(request.header("content-type").value_or(std::string_view()));
  if (!format) return Error{ErrorKind::unsupported, "send application/json, application/x-ndjson or text/csv, in UTF-8"};
  submission.format = *format;
  const std::optional<std::string_view> key = request.header("idempotency-key");
  if (key && (key->empty() || key->size() > key_size_max))
    return Error{ErrorKind::invalid, fmt::format("an Idempotency-Key has 1 to {} bytes", key_size_max)};
  submission.idempotency_key = key.value_or(std::string_view());
  if (const std::string_view reason = check_producer(request, envelope, submission); !reason.empty())
    return Error{ErrorKind::invalid, std::string(reason)};
  return {};
}

}  // namespace iotstream::ingest
