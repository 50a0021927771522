// Who may use how much of what a node was given: features have guaranteed shares, tenants parts of their
// feature's, and what one leaves unused the others borrow until it is wanted back (C6). Pure.
#pragma once

#include "runtime/policy/fair_queue.hpp"
#include "runtime/policy/slot_index.hpp"
#include "runtime/policy/token_bucket.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::policy {

struct FeatureShare {
  /// Tokens a minute this feature always gets.
  double guaranteed_tokens_per_minute = 0;
  /// Tokens a minute it never exceeds, borrowed ones included; 0: no such limit.
  double tokens_per_minute_max = 0;
  /// Tenants' weights within the feature; one not named weighs 1.
  std::map<std::string, double> tenant_weights;
};

struct QuotaTreePolicy {
  /// For all features of this node together; 0: unlimited, and the tree refuses nothing.
  double tokens_per_minute = 0;
  /// A share that was not used holds this much of a minute, so that small bursts pass.
  double burst_minutes = 0.1;
  /// A tenant silent for so long leaves its part of the feature's share to the others.
  Duration tenant_idle_max = std::chrono::minutes(1);
  /// A feature that is not named has no guarantee and may only borrow.
  std::map<std::string, FeatureShare> features;
  /// What is borrowed from other features leaves them room: while one of a better class has been asking, or
  /// any other has used its guarantee, within `tenant_idle_max`, a class (interactive, soon, batch) may take
  /// so much of an endpoint's room with borrowed tokens, and borrow the whole down to the rest. All 1: off.
  std::array<double, 3> class_room{0.95, 0.9, 0.75};
};
/// Empty when sound, else what is wrong and what would be right: guarantees must not exceed the whole.
std::optional<std::string> validate(const QuotaTreePolicy& policy);

/// Three levels of token buckets, as hierarchical link sharing has them (Floyd, Jacobson 1995, "Link-sharing
/// and resource management models for packet networks"; Devera's HTB). A call passes on its tenant's own
/// part, or on what the rest of its feature leaves, or on what other features leave. The first never fails
/// for want of the others: a borrower is refused as soon as the whole is used up, so a share is back at once.
/// Over any stretch all together take at most `tokens_per_minute` x (length + burst) plus the features'
/// and tenants' bursts. A feature's tenants divide its guarantee by weight among those lately active.
///
/// One per node. All of a node's feature queues run on its loop thread and may share it there; not
/// thread-safe. Allocates when a feature or tenant is first seen; at most tenants_max tenants a feature and
/// features_max features are remembered, the rest share what is borrowed.
class QuotaTree {
 public:
  static constexpr std::size_t features_max = 1024;
  static constexpr std::size_t tenants_max = 4096;

  QuotaTree(QuotaTreePolicy policy, Instant now);

  enum class Source {
    own,       ///< the tenant's part of its feature's guarantee
    feature,   ///< borrowed from tenants of the same feature
    elsewhere  ///< borrowed from other features
  };
  struct Grant {
    bool granted = false;
    Source source = Source::own;
    /// When refused: how long until it could pass, if no other takes more.
    Duration wait{};
    explicit operator bool() const { return granted; }
  };
  struct Terms {
    /// False: of the feature's guarantee or not at all.
    bool may_borrow = true;
    /// Of the tenant's part and of the feature's guarantee so much must be left, for others that wait for it.
    double kept_of_own = 0, kept_of_feature = 0;
  };
  /// Takes `tokens` (an estimate) for a call, or says when to ask again. More than a full bucket passes when
  /// that is full. `work_class` matters for what is borrowed from other features only (class_room).
  Grant take(std::string_view feature, std::string_view tenant, double tokens, Instant now,
             WorkClass work_class, const Terms& terms);
  Grant take(std::string_view feature, std::string_view tenant, double tokens, Instant now,
             WorkClass work_class = WorkClass::interactive) {
    return take(feature, tenant, tokens, now, work_class, Terms{});
  }
  /// What was borrowed from other features is from now on of the feature's own guarantee, if that has so much
  /// by now; from where then.
  std::optional<Source> claim(std::string_view feature, std::string_view tenant, double tokens, Instant now);
  /// Is anything guaranteed to it?
  bool guarantees(std::string_view feature) const;
  /// What a borrower of this feature and class may take of an endpoint's room now: 1 while no other needs
  /// any.
  double room_share(std::string_view feature, WorkClass work_class, Instant now) const;
  /// The call ended: `actual` replaces what was `taken` from where it came; zero gives everything back.
  void settle(std::string_view feature, std::string_view tenant, Source source, double taken, double actual,
              Instant now);
  /// Tokens that `feature` could take now of its own guarantee; infinity when unlimited.
  double headroom(std::string_view feature, Instant now) const;

 private:
  struct Tenant {
    std::string name;
    TokenBucket bucket;
    double weight = 1;
    Instant active_until;
    bool counted = false;  ///< its weight is part of the active ones
  };
  struct Feature {
    std::string name;
    TokenBucket bucket, ceiling;
    FeatureShare share;
    double active_weight = 0;
    Instant swept;
    std::vector<Tenant> tenants;
    std::size_t looked_at = 0;  ///< tenants before this were not idle at the last sweep
    SlotIndex by_name;
  };
  void note_guaranteed(std::string_view feature, Instant now);
  Feature* feature_of(std::string_view name, Instant now);
  Tenant* tenant_of(Feature& feature, std::string_view name, Instant now);
  const Feature* find_feature(std::string_view name) const;
  void sweep(Feature& feature, Instant now);
  void activate(Feature& feature, Tenant& tenant, Instant now);
  void refresh(const Feature& feature, Tenant& tenant, Instant now) const;
  TokenBucket bucket_of(double per_minute, Instant now) const;

  QuotaTreePolicy policy_;
  TokenBucket whole_;
  std::array<std::optional<Instant>, 3> asked_;  ///< when a call of the class last asked, granted or not
  /// The two features that used their guarantees last, and when.
  struct Guaranteed {
    std::string feature;
    Instant at;
  };
  std::array<std::optional<Guaranteed>, 2> guaranteed_;
  std::vector<Feature> features_;
  SlotIndex by_name_;
};

}  // namespace troupe::policy
