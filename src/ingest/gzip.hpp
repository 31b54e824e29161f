// Bodies that were sent compressed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <iotstream/base/result.hpp>

namespace iotstream::ingest {

/// Decompresses gzip (RFC 1952), several members after each other included. Errors: invalid (not gzip, damaged, cut short, or
/// followed by something else), too_large when more than `size_max` bytes come out: the work and the memory are bounded by
/// that, whatever the input promises.
Result<std::string> gunzip(std::string_view compressed, std::uint64_t size_max);

}  // namespace iotstream::ingest
