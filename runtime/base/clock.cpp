#include "runtime/base/clock.hpp"

#include <fmt/format.h>

#include <cmath>
#include <ctime>

namespace troupe {
namespace {

class SystemClock final : public Clock {
 public:
  Instant now() const override { return std::chrono::steady_clock::now(); }
  WallTime wall() const override {
    auto since = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::milliseconds>(since).count()};
  }
};

std::tm utc(WallTime time) {
  auto secs = static_cast<std::time_t>((time.ms - ((time.ms % 1000) + 1000) % 1000) / 1000);
  std::tm out{};
  gmtime_r(&secs, &out);
  return out;
}

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

std::string to_iso8601(WallTime time) {
  auto t = utc(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                     t.tm_hour, t.tm_min, t.tm_sec, ((time.ms % 1000) + 1000) % 1000);
}

std::string to_date(WallTime time) {
  auto t = utc(time);
  return fmt::format("{:04}-{:02}-{:02}", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday);
}

std::string to_human(Duration d) {
  double s = seconds(d);
  if (s < 0) return "-" + to_human(-d);
  if (s < 1e-3) return fmt::format("{:.0f}us", s * 1e6);
  if (s < 1) return fmt::format("{:.0f}ms", s * 1e3);
  if (s < 60) return fmt::format("{:.1f}s", s);
  auto whole = static_cast<long long>(std::llround(s));
  if (whole < 3600) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  return fmt::format("{}h{:02}m", whole / 3600, whole % 3600 / 60);
}

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

Duration from_seconds(double s) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
}

}  // namespace troupe
