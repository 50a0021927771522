#include "runtime/policy/upstream_pace.hpp"

#include "runtime/base/clock.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::policy {
namespace {

constexpr Duration kResetMax = std::chrono::hours(24);
constexpr double kLimitSeconds = 60;
constexpr double kWatchSeconds = 1;
constexpr double kNearlyFull = 0.9;
constexpr double kRateLeast = 0.05;

double paced_tokens(double tokens) { return std::isfinite(tokens) && tokens > 0 ? tokens : 0; }

/// A second.
double promised_rate(const LimitHint& hint, double limit, double left) {
  double reset = hint.reset ? seconds(std::min(*hint.reset, kResetMax)) : 0;
  if (reset > 0 && limit > left) return (limit - left) / reset;
  return limit / kLimitSeconds;
}

}  // namespace

std::optional<std::string> validate(const PacingPolicy& policy) {
  if (policy.hint_life < std::chrono::seconds(1)) return "hint_life is below a second; usually 5m";
  return std::nullopt;
}

void UpstreamPace::on_hints(const QuotaHints& hints, Instant now) {
  if (!policy_.enabled) return;
  note(lanes_[requests], hints.requests, now);
  note(lanes_[tokens], hints.tokens, now);
  note(lanes_[input], hints.input_tokens, now);
  note(lanes_[output], hints.output_tokens, now);
}

void UpstreamPace::Lane::take(double amount, Instant now) {
  if (now >= until) return;
  drawn += amount;
  if (amount < 0) {
    double back = std::min(-amount, refundable);
    refundable -= back;
    amount = -back;
  }
  bucket.take(amount, now);
}

// What came back besides what we took; a bucket that is nearly full tells nothing of it.
double UpstreamPace::Lane::rate(double promised, double left_now, double limit, bool fresh, Instant now) {
  if (!fresh) {
    watched = now;
    left = left_now;
    drawn = 0;
    return promised;
  }
  double span = seconds(now - watched);
  if (span < kWatchSeconds) return std::min(bucket.per_second, promised);
  double came_back = (left_now - left + drawn) / span;
  watched = now;
  left = left_now;
  drawn = 0;
  if (left_now > kNearlyFull * limit) return promised;
  double sane = std::clamp(came_back, kRateLeast * promised, promised);
  return (std::min(bucket.per_second, promised) + sane) / 2;
}

void UpstreamPace::note(Lane& lane, const LimitHint& hint, Instant now) const {
  if (!hint.remaining || !std::isfinite(*hint.remaining)) return;
  double left = std::max(0.0, *hint.remaining);
  // One who names no limit has at least what is left of it; with neither nor, nothing is known.
  double limit = hint.limit && std::isfinite(*hint.limit) ? std::max(*hint.limit, left) : left;
  bool dated = hint.reset && *hint.reset > Duration::zero();
  if (!(limit > 0) && !dated) return;
  // A limit whose size was not said and of which nothing is left: one token at its reset.
  limit = std::max(limit, 1.0);
  bool fresh = now < lane.until;
  double level = fresh ? std::clamp(lane.bucket.level_at(now), left - lane.in_flight, left) : left;
  double rate = lane.rate(promised_rate(hint, limit, left), left, limit, fresh, now);
  lane.bucket = {rate, limit, level, now};
  lane.refundable = left - level;
  auto holds = policy_.hint_life;
  if (dated) holds = std::max(holds, std::min(*hint.reset, kResetMax));
  lane.until = now + holds;
}

UpstreamPace::Draw UpstreamPace::draw_of(const QuotaNeed& need) {
  double in = paced_tokens(need.input_tokens), out = paced_tokens(need.output_tokens);
  return {1, in + out, in, out};
}

Duration UpstreamPace::wait_for(const QuotaNeed& need, Instant now) const {
  auto draw = draw_of(need);
  double wait = 0;
  for (std::size_t i = 0; i < kinds; ++i) {
    const auto& lane = lanes_[i];
    if (now >= lane.until) continue;
    // When the hint expires nothing forbids the call any more.
    wait = std::max(wait, std::min(lane.bucket.wait_seconds(draw[i], now), seconds(lane.until - now)));
  }
  return whole_wait(wait, Quota::wait_max);
}

void UpstreamPace::reserve(const QuotaNeed& need, Instant now) {
  auto draw = draw_of(need);
  for (std::size_t i = 0; i < kinds; ++i) {
    lanes_[i].in_flight += draw[i];
    lanes_[i].take(draw[i], now);
  }
}

void UpstreamPace::settle(const QuotaNeed& reserved, const QuotaNeed& actual, Instant now) {
  auto before = draw_of(reserved), after = draw_of(actual);
  bool never_made = after[tokens] == 0;
  if (never_made) after = {};
  for (std::size_t i = 0; i < kinds; ++i) {
    lanes_[i].in_flight = std::max(0.0, lanes_[i].in_flight - before[i]);
    lanes_[i].take(after[i] - before[i], now);
  }
}

double UpstreamPace::headroom(Kind own, Instant now) const {
  double least = std::numeric_limits<double>::infinity();
  for (auto kind : {tokens, own})
    if (now < lanes_[kind].until) least = std::min(least, lanes_[kind].bucket.level_at(now));
  const auto& calls = lanes_[requests];
  if (now < calls.until && calls.bucket.level_at(now) < 1) least = std::min(least, 0.0);
  return least;
}

double UpstreamPace::input_headroom(Instant now) const { return headroom(input, now); }
double UpstreamPace::output_headroom(Instant now) const { return headroom(output, now); }

}  // namespace troupe::policy
