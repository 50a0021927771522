// Writes down every routing decision, so that it can be explained and made again (E9).
#pragma once

#include "actors/decision_record.hpp"
#include "actors/interfaces.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/policy/dispatcher.hpp"
#include "runtime/policy/rollout.hpp"

#include <functional>

namespace troupe::actors {

/// One per feature queue. Not thread-safe; never blocks: a decision that cannot be kept is logged, for an
/// answer must not fail for want of a row.
class DecisionLog final : public policy::DecisionSink {
 public:
  /// `journal` may be null: nothing is kept. It must outlive this.
  DecisionLog(journal::Journal* journal, std::string node, WallTime started)
      : journal_(journal), node_(std::move(node)), started_(started) {}
  /// What stands behind a call; null what there is not.
  struct Origin {
    /// What chose its lead.
    const policy::Choice* choice = nullptr;
    const Call* call = nullptr;
    const policy::Lead* lead = nullptr;
  };
  void set_origins(std::function<Origin(std::uint64_t call)> origin_of) { origin_of_ = std::move(origin_of); }
  void on_decision(const Decision& decision) override;
  /// "summary.n1.19a2b3c4d5e.2f": no other decision has it. Feature, node, when this log began in
  /// milliseconds and a count, both in hexadecimal.
  std::string name_of(const std::string& feature, std::uint64_t decision) const;

 private:
  journal::Journal* journal_;
  std::string node_;
  WallTime started_;
  DecisionRecorder recorder_;
  std::function<Origin(std::uint64_t)> origin_of_;
};

}  // namespace troupe::actors
