#include "actors/decision_log.hpp"

#include "runtime/base/log.hpp"

#include <fmt/format.h>

namespace troupe::actors {

std::string DecisionLog::name_of(const std::string& feature, std::uint64_t decision) const {
  return fmt::format("{}.{}.{:x}.{:x}", feature, node_, started_.ms, decision);
}

void DecisionLog::on_decision(const Decision& decision) {
  if (journal_ == nullptr) return;
  const auto& feature = decision.router.rules().feature;
  const auto* choice = choice_of_ ? choice_of_(decision.call) : nullptr;
  journal::Batch batch;
  batch.decisions.push_back(
      {name_of(feature, decision.id), recorder_.record(decision, choice), decision.wall});
  journal_->append(std::move(batch), [](Result<void> kept) {
    if (!kept) log::error("feature_queue", "a decision was not kept: " + kept.error().what);
  });
}

}  // namespace troupe::actors
