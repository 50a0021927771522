// What was spent, line by line: tokens at their price, reserved hours shared out (I2, I3). Any grouping of
// the lines has the same sum, exactly. Pure.
#pragma once

#include "runtime/policy/allocation.hpp"

#include <troupe/completion.hpp>
#include <troupe/time.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::policy {

/// Money in billionths of a USD: the smallest price of a token is some tens of them.
using NanoUsd = std::int64_t;
inline constexpr NanoUsd kNanoPerUsd = 1'000'000'000;
inline constexpr NanoUsd kNanoPerCent = 10'000'000;
/// "-0.000000001": exact.
std::string usd_text(NanoUsd nano, int digits = 9);

/// "2026-11-22T07:00:00Z", as the ledger names hours, to its first millisecond; nothing for other text.
std::optional<WallTime> hour_of(std::string_view text);

/// Sums of the ledger over attempts alike in all of these.
struct LedgerLine {
  /// When the hour began.
  WallTime hour;
  std::string feature, tenant, model, endpoint, cause, run, price;
  std::uint64_t attempts = 0, failed = 0, unpriced = 0;
  Usage usage;
  NanoUsd nano = 0;
  double unit_hours = 0;
};

/// Reserved capacity of one endpoint, paid by the hour.
struct ReservedPool {
  std::string endpoint, model;
  double units = 0;
  double usd_per_unit_hour = 0;
  std::vector<Reservation> reservations;
  /// While it is paid for; no `until`: still.
  WallTime since;
  WallTime until{INT64_MAX};
};

enum class ChargeKind : std::uint8_t { tokens, purchase, used, headroom, idle };
const char* to_string(ChargeKind kind);

struct Charge {
  ChargeKind kind = ChargeKind::tokens;
  WallTime from, to;
  /// Empty where it makes no sense; `cause` is the attempt's, or "reserved_headroom", "reserved_idle".
  std::string feature, tenant, model, endpoint, cause, run, price;
  std::uint64_t attempts = 0, failed = 0, unpriced = 0;
  Usage usage;
  double unit_hours = 0;
  /// What the provider asks for, and what it is worth to whom: a purchase is billed and has no effect, its
  /// shares have the effect and are not billed. Both sums are equal.
  NanoUsd billed = 0, effective = 0;
};

/// All charges of [from, to). Lines outside are passed over. A pool's hours are shared out month by month
/// (UTC), since that is how they are billed; each month's bill is rounded to the cent.
std::vector<Charge> charges_of(std::span<const LedgerLine> lines, std::span<const ReservedPool> pools,
                               WallTime from, WallTime to);

struct ChargeSum {
  std::string key;
  std::uint64_t attempts = 0, failed = 0, unpriced = 0;
  Usage usage;
  double unit_hours = 0;
  NanoUsd nano = 0;
};
/// By feature, tenant, model, endpoint, cause or run; what has no such key is under "(idle)" or
/// "(reserved)". Dearest first. Nothing for another word.
std::vector<ChargeSum> sums_by(std::string_view key, std::span<const Charge> charges);
NanoUsd total_of(std::span<const Charge> charges);

/// The first millisecond of the month that holds `at`, and of the next (UTC).
WallTime month_of(WallTime at);
WallTime month_after(WallTime at);

}  // namespace troupe::policy
