// Parking a thread on a word, with a timeout: what std::atomic::wait lacks.
#pragma once

#include <atomic>
#include <cstdint>

#include <iotstream/base/time.hpp>

namespace iotstream::log {

inline constexpr Duration forever{-1};

/// Parks while `word` holds `expected`, at most `timeout` (`forever`: without end). May return early.
void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, Duration timeout);
void futex_wake(std::atomic<std::uint32_t>& word);

}  // namespace iotstream::log
