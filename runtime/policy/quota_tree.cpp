// Own share first, then the feature's, then what others leave.
#include "runtime/policy/quota_tree.hpp"

#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace troupe::policy {
namespace {

constexpr Duration kTreeWaitMax = std::chrono::hours(1);
/// A bucket without a rate holds nothing and never will; TokenBucket would call it unlimited.
constexpr double kNoRate = 1e-9;

double sane_amount(double tokens) { return std::isfinite(tokens) && tokens > 0 ? tokens : 0; }

template <class Share>
std::optional<std::string> share_complaint(const std::string& name, const Share& share) {
  double own = share.guaranteed_tokens_per_minute, most = share.tokens_per_minute_max;
  if (!(std::isfinite(own) && own >= 0 && std::isfinite(most) && most >= 0))
    return fmt::format("{}: shares must be 0 or more", name);
  if (most > 0 && most < own) return fmt::format("{}: its maximum is below its guarantee", name);
  for (const auto& [tenant, weight] : share.tenant_weights)
    if (!(std::isfinite(weight) && weight > 0))
      return fmt::format("{}: tenant {} weighs {}; it must be above 0", name, tenant, weight);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> validate(const QuotaTreePolicy& policy) {
  if (!std::isfinite(policy.tokens_per_minute) || policy.tokens_per_minute < 0)
    return fmt::format("tokens_per_minute is {}; 0 means unlimited", policy.tokens_per_minute);
  if (!(policy.burst_minutes > 0 && policy.burst_minutes <= 60))
    return fmt::format("burst_minutes is {}; it must be above 0, usually 0.1", policy.burst_minutes);
  double guaranteed = 0;
  for (const auto& [name, share] : policy.features) {
    if (auto complaint = share_complaint(name, share)) return complaint;
    guaranteed += share.guaranteed_tokens_per_minute;
  }
  if (policy.tokens_per_minute > 0 && guaranteed > policy.tokens_per_minute)
    return fmt::format("{} tokens a minute are guaranteed, but there are {}", guaranteed,
                       policy.tokens_per_minute);
  for (double share : policy.class_room)
    if (!(share > 0 && share <= 1))
      return fmt::format("a class may take {} of the room; it must be above 0 and at most 1", share);
  if (policy.features.size() > QuotaTree::features_max)
    return fmt::format("{} features; at most {}", policy.features.size(), QuotaTree::features_max);
  return std::nullopt;
}

QuotaTree::QuotaTree(QuotaTreePolicy policy, Instant now)
    : policy_(std::move(policy)),
      whole_(TokenBucket::of(policy_.tokens_per_minute, policy_.burst_minutes, now)) {
  for (const auto& [name, share] : policy_.features) feature_of(name, now);
}

TokenBucket QuotaTree::bucket_of(double per_minute, Instant now) const {
  return TokenBucket::of(std::max(per_minute, kNoRate), policy_.burst_minutes, now);
}

const QuotaTree::Feature* QuotaTree::find_feature(std::string_view name) const {
  auto slot = by_name_.find(stable_hash(name), [&](std::uint32_t at) { return features_[at].name == name; });
  return slot == SlotIndex::none ? nullptr : &features_[slot];
}

QuotaTree::Feature* QuotaTree::feature_of(std::string_view name, Instant now) {
  if (const auto* known = find_feature(name)) return const_cast<Feature*>(known);
  if (features_.size() >= features_max) return nullptr;
  Feature feature;
  feature.name = name;
  if (auto share = policy_.features.find(feature.name); share != policy_.features.end())
    feature.share = share->second;
  feature.bucket = bucket_of(feature.share.guaranteed_tokens_per_minute, now);
  feature.ceiling = TokenBucket::of(feature.share.tokens_per_minute_max, policy_.burst_minutes, now);
  feature.swept = now;
  by_name_.insert(stable_hash(name), static_cast<std::uint32_t>(features_.size()));
  features_.push_back(std::move(feature));
  return &features_.back();
}

QuotaTree::Tenant* QuotaTree::tenant_of(Feature& feature, std::string_view name, Instant now) {
  auto hash = stable_hash(name);
  auto slot = feature.by_name.find(hash, [&](std::uint32_t at) { return feature.tenants[at].name == name; });
  if (slot != SlotIndex::none) return &feature.tenants[slot];
  auto place = static_cast<std::uint32_t>(feature.tenants.size());
  if (place >= tenants_max) {
    // Whoever is idle has a full bucket or will have; nothing is lost by forgetting it.
    auto from = feature.tenants.begin() + static_cast<std::ptrdiff_t>(feature.looked_at);
    auto idle = std::find_if(from, feature.tenants.end(), [](const Tenant& each) { return !each.counted; });
    place = static_cast<std::uint32_t>(idle - feature.tenants.begin());
    feature.looked_at = place;
    if (idle == feature.tenants.end()) return nullptr;
    feature.by_name.erase(stable_hash(idle->name), place);
    *idle = {};
  } else {
    feature.tenants.emplace_back();
  }
  auto& tenant = feature.tenants[place];
  tenant.name = name;
  auto weight = feature.share.tenant_weights.find(tenant.name);
  if (weight != feature.share.tenant_weights.end()) tenant.weight = weight->second;
  tenant.bucket = bucket_of(0, now);
  feature.by_name.insert(hash, place);
  return &tenant;
}

// A tenth of the idle time may pass unnoticed: the sweep costs as much as there are tenants.
void QuotaTree::sweep(Feature& feature, Instant now) {
  if (now - feature.swept < policy_.tenant_idle_max / 10) return;
  feature.swept = now;
  feature.looked_at = 0;
  double active = 0;
  for (auto& tenant : feature.tenants) {
    tenant.counted = tenant.counted && tenant.active_until > now;
    if (tenant.counted) active += tenant.weight;
  }
  feature.active_weight = active;
}

void QuotaTree::activate(Feature& feature, Tenant& tenant, Instant now) {
  sweep(feature, now);
  tenant.active_until = now + policy_.tenant_idle_max;
  if (std::exchange(tenant.counted, true)) return refresh(feature, tenant, now);
  feature.active_weight += tenant.weight;
  refresh(feature, tenant, now);
  // It begins with a full bucket, as everyone does.
  tenant.bucket.level = tenant.bucket.capacity;
}

// Its part follows from who else is active.
void QuotaTree::refresh(const Feature& feature, Tenant& tenant, Instant now) const {
  double level = tenant.bucket.level_at(now);
  double part = feature.share.guaranteed_tokens_per_minute * tenant.weight / feature.active_weight;
  tenant.bucket = bucket_of(part, now);
  tenant.bucket.level = std::min(level, tenant.bucket.capacity);
}

double QuotaTree::room_share(std::string_view feature, WorkClass work_class, Instant now) const {
  auto lately = [&](Instant at) { return now - at < policy_.tenant_idle_max; };
  auto own = static_cast<std::size_t>(work_class);
  bool needed = std::ranges::any_of(
      guaranteed_, [&](const auto& each) { return each && each->feature != feature && lately(each->at); });
  for (std::size_t better = 0; better < own; ++better)
    needed = needed || (asked_[better] && lately(*asked_[better]));
  return needed ? policy_.class_room[own] : 1;
}

void QuotaTree::note_guaranteed(std::string_view feature, Instant now) {
  if (!guaranteed_[0] || guaranteed_[0]->feature != feature) {
    std::swap(guaranteed_[0], guaranteed_[1]);
    if (!guaranteed_[0]) guaranteed_[0].emplace();
    guaranteed_[0]->feature = feature;
  }
  guaranteed_[0]->at = now;
}

QuotaTree::Grant QuotaTree::take(std::string_view feature_name, std::string_view tenant_name, double tokens,
                                 Instant now, WorkClass work_class, const Terms& terms) {
  if (!whole_.limited()) return {true};
  tokens = sane_amount(tokens);
  asked_[static_cast<std::size_t>(work_class)] = now;
  auto* feature = feature_of(feature_name, now);
  auto* tenant = feature ? tenant_of(*feature, tenant_name, now) : nullptr;
  if (tenant) activate(*feature, *tenant, now);
  bool guaranteed = feature && feature->share.guaranteed_tokens_per_minute > 0;
  double ceiling = feature ? feature->ceiling.wait_seconds(tokens, now) : 0;
  double own = guaranteed && tenant ? tenant->bucket.wait_seconds(tokens + terms.kept_of_own, now) : HUGE_VAL;
  double shared = guaranteed ? feature->bucket.wait_seconds(tokens + terms.kept_of_feature, now) : HUGE_VAL;
  double kept = (1 - room_share(feature_name, work_class, now)) * whole_.capacity;
  double elsewhere = terms.may_borrow ? whole_.wait_seconds(tokens + kept, now) : HUGE_VAL;
  double wait = std::max(ceiling, std::min({own, shared, elsewhere}));
  if (wait > 0) return {false, Source::own, whole_wait(wait, kTreeWaitMax)};
  auto source = own <= 0 ? Source::own : shared <= 0 ? Source::feature : Source::elsewhere;
  whole_.take(tokens, now);
  if (feature) feature->ceiling.take(tokens, now);
  if (source == Source::own) tenant->bucket.take(tokens, now);
  if (source == Source::elsewhere) return {true, source};
  feature->bucket.take(tokens, now);
  note_guaranteed(feature_name, now);
  return {true, source};
}

std::optional<QuotaTree::Source> QuotaTree::claim(std::string_view feature_name, std::string_view tenant_name,
                                                  double tokens, Instant now) {
  if (!whole_.limited()) return Source::own;
  auto* feature = guarantees(feature_name) ? feature_of(feature_name, now) : nullptr;
  if (feature == nullptr) return std::nullopt;
  tokens = sane_amount(tokens);
  auto* tenant = tenant_of(*feature, tenant_name, now);
  if (tenant) activate(*feature, *tenant, now);
  bool own = tenant && tenant->bucket.wait_seconds(tokens, now) <= 0;
  if (!own && feature->bucket.wait_seconds(tokens, now) > 0) return std::nullopt;
  if (own) tenant->bucket.take(tokens, now);
  feature->bucket.take(tokens, now);
  note_guaranteed(feature_name, now);
  return own ? Source::own : Source::feature;
}

bool QuotaTree::guarantees(std::string_view name) const {
  const auto* feature = find_feature(name);
  return feature != nullptr && feature->share.guaranteed_tokens_per_minute > 0;
}

void QuotaTree::settle(std::string_view feature_name, std::string_view tenant_name, Source source,
                       double taken, double actual, Instant now) {
  if (!whole_.limited()) return;
  double more = sane_amount(actual) - sane_amount(taken);
  whole_.take(more, now);
  auto* feature = feature_of(feature_name, now);
  if (!feature) return;
  feature->ceiling.take(more, now);
  // What was borrowed and not used goes back to the lender, or shares would grow by guessing high.
  if (source == Source::elsewhere) return;
  feature->bucket.take(more, now);
  auto* tenant = source == Source::own ? tenant_of(*feature, tenant_name, now) : nullptr;
  if (tenant) tenant->bucket.take(more, now);
}

double QuotaTree::headroom(std::string_view name, Instant now) const {
  if (!whole_.limited()) return std::numeric_limits<double>::infinity();
  const auto* feature = find_feature(name);
  return feature ? std::max(0.0, feature->bucket.level_at(now)) : 0;
}

}  // namespace troupe::policy
