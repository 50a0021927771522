#include "runtime/policy/charges.hpp"

#include "runtime/policy/price_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

namespace troupe::policy {
namespace {

constexpr std::int64_t kChargeHourMs = 3'600'000;

std::chrono::year_month year_month_of(WallTime at) {
  auto day = std::chrono::floor<std::chrono::days>(std::chrono::milliseconds(at.ms));
  std::chrono::year_month_day date{std::chrono::sys_days(day)};
  return date.year() / date.month();
}

WallTime first_of(std::chrono::year_month month) {
  auto since = std::chrono::sys_days(month / std::chrono::day(1)).time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::milliseconds>(since).count()};
}

Charge token_charge(const LedgerLine& line) {
  Charge out;
  out.from = line.hour;
  out.to = {line.hour.ms + kChargeHourMs};
  out.feature = line.feature;
  out.tenant = line.tenant;
  out.model = line.model;
  out.endpoint = line.endpoint;
  out.cause = line.cause;
  out.run = line.run;
  out.price = line.price;
  out.attempts = line.attempts;
  out.failed = line.failed;
  out.unpriced = line.unpriced;
  out.usage = line.usage;
  out.billed = out.effective = line.nano;
  return out;
}

/// One pool in one month.
class PoolMonth {
 public:
  PoolMonth(const ReservedPool& pool, WallTime from, WallTime to) : pool_(pool), from_(from), to_(to) {}

  /// A line of this pool; outside the month: none of ours.
  void add(const LedgerLine& line) {
    if (line.hour.ms + kChargeHourMs > from_.ms && line.hour < to_) lines_.push_back(&line);
  }

  void close(std::vector<Charge>& out) const {
    auto unit_hours = pool_.units * hours(from_, to_);
    auto cents = std::llround(unit_hours * pool_.usd_per_unit_hour * 100);
    auto bought = charge(ChargeKind::purchase, "", "reserved_purchase", unit_hours);
    bought.billed = cents * kNanoPerCent;
    out.push_back(std::move(bought));
    auto shares = allocation().close(cents);
    for (const auto& line : shares.lines) {
      share_out(line, out);
      if (line.headroom_cents == 0) continue;
      auto kept = charge(ChargeKind::headroom, line.feature, "reserved_headroom", line.headroom);
      kept.effective = line.headroom_cents * kNanoPerCent;
      out.push_back(std::move(kept));
    }
    auto idle = charge(ChargeKind::idle, "", "reserved_idle", shares.idle);
    idle.effective = shares.idle_cents * kNanoPerCent;
    if (shares.idle_cents != 0) out.push_back(std::move(idle));
  }

 private:
  static double hours(WallTime from, WallTime to) {
    return static_cast<double>(to.ms - from.ms) / static_cast<double>(kChargeHourMs);
  }

  Charge charge(ChargeKind kind, std::string feature, std::string cause, double unit_hours) const {
    Charge out;
    out.kind = kind;
    out.from = from_;
    out.to = to_;
    out.feature = std::move(feature);
    out.model = pool_.model;
    out.endpoint = pool_.endpoint;
    out.cause = std::move(cause);
    out.price = "reserved";
    out.unit_hours = unit_hours;
    return out;
  }

  // Hours that saw traffic one by one; the others are alike.
  CapacityAllocation allocation() const {
    std::map<WallTime, std::vector<CapacityUse>> by_hour;
    for (const auto* line : lines_) by_hour[line->hour].push_back({line->feature, line->unit_hours});
    CapacityAllocation out(pool_.units, pool_.reservations);
    auto quiet = hours(from_, to_);
    for (const auto& [hour, uses] : by_hour) {
      auto part = hours(std::max(hour, from_), std::min(WallTime{hour.ms + kChargeHourMs}, to_));
      out.add(part, uses);
      quiet -= part;
    }
    out.add(quiet, {});
    return out;
  }

  // A feature's share goes to its attempts by what they took, so that causes are not hidden in it (I3).
  void share_out(const AllocationLine& share, std::vector<Charge>& out) const {
    std::vector<const LedgerLine*> mine;
    std::vector<double> weights;
    for (const auto* line : lines_)
      if (line->feature == share.feature && line->unit_hours > 0) {
        mine.push_back(line);
        weights.push_back(line->unit_hours);
      }
    auto parts = apportion(share.used_cents * kNanoPerCent, weights);
    for (std::size_t i = 0; i < mine.size(); ++i) {
      auto used = token_charge(*mine[i]);
      used.kind = ChargeKind::used;
      used.unit_hours = mine[i]->unit_hours;
      // The attempts themselves are on the line of their tokens.
      used.attempts = used.failed = used.unpriced = 0;
      used.usage = {};
      used.billed = 0;
      used.effective = parts[i];
      out.push_back(std::move(used));
    }
  }

  const ReservedPool& pool_;
  WallTime from_, to_;
  std::vector<const LedgerLine*> lines_;
};

void charge_pool(const ReservedPool& pool, std::span<const LedgerLine> lines, WallTime from, WallTime to,
                 std::vector<Charge>& out) {
  auto begin = std::max(from, pool.since), end = std::min(to, pool.until);
  bool paid = pool.units > 0 && pool.usd_per_unit_hour > 0;
  while (paid && begin < end) {
    auto stop = std::min(end, month_after(begin));
    PoolMonth month(pool, begin, stop);
    for (const auto& line : lines)
      if (line.endpoint == pool.endpoint) month.add(line);
    month.close(out);
    begin = stop;
  }
}

void add_usage(Usage& sum, const Usage& more) {
  sum.input += more.input;
  sum.output += more.output;
  sum.cache_read += more.cache_read;
  sum.cache_write += more.cache_write;
  sum.reasoning += more.reasoning;
  sum.estimated = sum.estimated || more.estimated;
}

std::string key_of(const Charge& charge, const std::string Charge::*member) {
  const auto& name = charge.*member;
  if (!name.empty() || charge.kind == ChargeKind::tokens) return name;
  return charge.kind == ChargeKind::idle ? "(idle)" : "(reserved)";
}

}  // namespace

const char* to_string(ChargeKind kind) {
  constexpr std::array names{"tokens", "purchase", "used", "headroom", "idle"};
  return names[static_cast<std::size_t>(kind)];
}

std::optional<WallTime> hour_of(std::string_view text) {
  auto day = text.size() == 20 && text[10] == 'T' && text.ends_with(":00:00Z")
                 ? midnight_of(text.substr(0, 10))
                 : std::nullopt;
  auto tens = day ? text[11] - '0' : -1, ones = day ? text[12] - '0' : -1;
  bool digits = tens >= 0 && tens <= 2 && ones >= 0 && ones <= 9 && tens * 10 + ones < 24;
  if (!digits) return std::nullopt;
  return WallTime{day->ms + (tens * 10 + ones) * kChargeHourMs};
}

WallTime month_of(WallTime at) { return first_of(year_month_of(at)); }
WallTime month_after(WallTime at) { return first_of(year_month_of(at) + std::chrono::months(1)); }

std::string usd_text(NanoUsd nano, int digits) {
  auto whole = static_cast<std::uint64_t>(nano < 0 ? -nano : nano);
  constexpr auto per_usd = static_cast<std::uint64_t>(kNanoPerUsd);
  auto text = fmt::format("{}{}.{:09}", nano < 0 ? "-" : "", whole / per_usd, whole % per_usd);
  text.resize(text.size() - static_cast<std::size_t>(9 - std::clamp(digits, 1, 9)));
  return text;
}

std::vector<Charge> charges_of(std::span<const LedgerLine> lines, std::span<const ReservedPool> pools,
                               WallTime from, WallTime to) {
  std::vector<Charge> out;
  std::vector<LedgerLine> within;
  for (const auto& line : lines) {
    if (line.hour.ms + kChargeHourMs <= from.ms || line.hour >= to) continue;
    out.push_back(token_charge(line));
    within.push_back(line);
  }
  for (const auto& pool : pools) charge_pool(pool, within, from, to, out);
  return out;
}

std::vector<ChargeSum> sums_by(std::string_view key, std::span<const Charge> charges) {
  const std::map<std::string_view, const std::string Charge::*> members{
      {"feature", &Charge::feature},   {"tenant", &Charge::tenant}, {"model", &Charge::model},
      {"endpoint", &Charge::endpoint}, {"cause", &Charge::cause},   {"run", &Charge::run}};
  auto member = members.find(key);
  if (member == members.end()) return {};
  std::map<std::string, ChargeSum> sums;
  for (const auto& charge : charges) {
    if (charge.kind == ChargeKind::purchase) continue;
    auto name = key_of(charge, member->second);
    auto& sum = sums[name];
    sum.key = name;
    sum.attempts += charge.attempts;
    sum.failed += charge.failed;
    sum.unpriced += charge.unpriced;
    add_usage(sum.usage, charge.usage);
    sum.unit_hours += charge.unit_hours;
    sum.nano += charge.effective;
  }
  std::vector<ChargeSum> out;
  for (auto& [name, sum] : sums) out.push_back(std::move(sum));
  std::ranges::stable_sort(out, std::greater<>(), &ChargeSum::nano);
  return out;
}

NanoUsd total_of(std::span<const Charge> charges) {
  NanoUsd sum = 0;
  for (const auto& charge : charges) sum += charge.effective;
  return sum;
}

}  // namespace troupe::policy
