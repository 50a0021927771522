// Routing's remarks for people.
#include "runtime/base/clock.hpp"
#include "runtime/policy/router.hpp"

#include <fmt/format.h>

#include <array>

namespace troupe::policy {
namespace {

std::string describe(const EndpointFacts& facts, const HealthView* health) {
  auto text = fmt::format("{} {}", facts.model, to_string(facts.kind));
  if (health && health->total_p50 > 0) text += fmt::format(", p50 {:.2f}s", health->total_p50);
  if (health && health->in_flight > 0) text += fmt::format(", {} in flight", health->in_flight);
  return text;
}

std::string opened(const Remark& remark, const HealthView* health) {
  const char* why = to_string(health ? health->reason : TripReason::none);
  if (remark.a <= 0) return fmt::format("breaker open ({})", why);
  return fmt::format("breaker open ({}), cooling for {}", why, to_human(from_seconds(remark.a)));
}

std::string for_good(const Remark& remark, const EndpointFacts& facts) {
  switch (remark.note) {
    case Note::other_model: return fmt::format("model {} is not in the feature's hierarchy", facts.model);
    case Note::outside_boundary: return fmt::format("processes data in {}, must not", facts.boundary);
    case Note::output_too_long:
      return fmt::format("writes at most {:.0f} tokens, {:.0f} wanted", remark.a, remark.b);
    case Note::window_too_small:
      return fmt::format("window of {} tokens is too small for {:.0f} + {:.0f}", facts.context_tokens_max,
                         remark.a, remark.b);
    case Note::lacks_ability: return "cannot do what the request asks for (tools, images or a schema)";
    case Note::pool_not_used:
      return fmt::format("{} capacity is not used by this feature", to_string(facts.kind));
    case Note::not_signed_off: return "not signed off for this class of data";
    case Note::stopped: return "stopped by an operator";
    default: return "nothing is known of it";
  }
}

std::string for_now(const Remark& remark, const HealthView* health) {
  switch (remark.note) {
    case Note::health_unknown: return "its health is not known yet";
    case Note::unreachable: return "the node that owns it cannot be reached";
    case Note::breaker_open: return opened(remark, health);
    case Note::throttled:
      return fmt::format("asked to wait {} by the provider", to_human(from_seconds(remark.a)));
    case Note::waits_for_reserved: return "spillover is off and reserved capacity is waited for";
    case Note::held_back: return "held back: a candidate that does not lead here";
    case Note::barred: return "has said that asking again is no use";
    case Note::recovering:
      return fmt::format("recovering with {:.3g} % of traffic, not this request", 100 * remark.a);
    case Note::beyond_attempts: return fmt::format("beyond {:.0f} attempts", remark.a);
    default: return "fallback is off";
  }
}

std::string crowded(Note note, double a, double b) {
  switch (note) {
    case Note::held_back: return "a candidate, proven by copies and probes";
    case Note::full: return fmt::format("full with {:.0f} in flight", a);
    case Note::input_headroom: return fmt::format("input headroom {:.0f} < {:.0f} tokens", a, b);
    case Note::output_headroom: return fmt::format("output headroom {:.0f} < {:.0f} tokens", a, b);
    default: return fmt::format("usually takes {:.1f}s, only {} left", a, to_human(from_seconds(b)));
  }
}

const char* planned(Note note) {
  switch (note) {
    case Note::best: return "best: ";
    case Note::spilled: return "reserved capacity is short: ";
    case Note::better_sick: return "a better model's endpoints cannot serve: ";
    case Note::last_resort: return "last resort: ";
    case Note::last_resort_trial: return "last resort, still recovering: ";
    case Note::explored: return "measured again after a while: ";
    default: return "if those before fail: ";
  }
}

}  // namespace

const char* to_string(Note note) {
  constexpr std::array names{"none",
                             "unknown",
                             "other_model",
                             "outside_boundary",
                             "output_too_long",
                             "window_too_small",
                             "lacks_ability",
                             "pool_not_used",
                             "not_signed_off",
                             "stopped",
                             "health_unknown",
                             "unreachable",
                             "breaker_open",
                             "throttled",
                             "waits_for_reserved",
                             "barred",
                             "held_back",
                             "recovering",
                             "beyond_attempts",
                             "fallback_off",
                             "full",
                             "input_headroom",
                             "output_headroom",
                             "too_slow",
                             "best",
                             "spilled",
                             "better_sick",
                             "if_before_fail",
                             "on_trial",
                             "last_resort",
                             "last_resort_trial",
                             "explored"};
  static_assert(names.size() == static_cast<std::size_t>(Note::explored) + 1);
  return names[static_cast<std::size_t>(note)];
}

std::string words_of(const Remark& remark, const EndpointFacts& facts, const HealthView* health) {
  if (remark.note <= Note::stopped) return for_good(remark, facts);
  if (remark.note <= Note::fallback_off) return for_now(remark, health);
  if (remark.note <= Note::too_slow) return crowded(remark.note, remark.a, remark.b);
  if (remark.note == Note::on_trial) return fmt::format("on trial: {:.3g} % of traffic", 100 * remark.a);
  auto text = planned(remark.note) + describe(facts, health);
  if (remark.also != Note::none) text += ", " + crowded(remark.also, remark.a, remark.b);
  return text;
}

}  // namespace troupe::policy
