#include "apps/troupe/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace troupe::app {
namespace {

constexpr Duration kTerminalEvery = std::chrono::milliseconds(100);
constexpr Duration kPlainEvery = std::chrono::seconds(3);

// Only of runs that have any.
std::string of_children(const RunProgress& progress) {
  std::string out;
  if (progress.children > 0) out += fmt::format("  {} agents at work", progress.children);
  if (progress.tool_calls > 0) out += fmt::format("  {} tool calls", progress.tool_calls);
  return out;
}

std::string line_of(const RunProgress& progress, Duration took) {
  auto fresh = progress.steps_done - progress.steps_replayed;
  double rate = seconds(took) > 0 ? static_cast<double>(fresh) / seconds(took) : 0;
  auto left = progress.steps_planned > progress.steps_done ? progress.steps_planned - progress.steps_done : 0;
  std::string eta = rate > 0.01 && left > 0
                        ? ", " + to_human(from_seconds(static_cast<double>(left) / rate)) + " left"
                        : "";
  std::string replayed =
      progress.steps_replayed > 0 ? fmt::format(" ({} replayed)", progress.steps_replayed) : "";
  return fmt::format("{}/{} steps{}{}  {} calls  {} tokens  ${:.4f}  {:.1f} steps/s{}", progress.steps_done,
                     progress.steps_planned, replayed, of_children(progress), progress.calls, progress.tokens,
                     progress.usd, rate, eta);
}

}  // namespace

ProgressLine::ProgressLine(bool quiet, Clock& clock)
    : quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) == 1),
      clock_(clock),
      began_(clock.now()),
      shown_(began_) {}

void ProgressLine::show(const RunProgress& progress) {
  if (quiet_) return;
  std::lock_guard lock(mutex_);
  auto now = clock_.now();
  if (now - shown_ < (terminal_ ? kTerminalEvery : kPlainEvery)) return;
  shown_ = now;
  auto line = line_of(progress, now - began_);
  std::fprintf(stderr, terminal_ ? "\r\x1b[2K%s" : "%s\n", line.c_str());
  std::fflush(stderr);
  dirty_ = terminal_;
}

void ProgressLine::end() {
  std::lock_guard lock(mutex_);
  if (std::exchange(dirty_, false)) std::fputs("\n", stderr);
}

}  // namespace troupe::app
