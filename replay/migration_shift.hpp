// The order in which customers are moved from one model to another: shadow, stages, giving up the old one.
// Decides by the live cores alone; whoever drives it sends the calls (B5-B9).
#pragma once

#include "runtime/base/rng.hpp"
#include "runtime/policy/parity.hpp"
#include "runtime/policy/rollout.hpp"
#include "runtime/policy/shadow.hpp"

#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::replay {

struct ShiftPolicy {
  /// Off: nothing is compared before customers are moved.
  bool shadow = true;
  /// Off: everyone is moved at once, whatever comes of it.
  bool ramp = true;
  /// A call of the new side that the old model had to serve counts as failed. Off: a fallback hides from the
  /// gates what it hides from customers, until the old model is gone.
  bool strays_fail = true;
  /// Off: the new model is a backup like any other before anything has been shown of it, and its breakers are
  /// tried with customers' calls. For showing what holding it back is worth.
  bool hold_back = true;
  /// Before it everything is on the old model and nothing is copied.
  Duration begin = std::chrono::minutes(1);
  /// A verdict of the pairs is asked for when there are so many, and at each doubling up to the most.
  std::size_t pairs_min = 400, pairs_max = 3200;
  /// Without a verdict by then nobody is moved.
  Duration shadow_time_max = std::chrono::minutes(30);
  policy::ShadowPolicy copies{
      .share = 0.3, .tokens_per_hour = 20'000'000, .usd_per_hour = 200, .in_flight_max = 32};
  policy::ParityPolicy parity{.latency_margin = 0.25, .quality_margin = 0.1, .error_margin = 0.02};
  policy::RolloutPolicy rollout{.dwell = std::chrono::minutes(5),
                                .samples_min = 40,
                                .stage_time_max = std::chrono::minutes(30),
                                .ttft_ratio_max = 1.5,
                                .total_ratio_max = 1.5,
                                .cost_ratio_max = 2,
                                .quality_margin = 0.1};
  /// The old model stays a backup for at least so long after the rollout is done. Its capacity is given up
  /// when the gates have passed once more, of what was served meanwhile.
  Duration old_kept = std::chrono::minutes(5);
};

enum class ShiftState : std::uint8_t {
  waiting,      ///< nothing begun
  shadowing,    ///< copies only
  kept_back,    ///< the copies were not shown to be equal: nobody was moved
  rolling,      ///< a stage of the rollout
  rolled_back,  ///< a gate failed: everyone is on the old model again
  halted,       ///< a stage was not decided in its time: its share stays, an operator decides
  kept,         ///< everyone is on the new model, the old one is a backup
  completed     ///< the old one is gone
};
const char* to_string(ShiftState state);
/// Will it never move again by itself?
bool has_ended(ShiftState state);

/// Not thread-safe. Orders take effect at once, as on a node of its own.
class Shift {
 public:
  Shift(ShiftPolicy policy, std::string feature, std::string old_model, std::string new_model, Instant start);

  /// Valid until the next order.
  policy::Lead lead_for(const policy::RequestFacts& facts, Instant now, WallTime wall) const;
  /// Copy this call? True takes it from the copies' budget.
  bool copy(const policy::ShadowFacts& facts, Instant now);
  void copy_ended(const policy::ShadowFacts& expected, std::uint64_t tokens, double usd);
  void on_pair(const policy::ParityPair& pair) { pairs_.push_back(pair); }
  /// How a copied call's primary or its copy ended; the second of them makes the pair.
  void on_half(std::uint64_t call, policy::ParitySide policy::ParityPair::*which,
               const policy::ParitySide& side);
  /// `strayed`: the old model had to serve a call of the new side.
  void on_outcome(bool new_side, policy::CallFigures figures, bool strayed);
  /// True when an order was given: routing must hear of `controls`.
  bool on_tick(Instant now, WallTime wall);

  const policy::ControlsPtr& controls() const { return controls_; }
  ShiftState state() const { return state_; }
  /// What led to the state.
  const std::string& why() const { return why_; }
  std::size_t pairs() const { return pairs_.size(); }
  /// Of units on the new side.
  double share() const;

 private:
  bool enter(ShiftState state, std::string why);
  bool judge_pairs(Instant now);
  bool set_share(double share, std::uint32_t stage, policy::RolloutState state, Instant now);
  bool begin_rollout(Instant now);
  bool judge_rollout(Instant now, WallTime wall);
  policy::StageVerdict judge_stage(const policy::Share& share, Instant now) const;
  bool halt(const policy::Share& share, const std::string& why, Instant now);
  bool roll_back(const policy::Share& share, const std::string& why, Instant now);
  bool advance(const policy::Share& share, const std::string& why, Instant now);
  bool give_up_old(WallTime wall);
  void absorb(policy::Change change);

  ShiftPolicy policy_;
  std::string old_model_;
  policy::LeadRules rules_;
  policy::ControlsPtr controls_;
  policy::Shadow shadow_;
  ShiftState state_ = ShiftState::waiting;
  std::string why_;
  Instant start_, stage_since_;
  std::vector<policy::ParityPair> pairs_;
  std::unordered_map<std::uint64_t, policy::ParityPair> halves_;
  std::size_t next_look_;
  policy::SideEvidence old_, fresh_, old_before_;
};

}  // namespace troupe::replay
