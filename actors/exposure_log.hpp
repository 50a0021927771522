// Writes down which unit was shown which arm, when the decision is made (E4; EVALUATION 9).
#pragma once

#include "runtime/journal/journal.hpp"
#include "runtime/policy/exposure.hpp"

namespace troupe::actors {

/// One per feature queue. Not thread-safe; never blocks: a row that cannot be kept is logged, for an answer
/// must not fail for want of a row.
class ExposureLog {
 public:
  /// `journal` may be null: nothing is kept. It must outlive this.
  ExposureLog(journal::Journal* journal, std::string node) : journal_(journal), node_(std::move(node)) {}
  /// To be called once the request has really been sent to the arm's model.
  void shown(const policy::Assignment& assignment, const std::string& decision, WallTime at);

 private:
  journal::Journal* journal_;
  std::string node_;
  policy::ExposureMemory memory_;
};

}  // namespace troupe::actors
