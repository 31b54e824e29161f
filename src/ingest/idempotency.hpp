// Remembers what was handled under an idempotency key, so that a repeated body is not taken twice.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <iotstream/ingest/gate.hpp>

#include "ingest/acknowledgement.hpp"

namespace iotstream::ingest {

/// Bounded: keys_max keys, 10 minutes each since they were first used; the oldest go first. In memory: a restart forgets them.
/// Thread-safe.
class Idempotency {
 public:
  static constexpr std::size_t keys_max = 10'000;
  static constexpr std::size_t waiting_max = 64;  ///< repetitions that wait for one running submission
  static constexpr std::int64_t kept_ns = 600'000'000'000;

  /// What to do with a submission.
  enum class Verdict : unsigned char {
    proceed,   ///< handle it, but not its first `handled` readings; then call finish()
    answered,  ///< `done` was or will be called
  };
  struct Admission {
    Verdict verdict = Verdict::proceed;
    std::uint64_t handled = 0;  ///< accepted and rejected by an earlier try that the log refused in the middle
    Outcome earlier;            ///< of that try
  };
  /// `key` includes the dataset. `fingerprint` tells bodies apart. Calls or keeps `done` when the verdict is answered.
  Admission enter(const std::string& key, std::uint64_t fingerprint, std::int64_t now_ns, const Done& done);
  /// The outcome of a submission that was told to proceed, `handled` readings in all. Answers those who wait for it. An error,
  /// and an outcome that was not acknowledged, are forgotten: the next try is a first one.
  void finish(const std::string& key, const Result<Outcome>& result, std::uint64_t handled, bool acknowledged);

  /// The outcome as a repetition sees it: what was accepted are duplicates now.
  static Outcome repeated(Outcome outcome);

 private:
  struct Entry {
    std::string key;
    std::uint64_t fingerprint = 0;
    std::int64_t since_ns = 0;
    bool running = true;
    std::uint64_t handled = 0;
    Outcome outcome;
    std::vector<Done> waiting;
  };
  using Entries = std::list<Entry>;
  void forget_old(std::int64_t now_ns);

  std::mutex mutex_;                                                ///< guards all below; never held while `done` runs
  Entries entries_;                                                 ///< oldest first
  std::unordered_map<std::string_view, Entries::iterator> by_key_;  ///< keys are views of the entries'
};

}  // namespace iotstream::ingest
