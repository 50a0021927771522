// Who pays for reserved hours: features by what they used and by what is kept free for them, the rest as a
// line of its own, to the cent (I2). Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace troupe::policy {

/// `total` split in proportion to `weights`, in whole units that sum to `total` exactly: each gets its floor,
/// what is left over goes to the largest remainders, the earlier first (Hamilton's method). Negative and
/// non-finite weights count as zero; all zero: everything goes to the last. Negative totals are split alike.
/// Empty when `weights` is.
std::vector<std::int64_t> apportion(std::int64_t total, std::span<const double> weights);
/// What one would write first: each share rounded by itself. For showing what the remainders are worth.
std::vector<std::int64_t> apportion_naively(std::int64_t total, std::span<const double> weights);

/// Units kept for a feature, whether it comes or not.
struct Reservation {
  std::string feature;
  double units = 0;
};
struct CapacityUse {
  std::string feature;
  double unit_hours = 0;
};

struct AllocationLine {
  std::string feature;
  /// Used, and kept free for it: unit-hours.
  double used = 0, headroom = 0;
  std::int64_t used_cents = 0, headroom_cents = 0;
  std::int64_t cents() const { return used_cents + headroom_cents; }
};
struct Allocation {
  /// By feature.
  std::vector<AllocationLine> lines;
  double idle = 0;
  std::int64_t idle_cents = 0;
  /// All lines and idle: the bill.
  std::int64_t total_cents() const;
};

/// Collects hours of one pool. Not thread-safe.
///
/// In each stretch of time a feature holds what it used and, up to its reservation, what was kept free for
/// it; what nobody held is idle. Where the whole was in demand, headroom that others borrowed is paid by who
/// used it: a feature without traffic pays its reservation at most, and exactly that when nobody borrowed.
/// Use beyond the capacity (estimates, bursts) shares the bill by use alone.
class CapacityAllocation {
 public:
  /// Reservations of one feature add up.
  CapacityAllocation(double units, std::span<const Reservation> reservations);
  /// `hours` in which these uses happened; use is assumed even within them, so give an hour at a time.
  void add(double hours, std::span<const CapacityUse> uses);
  /// The bill over all that was added. No hours: all idle.
  Allocation close(std::int64_t bill_cents) const;

 private:
  struct Held {
    double used = 0, headroom = 0;
  };
  double units_;
  std::map<std::string, double> reserved_;
  std::map<std::string, Held> held_;
  double idle_ = 0;
};

/// For one stretch of time.
Allocation allocate(std::int64_t bill_cents, double units, double hours, std::span<const CapacityUse> uses,
                    std::span<const Reservation> reservations);

}  // namespace troupe::policy
