// What is told of a call, and of its endpoints, while it is followed.
#include "actors/following.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace troupe::actors {

Cause cause_of(const Following& following, const policy::Planned& planned, const std::string& endpoint) {
  if (following.sent > 0) return endpoint == following.last_endpoint ? Cause::retry : Cause::fallback;
  if (planned.cause == Cause::trickle) return Cause::trickle;
  if (following.spilled || planned.cause == Cause::spillover) return Cause::spillover;
  return planned.cause;
}

bool can_serve(const policy::HealthView& health, WallTime wall) {
  return health.reachable && health.state != policy::BreakerState::open && health.throttled_until <= wall;
}

WallTime back_at(const policy::HealthView& health) {
  constexpr WallTime unknown{std::numeric_limits<std::int64_t>::max()};
  if (health.state != policy::BreakerState::open) return health.throttled_until;
  return std::max(health.cool_until.ms == 0 ? unknown : health.cool_until, health.throttled_until);
}

bool sooner(const Error& error, const std::optional<Error>& than) {
  return !than || error.retry_after.value_or(Duration{}) <= than->retry_after.value_or(Duration{});
}

journal::UsageRow usage_row(const Call& call, std::size_t number, const AttemptRecord& record) {
  journal::UsageRow row;
  row.run_id = call.run_id;
  row.step_key = call.step_key;
  row.attempt = static_cast<std::uint32_t>(number);
  row.feature = call.request->feature;
  row.tenant = call.request->tenant;
  row.model = record.model;
  row.endpoint = record.endpoint;
  row.cause = to_string(record.cause);
  row.error = record.error;
  row.usage = record.usage;
  row.usd = record.usd;
  row.started = record.started;
  row.ttft = record.ttft;
  row.total = record.total;
  return row;
}

std::shared_ptr<AttemptResult> lost_attempt(const SentAttempt& attempt) {
  auto result = std::make_shared<AttemptResult>();
  result->error =
      make_error(Errc::unreachable, "endpoint " + attempt.endpoint + " was lost with its attempts");
  result->record.endpoint = attempt.endpoint;
  result->record.cause = attempt.cause;
  result->record.started = attempt.started;
  result->record.error = to_string(Errc::unreachable);
  result->content_seen = true;
  return result;
}

Error too_late(const Following& following) {
  std::string last;
  if (following.last_error) last = fmt::format("; last: {}", to_string(following.last_error->code));
  auto error = make_error(Errc::deadline_exceeded, "the deadline passed before an endpoint answered" + last);
  error.maybe_billed = following.sent > 0;
  return error;
}

Error no_endpoint(const policy::RoutePlan& plan) {
  std::string why;
  for (const auto& passed : plan.passed_over) why += (why.empty() ? "" : "; ") + passed.reason;
  return make_error(Errc::no_endpoint, why.empty() ? "no endpoint serves this feature" : why);
}

}  // namespace troupe::actors
