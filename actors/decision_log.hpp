// Writes down every routing decision, so that it can be explained and made again (E9).
#pragma once

#include "actors/decision_record.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/policy/dispatcher.hpp"

#include <functional>

namespace troupe::actors {

/// One per feature queue. Not thread-safe; never blocks: a decision that cannot be kept is logged, for an
/// answer must not fail for want of a row.
class DecisionLog final : public policy::DecisionSink {
 public:
  /// `journal` may be null: nothing is kept. It must outlive this.
  DecisionLog(journal::Journal* journal, std::string node, WallTime started)
      : journal_(journal), node_(std::move(node)), started_(started) {}
  /// Where to find what chose a call's lead; null for a call that nothing chose for.
  void set_choices(std::function<const policy::Choice*(std::uint64_t call)> choice_of) {
    choice_of_ = std::move(choice_of);
  }
  void on_decision(const Decision& decision) override;
  /// "summary.n1.19a2b3c4d5e.2f": no other decision has it. Feature, node, when this log began in
  /// milliseconds and a count, both in hexadecimal.
  std::string name_of(const std::string& feature, std::uint64_t decision) const;

 private:
  journal::Journal* journal_;
  std::string node_;
  WallTime started_;
  DecisionRecorder recorder_;
  std::function<const policy::Choice*(std::uint64_t)> choice_of_;
};

}  // namespace troupe::actors
