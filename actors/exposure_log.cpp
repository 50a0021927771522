#include "actors/exposure_log.hpp"

#include "runtime/base/log.hpp"

namespace troupe::actors {

void ExposureLog::shown(const policy::Assignment& assignment, const std::string& decision, WallTime at) {
  if (!assignment.assigned() || journal_ == nullptr || !memory_.first(assignment)) return;
  journal::Batch batch;
  batch.exposures.push_back({assignment.rule->experiment.name, assignment.rule->version, assignment.arm->name,
                             assignment.unit, decision, node_, at});
  journal_->append(std::move(batch), [](Result<void> kept) {
    if (!kept) log::error("exposures", "a row was not kept: " + kept.error().what);
  });
}

}  // namespace troupe::actors
