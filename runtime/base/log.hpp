// Logging: component first, ids always, content never. The one home of spdlog.
#pragma once

#include <string>
#include <string_view>

namespace troupe::log {

enum class Level { debug, info, warn, error, off };

/// Where lines go and from which level on. A host that embeds us sets its own sink; by default nothing is
/// printed.
using Sink = void (*)(Level level, std::string_view component, std::string_view line);
void set_sink(Sink sink, Level from = Level::info);
/// Lines to stderr with time and level, through spdlog.
void to_stderr(Level from);

bool enabled(Level level);
void debug(std::string_view component, std::string_view line);
void info(std::string_view component, std::string_view line);
void warn(std::string_view component, std::string_view line);
void error(std::string_view component, std::string_view line);

}  // namespace troupe::log
