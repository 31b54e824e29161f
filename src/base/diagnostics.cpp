// spdlog is included here and nowhere else: it is the slowest header of the program.
#define SPDLOG_HEADER_ONLY
#define SPDLOG_FMT_EXTERNAL
#define SPDLOG_NO_EXCEPTIONS
#include <atomic>
#include <memory>
#include <string>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <iotstream/base/diagnostics.hpp>

namespace iotstream::diagnostics {

namespace {

std::atomic<Level> lowest{Level::info};  // relaxed: a filter, publishes nothing

spdlog::logger& printer() {
  static const auto logger = [] {
    auto made = std::make_shared<spdlog::logger>("iotstream", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%f%z %^%-7l%$ %v");
    made->set_level(spdlog::level::debug);
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return *logger;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f)
      out += fmt::format("\\x{:02x}", byte);
    else
      out += c;
  }
  return out;
}

}  // namespace

void set_level(Level level) { lowest.store(level, std::memory_order_relaxed); }

bool set_level(std::string_view name) {
  constexpr std::pair<std::string_view, Level> names[] = {{"debug", Level::debug},
                                                          {"info", Level::info},
                                                          {"warning", Level::warning},
                                                          {"error", Level::error},
                                                          {"off", Level::off}};
  for (const auto& [known, level] : names) {
    if (known != name) continue;
    set_level(level);
    return true;
  }
  return false;
}

bool enabled(Level level) noexcept { return level >= lowest.load(std::memory_order_relaxed); }

void write(Level level, std::string_view room, std::string_view message) {
  if (!enabled(level) || level == Level::off) return;
  constexpr spdlog::level::level_enum levels[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                                  spdlog::level::err};
  printer().log(levels[static_cast<unsigned>(level)], "{}: {}", room, printable(message));
}

}  // namespace iotstream::diagnostics
