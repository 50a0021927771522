// Which endpoints to try for a request, in which order, and why (MECHANISMS C1-C4, C8, C10, E8, E9, F6-F8).
// Pure.
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
  /// For the part of the writes that is kept an hour; zero: as cache_write.
  double cache_write_1h = 0;
};
/// What `usage` costs at `price`, in USD. Reasoning tokens are part of the output and not counted again.
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
  /// Off: reserved capacity is waited for instead of spilling; other endpoints serve only after it failed.
  bool spillover = true;
  /// Attempts per request, all endpoints together (E11).
  std::size_t attempts_max = 4;
  /// Reserved capacity is left when its estimated headroom is below need times this.
  double headroom_factor = 1.0;
  /// A recovering endpoint that would not be first if it were well gets at most this share of requests on
  /// trial, whatever its ramp says: a backup must prove itself without taking the place of what it backs up.
  double backup_trickle_max = 0.01;
};
/// Empty when sound, else what is wrong and what would be right.
std::optional<std::string> validate(const RoutePolicy& policy);

struct RouteRequest {
  std::string feature;
  /// The feature's models, best first.
  std::vector<std::string> hierarchy;
  std::string boundary;
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  /// Left until the caller's deadline.
  Duration deadline{};
  /// In [0,1), uniform per request: decides whether this request belongs to a partial-open trickle of that
  /// share, and spreads requests over endpoints that are about equally good.
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

/// The plan. Each candidate appears exactly once, planned or passed over, with a reason.
///
/// First: the hierarchy's models best first; within a model closed reserved capacity with headroom, then
/// on-demand by live latency and in-flight share (latencies unknown count as the mean of the known; up to 20
/// % of difference is settled by `draw`, so that routers with equally old views do not all choose the same).
/// When reserved capacity was left for lack of headroom the first is a `spillover` (C2); when a better
/// model's endpoints are all sick or throttled it is a `fallback`. After it, for the step after a failure:
/// other providers first, then other regions, then the rest, each in the order above. What is full, without
/// headroom, or too slow for the deadline comes last. A trickle endpoint comes first for its share of
/// requests (cause `trickle`), never for more than its fair part among equals, and only with a healthy one
/// behind it (F7). If nothing is closed, partial endpoints serve regardless of their share. Excluded: open
/// breakers, unreachable or unknown owners, other models, outside the boundary, context window or output
/// limit too small, asked to wait by the provider. `wall` compares with HealthView's wall times. Shares are
/// cluster-wide because the draw is per request: however many routers plan, a share x of all requests goes to
/// the trial (F10).
RoutePlan plan_route(const RouteRequest& request, std::span<const Candidate> candidates, WallTime wall,
                     const RoutePolicy& policy);

/// Nothing when the hierarchy has endpoints inside `boundary` (empty: any) in two failure domains (two
/// providers, or two regions of one); else what is missing, for a configuration error (C10).
std::optional<std::string> missing_backup(std::span<const std::string> hierarchy, const std::string& boundary,
                                          std::span<const EndpointFacts> endpoints);

}  // namespace troupe::policy
