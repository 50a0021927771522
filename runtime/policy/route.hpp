// What routing knows and what it answers: facts of endpoints, a request's needs, the plan with its reasons
// (MECHANISMS C1-C4, C8-C10, D7, E8, E9, F6-F8). Values only; the decision is Router's.
#pragma once

#include "runtime/policy/fair_queue.hpp"
#include "runtime/policy/health.hpp"

#include <troupe/error.hpp>
#include <troupe/workflow.hpp>

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
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

/// What a request asks of a model beyond text; also what an endpoint can do.
struct Needs {
  bool tools = false, images = false, schema = false;
  /// Everything asked for is offered.
  bool within(const Needs& offer) const {
    return (!tools || offer.tools) && (!images || offer.images) && (!schema || offer.schema);
  }
  friend bool operator==(const Needs&, const Needs&) = default;
};

/// An endpoint as routing sees it: facts from configuration. Immutable after start.
struct EndpointFacts {
  std::string id;
  /// Failure domains, from wide to narrow.
  std::string provider, region;
  /// Our name for the model; a feature's hierarchy is a list of these.
  std::string model;
  CapacityKind kind = CapacityKind::on_demand;
  /// On demand; reserved capacity is paid by the hour, so its tokens cost routing nothing.
  Price price;
  std::uint32_t context_tokens_max = 200'000;
  std::uint32_t output_tokens_max = 64'000;
  /// Where data may be processed: "us", "eu". A feature or tenant may be bound to one.
  std::string boundary;
  Needs offers{true, true, true};
  /// It goes on from an assistant's last words (C12).
  bool accepts_prefix = false;
};
using FactsPtr = std::shared_ptr<const EndpointFacts>;
using HealthPtr = std::shared_ptr<const HealthView>;
struct Controls;
using ControlsPtr = std::shared_ptr<const Controls>;

/// In which order a feature uses the pools of one model (C1, B11, B12).
enum class Pools {
  by_class,         ///< reserved first, but on demand first for batch work
  reserved_first,   ///< on demand takes what reserved capacity has no headroom for
  on_demand_first,  ///< reserved capacity only when on demand cannot
  reserved_only,
  on_demand_only,
};
const char* to_string(Pools pools);

/// How much each fact of an endpoint moves it among those of equal rank. All 0: the draw alone decides.
struct ScoreWeights {
  /// Expected seconds / mean of the candidates', times (1 + share of in-flight limit taken).
  double latency = 1;
  /// Expected USD / mean of the candidates'.
  double price = 0.1;
  /// Share of recent failures.
  double errors = 2;
  /// Another region than the node's.
  double distance = 0.05;
  /// Taken off where calls with this prompt prefix usually go, so that caches are hit.
  double affinity = 0.1;
};
/// For interactive work latency counts most, for batch work price.
ScoreWeights usual_weights(WorkClass work_class);

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
  Pools pools = Pools::by_class;
  /// Models whose quality bounds differ by no more than this count as equally good (E1); used only where a
  /// feature has scores.
  double quality_margin = 0.01;
  /// An endpoint whose last outcome is older than this gets `explore_share` of the requests it could serve,
  /// so that what is known of it stays true (D7). Share 0: off.
  Duration explore_after = std::chrono::minutes(1);
  double explore_share = 0.01;
  /// On: usual_weights of the feature's class; off: `weights`.
  bool weights_by_class = true;
  ScoreWeights weights;
};
/// Empty when sound, else what is wrong and what would be right.
std::optional<std::string> validate(const RoutePolicy& policy);

/// How good a model was found to be at a feature's work, in [0, 1]: the lower end of its confidence interval
/// (E1). Not used from `expires` on.
struct QualityScore {
  std::string model;
  double lower = 0;
  WallTime expires;
};

/// Small or large requests for which another model of the hierarchy leads (E8).
struct Divert {
  std::string model;
  std::uint64_t input_tokens_min = 0, input_tokens_max = ~0ULL;
  std::uint64_t output_tokens_max = ~0ULL;
};

/// What routing knows of a feature.
struct RouteRules {
  std::string feature;
  /// Models, best first.
  std::vector<std::string> hierarchy;
  std::string boundary;
  WorkClass work_class = WorkClass::interactive;
  /// Class of the data it handles; endpoints need every sign-off this asks for (B4). Empty: none.
  std::string data_class;
  /// Not empty: models are ranked by it, those without a valid score last.
  std::vector<QualityScore> quality;
  /// The first that fits.
  std::vector<Divert> diverts;
  /// The node's own region, for distance.
  std::string region;
};

struct RouteRequest {
  /// Of the tenant, beside the feature's: both must hold.
  std::string boundary;
  std::string tenant;
  std::uint64_t input_tokens = 0;
  /// Expected, and at most. The first decides headroom and price, the second what fits a window.
  std::uint64_t output_tokens = 0, output_tokens_max = 0;
  /// Left until the caller's deadline.
  Duration deadline{};
  /// In [0,1), uniform per request: decides whether this request belongs to a partial-open trickle of that
  /// share, and spreads requests over endpoints that are about equally good.
  double draw = 0;
  /// Work that may be used to prove a recovering endpoint (F7: low-risk classes first).
  bool trickle_allowed = true;
  Needs needs;
  /// Same for calls that share a long prompt prefix; 0: none.
  std::uint64_t prefix = 0;
  /// Index into the hierarchy of the model that leads, before any divert.
  std::optional<std::size_t> lead;
  /// Bit i: model i of the hierarchy is a candidate, which has customers where it leads and nowhere else
  /// (B5).
  std::uint64_t candidates = 0;
};
/// Of the hierarchy's models, those that can be candidates: a bit each.
inline constexpr std::size_t kCandidatePlaces = 64;

/// Why a candidate stands where it does. Figures are in Remark; `words_of` says it for people.
enum class Note : std::uint8_t {
  none,
  // For good.
  unknown,
  other_model,
  outside_boundary,
  output_too_long,
  window_too_small,
  lacks_ability,
  pool_not_used,
  not_signed_off,
  stopped,
  // For now.
  health_unknown,
  unreachable,
  breaker_open,
  throttled,
  waits_for_reserved,
  barred,
  held_back,
  recovering,
  beyond_attempts,
  fallback_off,
  // Can serve, badly.
  full,
  input_headroom,
  output_headroom,
  too_slow,
  // Planned.
  best,
  spilled,
  better_sick,
  if_before_fail,
  on_trial,
  last_resort,
  last_resort_trial,
  explored,
};
const char* to_string(Note note);

struct Remark {
  Note note = Note::none;
  /// Secondary reason of one that is planned though crowded.
  Note also = Note::none;
  /// What the note compares, in the units of its words.
  double a = 0, b = 0;
  /// Standing among candidates of equal rank, lower is better; 0: not scored.
  double score = 0;
  friend bool operator==(const Remark&, const Remark&) = default;
};

struct Planned {
  std::uint32_t endpoint = 0;  ///< index into the candidates
  Cause cause = Cause::primary;
  Remark remark;
  friend bool operator==(const Planned&, const Planned&) = default;
};
struct PassedOver {
  std::uint32_t endpoint = 0;
  Remark remark;
  friend bool operator==(const PassedOver&, const PassedOver&) = default;
};
/// The whole decision with its reasons; equal inputs give equal plans, bit for bit (E9).
struct RoutePlan {
  std::vector<Planned> order;
  std::vector<PassedOver> passed_over;
  /// When `order` is empty: how long until something might serve, when that is known.
  std::optional<Duration> wait;
  void clear();
  friend bool operator==(const RoutePlan&, const RoutePlan&) = default;
};

/// Nothing when the hierarchy has endpoints inside `boundary` (empty: any) in two failure domains (two
/// providers, or two regions of one); else what is missing, for a configuration error (C10).
std::optional<std::string> missing_backup(std::span<const std::string> hierarchy, const std::string& boundary,
                                          std::span<const EndpointFacts> endpoints);

}  // namespace troupe::policy
