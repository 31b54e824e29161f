// The one file that knows spdlog.
#define SPDLOG_HEADER_ONLY
#ifndef SPDLOG_FMT_EXTERNAL
#define SPDLOG_FMT_EXTERNAL
#endif

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <iotstream/base/diagnostics.hpp>
#include <iotstream/base/text.hpp>

namespace iotstream::diagnostics {

namespace {

std::atomic<Level> lowest{Level::info};  // relaxed: a message more or less while it changes

constexpr std::array<std::pair<std::string_view, Level>, 5> names{{{"debug", Level::debug},
                                                                   {"info", Level::info},
                                                                   {"warning", Level::warning},
                                                                   {"error", Level::error},
                                                                   {"off", Level::off}}};

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::off:
      break;
  }
  return spdlog::level::off;
}

spdlog::logger& logger() {
  // Never destroyed: threads that outlive main's statics may still have something to say.
  static spdlog::logger* const instance = [] {
    auto* made = new spdlog::logger("iotstream", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_formatter(
        std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc));
    made->set_level(spdlog::level::trace);
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *instance;
}

/// C1 controls (U+0080 to U+009F): terminals obey them too.
bool is_c1(std::string_view sequence) {
  return sequence.size() == 2 && sequence[0] == '\xc2' && static_cast<unsigned char>(sequence[1]) < 0xa0;
}

void append_byte_escape(std::string& out, char c) {
  if (c == '\n') {
    out += "\\n";
  } else {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
  }
}

std::string escape(std::string_view message) {
  std::string out;
  out.reserve(message.size());
  while (!message.empty()) {
    const std::size_t length = utf8_length(message);
    const std::string_view sequence = message.substr(0, length == 0 ? 1 : length);
    const bool control = length == 1 && (static_cast<unsigned char>(sequence[0]) < 0x20 || sequence[0] == 0x7f);
    if (length == 0 || control || is_c1(sequence)) {
      for (const char c : sequence) append_byte_escape(out, c);
    } else {
      out += sequence;
    }
    message.remove_prefix(sequence.size());
  }
  return out;
}

}  // namespace

void set_level(Level level) { lowest.store(level, std::memory_order_relaxed); }

bool set_level(std::string_view name) {
  for (const auto& [candidate, level] : names) {
    if (candidate != name) continue;
    set_level(level);
    return true;
  }
  return false;
}

bool enabled(Level level) noexcept { return level >= lowest.load(std::memory_order_relaxed) && level != Level::off; }

void write(Level level, std::string_view room, std::string_view message) {
  if (!enabled(level)) return;
  logger().log(to_spdlog(level), "{}: {}", escape(room), escape(message));
}

}  // namespace iotstream::diagnostics
