// What a write says beside its points, and how its outcome is told in InfluxDB's words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <iotstream/config/config.hpp>
#include <iotstream/ingest/gate.hpp>
#include <iotstream/net/http.hpp>

namespace iotstream::influx {

/// The two dialects differ in parameters and in the shape of errors.
enum class Dialect : unsigned char { v1, v2 };

inline constexpr std::string_view version_told = "1.8.10";  ///< whose write interface this is

/// Nanoseconds of a unit of `precision`; nothing for one that is not known in the dialect.
std::optional<std::int64_t> unit_of(std::string_view precision, Dialect dialect);

/// Reads db or bucket and precision. Errors: invalid.
Status read_head(const net::Request& request, const config::Influx& config, Dialect dialect, ingest::Submission& submission);

/// 204 when all points were taken; 400 with the first reasons when some were not: the others are, as InfluxDB does it.
net::Response answer_to(const Result<ingest::Outcome>& result, Dialect dialect);
net::Response error_response(unsigned status, std::string_view message, Dialect dialect);

}  // namespace iotstream::influx
