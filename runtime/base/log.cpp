#include "runtime/base/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>

namespace troupe::log {
namespace {

std::atomic<Sink> sink_now{nullptr};
std::atomic<Level> level_now{Level::off};

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warn: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
    case Level::off: break;
  }
  return spdlog::level::off;
}

void stderr_sink(Level level, std::string_view component, std::string_view line) {
  static auto logger = [] {
    auto made =
        std::make_shared<spdlog::logger>("troupe", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_pattern("%H:%M:%S.%e %^%-5l%$ %v");
    made->set_level(spdlog::level::trace);
    return made;
  }();
  logger->log(to_spdlog(level), "{}: {}", component, line);
}

void write(Level level, std::string_view component, std::string_view line) {
  auto sink = sink_now.load(std::memory_order_relaxed);
  if (sink != nullptr && enabled(level)) sink(level, component, line);
}

}  // namespace

void set_sink(Sink sink, Level from) {
  sink_now = sink;
  level_now = sink == nullptr ? Level::off : from;
}
void to_stderr(Level from) { set_sink(&stderr_sink, from); }

bool enabled(Level level) { return level >= level_now.load(std::memory_order_relaxed); }
void debug(std::string_view component, std::string_view line) { write(Level::debug, component, line); }
void info(std::string_view component, std::string_view line) { write(Level::info, component, line); }
void warn(std::string_view component, std::string_view line) { write(Level::warn, component, line); }
void error(std::string_view component, std::string_view line) { write(Level::error, component, line); }

}  // namespace troupe::log
