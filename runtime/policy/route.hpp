// Which endpoints to try for a request, in which order, and why (MECHANISMS C1-C4, C8, C10, E8, E9, F6-F8). Pure.
#pragma once

#include "runtime/policy/health.hpp"

#include <troupe/error.hpp>
#include <troupe/workflow.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace troupe::policy {

enum class CapacityKind { reserved, on_demand };
const char* to_string(CapacityKind kind);

/// USD per 1,000,000 tokens.
struct Price {
  double input = 0, output = 0, cache_read = 0, cache_write = 0;
};
double cost_usd(const Price& price, const Usage& usage);

/// An endpoint as routing sees it: facts from configuration. Immutable after start.
struct EndpointFacts {
  std::string id;
  /// Failure domains, from wide to narrow.
  std::string provider, region;
  /// Our name for the model; a feature's hierarchy is a list of these.
  std::string model;
  CapacityKind kind = CapacityKind::on_demand;
  Price price;
  std::uint32_t context_tokens_max = 200'000;
  std::uint32_t output_tokens_max = 64'000;
  /// Where data may be processed: "us", "eu". A feature or tenant may be bound to one.
  std::string boundary;
};

struct RoutePolicy {
  /// Off: only the first candidate of the plan is kept. For showing what fallback is worth.
  bool fallback = true;
  /// Off: reserved capacity is waited for instead of spilling.
  bool spillover = true;
  /// Attempts per request, all endpoints together (E11).
  std::size_t attempts_max = 4;
  /// Reserved capacity is left when its estimated headroom is below need times this.
  double headroom_factor = 1.0;
};

struct RouteRequest {
  std::string feature;
  /// The feature's models, best first.
  std::vector<std::string> hierarchy;
  std::string boundary;
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  /// Left until the caller's deadline.
  Duration deadline{};
  /// In [0,1), uniform per request: decides whether this request belongs to a partial-open trickle of that share.
  double draw = 0;
  /// Work that may be used to prove a recovering endpoint (F7: low-risk classes first).
  bool trickle_allowed = true;
};

struct Planned {
  std::size_t endpoint = 0;  ///< index into the candidates
  Cause cause = Cause::primary;
  std::string reason;
};
struct PassedOver {
  std::size_t endpoint = 0;
  std::string reason;
};
/// The whole decision with its reasons; equal inputs give equal plans (E9).
struct RoutePlan {
  std::vector<Planned> order;
  std::vector<PassedOver> passed_over;
  /// When `order` is empty: how long until something might serve, when that is known.
  std::optional<Duration> wait;
};

struct Candidate {
  const EndpointFacts* facts = nullptr;
  std::shared_ptr<const HealthView> health;
};

/// Order: the hierarchy's models best first; within a model closed reserved capacity with headroom, then on-demand
/// by live latency and in-flight share; a trickle endpoint comes first for its share of requests and always has a
/// healthy one behind it. Excluded with a reason: open breakers, unreachable owners, outside the boundary, context
/// window too small, asked to wait by the provider.
/// `wall` compares with HealthView's wall times.
RoutePlan plan_route(const RouteRequest& request, std::span<const Candidate> candidates, WallTime wall,
                     const RoutePolicy& policy);

}  // namespace troupe::policy
