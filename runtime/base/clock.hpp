// Where time comes from. Pure code takes `Instant now`; threads get a Clock made in `main`.
#pragma once

#include <troupe/time.hpp>

#include <string>

namespace troupe {

/// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  virtual WallTime wall() const = 0;
};

/// The machine's clocks. The only place outside runtime/http and actors/ that may ask them.
Clock& system_clock();

/// A clock that stands still until told. Not thread-safe; for tests and simulations.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start = {1'700'000'000'000}) : wall_(start) {}
  Instant now() const override { return now_; }
  WallTime wall() const override { return wall_; }
  void pass(Duration d) {
    now_ += d;
    wall_.ms += std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
  }

 private:
  Instant now_{std::chrono::hours(1)};
  WallTime wall_;
};

/// "2026-11-22T14:52:09.123Z"
std::string to_iso8601(WallTime time);
/// "2026-11-22", UTC.
std::string to_date(WallTime time);
/// "1.5s", "230ms", "4m10s": for people.
std::string to_human(Duration d);
double seconds(Duration d);
Duration from_seconds(double s);

}  // namespace troupe
