#include "actors/decision_log.hpp"

#include "runtime/base/log.hpp"

#include <fmt/format.h>

namespace troupe::actors {

namespace {

// What a comparison calls the side the call counts for, whether or not it was its model that answered.
std::string arm_of(const policy::Lead* lead) {
  if (lead == nullptr) return {};
  const auto& assigned = lead->assignment;
  if (assigned.assigned()) return assigned.rule->experiment.name + "/" + assigned.arm->name;
  if (lead->rollout == nullptr) return {};
  return lead->rollout->name + (lead->new_side ? "/new" : "/old");
}

}  // namespace

std::string DecisionLog::name_of(const std::string& feature, std::uint64_t decision) const {
  return fmt::format("{}.{}.{:x}.{:x}", feature, node_, started_.ms, decision);
}

void DecisionLog::on_decision(const Decision& decision) {
  if (journal_ == nullptr) return;
  const auto& feature = decision.router.rules().feature;
  auto origin = origin_of_ ? origin_of_(decision.call) : Origin{};
  journal::DecisionRow row{name_of(feature, decision.id), recorder_.record(decision, origin.choice),
                           decision.wall};
  if (origin.call != nullptr) row.run_id = origin.call->run_id, row.step_key = origin.call->step_key;
  row.arm = arm_of(origin.lead);
  journal::Batch batch;
  batch.decisions.push_back(std::move(row));
  journal_->append(std::move(batch), [](Result<void> kept) {
    if (!kept) log::error("feature_queue", "a decision was not kept: " + kept.error().what);
  });
}

}  // namespace troupe::actors
