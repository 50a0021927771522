#include "runtime/policy/schedule.hpp"

#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

namespace troupe::policy {
namespace {

constexpr std::size_t kSlotsLooked = 100'000;

std::int64_t whole_ms(Duration length) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(length).count();
}

/// The newest `kept` slots in (last, until], oldest first, and how many there were before them.
struct SlotWalk {
  std::deque<WallTime> newest;
  std::uint64_t older = 0;
  std::optional<WallTime> next;
};

SlotWalk walk(const ScheduleRule& rule, WallTime last, WallTime until, std::size_t kept) {
  SlotWalk out;
  out.next = next_slot(rule.cron, rule.zone, last);
  for (std::size_t i = 0; out.next && *out.next <= until; ++i) {
    // So long a past is not walked through: it goes on with the last day.
    if (i == kSlotsLooked) {
      out.older += std::exchange(out.newest, {}).size();
      out.next = next_slot(rule.cron, rule.zone, WallTime{std::max(out.next->ms, until.ms - 86'400'000)});
      continue;
    }
    out.newest.push_back(*out.next);
    if (out.newest.size() > kept) {
      out.newest.pop_front();
      ++out.older;
    }
    out.next = next_slot(rule.cron, rule.zone, *out.next);
  }
  return out;
}

}  // namespace

const char* to_string(CatchUp catch_up) {
  switch (catch_up) {
    case CatchUp::none: return "none";
    case CatchUp::last: return "last";
    case CatchUp::all: break;
  }
  return "all";
}

DueSlots due_slots(const ScheduleRule& rule, WallTime last, WallTime now, Duration delay) {
  auto until = WallTime{now.ms - whole_ms(delay)};
  auto kept = rule.catch_up == CatchUp::all ? std::max<std::size_t>(1, rule.catch_up_max) : 1;
  auto seen = walk(rule, last, until, kept);
  DueSlots out;
  out.judged = seen.newest.empty() ? last : seen.newest.back();
  out.left_out = seen.older;
  auto late = WallTime{until.ms - whole_ms(rule.grace)};
  for (auto slot : seen.newest) {
    bool left_out = rule.catch_up == CatchUp::none && slot < late;
    if (left_out) ++out.left_out;
    if (!left_out) out.run.push_back(slot);
  }
  if (seen.next) out.next = WallTime{seen.next->ms + whole_ms(delay)};
  return out;
}

std::vector<WallTime> past_slots(const ScheduleRule& rule, WallTime from, WallTime to, std::size_t count) {
  auto seen = walk(rule, from, to, count);
  return {seen.newest.rbegin(), seen.newest.rend()};
}

Duration delay_of(const ScheduleRule& rule, std::string_view schedule, std::string_view tenant) {
  if (rule.jitter <= Duration{}) return {};
  auto hash = stable_hash(fmt::format("{}/{}", schedule, tenant));
  return Duration(static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(rule.jitter.count())));
}

std::string slot_run_id(std::string_view schedule, std::string_view tenant, WallTime slot) {
  return fmt::format("{}/{}@{}Z", schedule, tenant, to_iso8601(slot).substr(0, 16));
}

}  // namespace troupe::policy
