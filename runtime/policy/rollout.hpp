// A rollout: stages of growing share, each passed only by evidence, and the way back (B7, B8). Pure.
#pragma once

#include "runtime/policy/controls.hpp"
#include "runtime/policy/experiment.hpp"
#include "runtime/policy/rollout_evidence.hpp"

#include <span>
#include <string>
#include <vector>

namespace troupe::policy {

struct RolloutPolicy {
  /// The first stage begins by itself once the feature's shadow has copied so many calls to the model and
  /// every gate holds for what the copies showed; 0: when somebody says so.
  std::uint32_t after_copies = 0;
  /// Shares of units on the new side, stage by stage.
  std::vector<double> stages{0.01, 0.05, 0.1, 1};
  /// A stage lasts at least this long and until the new side has served so many calls.
  Duration dwell = std::chrono::minutes(10);
  std::uint32_t samples_min = 200;
  /// A stage that cannot be decided by then halts: the share stays, an operator decides.
  Duration stage_time_max = std::chrono::hours(24);
  /// Off: stages pass by time alone. For showing what the gates are worth.
  bool gates = true;
  /// How much worse the new side may be: failures as a share of calls, latencies and cost as ratios, quality
  /// as a difference. A stage passes when the new side is shown to be within all of them; it is rolled back
  /// when it is shown to be worse and looks worse than that.
  double failure_margin = 0.01;
  double ttft_ratio_max = 1.1, total_ratio_max = 1.1, cost_ratio_max = 1.1;
  double quality_margin = 0.03;
  /// Chance that a rollout of a harmless change is rolled back, or a harmful one passes a stage, over all
  /// gates, stages and looks.
  double alpha = 0.05;
};
/// Nothing when sound, else what is wrong and what would be right.
std::optional<std::string> validate(const RolloutPolicy& policy);

struct RolloutRule {
  std::string name, feature;
  /// The new side's model; both are in the feature's hierarchy. The old side is the hierarchy as it is.
  std::string model;
  UnitKind unit = UnitKind::tenant;
  std::string salt;
  RolloutPolicy policy;
};

enum class GateState : std::uint8_t { open, passed, failed };
const char* to_string(GateState state);

/// One gate's reading: the difference new minus old in the gate's own measure (shares, logarithms of ratios,
/// USD; for quality old minus new, so that more is worse everywhere; where pairs were judged the share of
/// lost ones minus that of won ones).
struct GateReading {
  const char* gate = "";
  GateState state = GateState::open;
  Bounds difference;
  double margin = 0;
};
/// The gates that have something to compare. Quality is none when nothing was judged.
std::vector<GateReading> read_gates(const RolloutPolicy& policy, const SideEvidence& old,
                                    const SideEvidence& fresh);

enum class RolloutStep : std::uint8_t { stay, advance, roll_back, halt };

/// What is known when a stage is judged. Evidence is of this stage alone, on both sides at the same time, so
/// that a slow hour is not mistaken for a slow model; at the full share, where there is no old side, the old
/// side of the stage before.
struct StageFacts {
  std::uint32_t stage = 0;
  Duration lasted{};
  SideEvidence old, fresh;
};
struct StageVerdict {
  RolloutStep step = RolloutStep::stay;
  /// For people: the gate and its figures, or what is still lacking.
  std::string why;
};
/// May be asked at every moment: alpha holds over all of them.
StageVerdict judge_stage(const RolloutPolicy& policy, const StageFacts& facts);

/// May the first stage begin (`advance`), or is the model worse already (`roll_back`)? Of copied calls; else
/// `stay`, whatever the time. The same gates, and one more look at each for alpha.
StageVerdict judge_copies(const RolloutPolicy& policy, const TwoSides& shown);

/// Is this unit on the new side? Never while the rollout is stopped, rolled back or not begun; nor when
/// nothing has been heard of a majority for the lease, unless the rollout is done. Monotone in the share.
/// Allocates nothing.
bool on_new_side(const RolloutRule& rule, const Controls& controls, const Unit& unit, Instant now,
                 WallTime wall);

/// What leads a request's hierarchy, and on whose word.
struct Lead {
  /// Empty: the hierarchy as it is.
  std::string_view model;
  /// The rollout this request counts for, on the new side or the old; null: none.
  const RolloutRule* rollout = nullptr;
  bool new_side = false;
  /// The experiment it counts for, if any.
  Assignment assignment;
  /// Models that get this feature's calls where they lead and nowhere else: the rollout's until it is done,
  /// and the shadow's (B5). Empty: none.
  std::string_view candidate, shadowed;
};

/// A model that a feature's shadow copies calls to, and that nothing else in the configuration sends any to.
struct ShadowedModel {
  std::string feature, model;
};

/// Everything a configuration says about who gets which model. Immutable.
struct LeadRules {
  ExperimentRules experiments;
  std::vector<RolloutRule> rollouts;
  std::vector<ShadowedModel> shadowed;
};
/// Nothing when sound: besides each rule, a feature may have one rollout, and none beside an experiment that
/// chooses its model, since neither comparison would mean anything.
std::optional<std::string> validate(const LeadRules& rules);

/// Valid as long as `rules`. A rollout whose model is stopped or unsigned for the data leads nobody (E5).
/// Allocates nothing.
Lead lead_for(const LeadRules& rules, const Controls& controls, const RequestFacts& facts,
              std::string_view data_class, Instant now, WallTime wall);

}  // namespace troupe::policy
