#include "providers/auth/keeper.hpp"

#include "providers/auth/sts.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace troupe::providers {
namespace {

constexpr std::int64_t kSkewWorthKnowingMs = 60'000;

Duration share_of(Duration life, double share) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(life) * share);
}

// Whatever went wrong on the way to a credential: to the caller it is that we have none. Another endpoint may
// have one.
Error as_auth(Error error) {
  if (error.code == Errc::auth) return error;
  return make_error(Errc::auth, std::move(error.what));
}

}  // namespace

bool Keeper::valid(Instant now) const { return held_ && (!held_->expires_at || now < *held_->expires_at); }

const Secret* Keeper::secret(Instant now) const { return valid(now) ? &held_->secret : nullptr; }

// After a failure what is still valid is served without waiting again: a hanging issuer would otherwise slow
// every call by its time-out.
bool Keeper::fetch_may_help(Instant now) const {
  if (failures_ > 0 && !doubted_) return false;
  return fetching_ || now >= retry_at_;
}

bool Keeper::ready(Instant now) const {
  if (!valid(now)) return false;
  bool wants_new = doubted_ || (held_->block_at && now >= *held_->block_at);
  return !wants_new || !fetch_may_help(now);
}

void Keeper::when_ready(Waiter waiter, Instant now) {
  if (ready(now)) return waiter({});
  bool hopeless = !valid(now) && !fetching_ && now < retry_at_ && last_error_;
  if (hopeless) return waiter(std::unexpected(*last_error_));
  if (waiters_.size() >= policy_.waiters_max)
    return waiter(fail(Errc::refused, "too many requests wait for a credential"));
  waiters_.push_back(std::move(waiter));
}

bool Keeper::begin_fetch(Instant now) {
  if (fetching_ || now < retry_at_) return false;
  bool due = !valid(now) || doubted_ || (held_->refresh_at && now >= *held_->refresh_at);
  if (!due) return false;
  fetching_ = true;
  began_ = now;
  return true;
}

Keeper::Held Keeper::hold(Expiring<Secret> grant) const {
  Held held{std::move(grant.value), {}, {}, {}};
  if (!grant.lifetime) return held;
  auto life = *grant.lifetime;
  held.expires_at = began_ + life;
  held.refresh_at = *held.expires_at - std::min(policy_.ahead_max, share_of(life, policy_.ahead_share));
  held.block_at = *held.expires_at - std::min(policy_.block_max, share_of(life, policy_.block_share));
  return held;
}

void Keeper::fetched(Result<Expiring<Secret>> result, Instant now) {
  fetching_ = false;
  doubted_ = false;
  if (result) {
    held_ = hold(std::move(*result));
    ++generation_;
    failures_ = 0;
    last_error_.reset();
    retry_at_ = now + policy_.fetch_pause;
    if (!valid(now)) last_error_ = make_error(Errc::auth, "the credential expired while it was fetched");
  } else {
    last_error_ = as_auth(std::move(result.error()));
    auto doublings = std::min<std::uint32_t>(failures_++, 16);
    retry_at_ = now + std::min<Duration>(policy_.backoff_max, policy_.backoff_min * (1 << doublings));
  }
  answer_all(valid(now) ? Result<void>() : std::unexpected(*last_error_));
}

void Keeper::answer_all(const Result<void>& result) {
  // Waiters may come back at once.
  for (auto& waiter : std::exchange(waiters_, {})) waiter(result);
}

std::optional<Instant> Keeper::next_fetch() const {
  if (fetching_) return std::nullopt;
  if (!held_ || doubted_) return retry_at_;
  if (!held_->refresh_at) return std::nullopt;
  return std::max(retry_at_, *held_->refresh_at);
}

bool Keeper::refused(std::uint64_t generation, Instant now) {
  if (generation != generation_) return true;
  if (doubted_) return true;
  if (doubted_at_ && now < *doubted_at_ + policy_.refusal_pause) return false;
  doubted_at_ = now;
  doubted_ = true;
  if (!fetching_) retry_at_ = std::min(retry_at_, now);
  return true;
}

bool ClockSkew::learn(const http::Response& response, WallTime wall) {
  auto offset = clock_offset_of(response, wall);
  if (!offset || std::abs(*offset - offset_ms_) <= kSkewWorthKnowingMs) return false;
  offset_ms_ = *offset;
  return true;
}

}  // namespace troupe::providers
