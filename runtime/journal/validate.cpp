// The bounds of what may be asked of a journal, checked before it is queued.
#include "runtime/journal/rules.hpp"

#include <fmt/format.h>

#include <cmath>
#include <initializer_list>

namespace troupe::journal {
namespace {

/// Of ids, keys and names. They are for people and for indexes; anything longer is content.
constexpr std::size_t kTextBytesMax = 2048;

Result<void> check_texts(std::string_view of, std::initializer_list<std::string_view> texts) {
  for (auto text : texts)
    if (text.size() > kTextBytesMax)
      return fail(Errc::invalid_input, fmt::format("a text of the {} has {} bytes, {} are allowed", of,
                                                   text.size(), kTextBytesMax));
  return {};
}

Result<void> check_content(std::string_view of, std::size_t bytes, std::size_t bytes_max) {
  if (bytes <= bytes_max) return {};
  return fail(Errc::invalid_input, fmt::format("the {} has {} bytes, {} are allowed", of, bytes, bytes_max));
}

Result<void> check_number(std::string_view of, double value) {
  if (std::isfinite(value)) return {};
  return fail(Errc::invalid_input, fmt::format("a figure of the {} is no finite number", of));
}

Result<void> check_entry(const Entry& entry, std::size_t payload_bytes_max) {
  if (entry.kind < Kind::start || entry.kind > Kind::snapshot)
    return fail(Errc::invalid_input, fmt::format("there is no entry kind {}", static_cast<int>(entry.kind)));
  if (auto ok = check_texts("entry", {entry.run_id, entry.step_key}); !ok) return ok;
  return check_content("payload", entry.payload.size(), payload_bytes_max);
}

Result<void> check_feedback(const FeedbackRow& row) {
  auto ok = check_texts("rating", {row.run_id, row.step_key, row.rater, row.decision, row.feature, row.tenant,
                                   row.arm, row.model, row.endpoint, row.surface, row.note, row.node});
  for (double share : {row.score, row.asked_share})
    if (ok && !(share >= 0 && share <= 1))
      return fail(Errc::invalid_input, fmt::format("{} in a rating is not between 0 and 1", share));
  return ok;
}

Result<void> check_usage(const UsageRow& row) {
  auto ok = check_texts("usage row", {row.run_id, row.step_key, row.feature, row.tenant, row.model,
                                      row.endpoint, row.cause, row.error, row.node, row.price});
  if (ok) ok = check_number("usage row", row.usd);
  return ok ? check_number("usage row", row.unit_hours) : ok;
}

Result<void> check_breaker(const BreakerRow& row) {
  auto ok = check_texts("breaker row", {row.endpoint, row.node, row.from, row.to, row.reason, row.detail});
  return ok ? check_number("breaker row", row.share) : ok;
}

Result<void> check_control(const ControlRow& row, std::size_t payload_bytes_max) {
  auto ok = check_texts("control row", {row.kind, row.subject, row.node, row.who, row.why});
  return ok ? check_content("control row", row.body.size(), payload_bytes_max) : ok;
}

}  // namespace

Result<void> validate(const RunRow& row, std::size_t payload_bytes_max) {
  if (row.run_id.empty()) return fail(Errc::invalid_input, "a run needs an id");
  if (row.state < RunState::running || row.state > RunState::cancelled)
    return fail(Errc::invalid_input, fmt::format("there is no run state {}", static_cast<int>(row.state)));
  if (row.wake.ms < 0 || (row.wake.ms != 0 && row.state != RunState::running))
    return fail(Errc::invalid_input, fmt::format("run {} is {} and cannot be parked until {}", row.run_id,
                                                 to_string(row.state), row.wake.ms));
  if (row.parent == row.run_id)
    return fail(Errc::invalid_input, fmt::format("run {} cannot be its own parent", row.run_id));
  auto ok = check_texts(
      "run", {row.run_id, row.workflow, row.tenant, row.node, row.parent, row.budget, row.version});
  if (!ok) return ok;
  ok = check_content("run's input", row.input.size(), payload_bytes_max);
  if (ok) ok = check_content("run's output", row.output.size(), payload_bytes_max);
  return ok ? check_number("run", row.usd) : ok;
}

Result<void> validate(const Batch& batch, std::size_t payload_bytes_max) {
  Result<void> ok;
  if (batch.run) ok = validate(*batch.run, payload_bytes_max);
  for (auto at = batch.entries.begin(); ok && at != batch.entries.end(); ++at)
    ok = check_entry(*at, payload_bytes_max);
  for (auto at = batch.usage.begin(); ok && at != batch.usage.end(); ++at) ok = check_usage(*at);
  for (auto at = batch.breakers.begin(); ok && at != batch.breakers.end(); ++at) ok = check_breaker(*at);
  for (const auto& row : batch.breaker_memories)
    if (ok) ok = check_texts("breaker memory", {row.endpoint, row.node, row.memory});
  for (auto at = batch.controls.begin(); ok && at != batch.controls.end(); ++at)
    ok = check_control(*at, payload_bytes_max);
  for (auto at = batch.decisions.begin(); ok && at != batch.decisions.end(); ++at)
    ok = check_texts("decision row", {at->id, at->run_id, at->step_key, at->arm});
  for (auto at = batch.feedback.begin(); ok && at != batch.feedback.end(); ++at) ok = check_feedback(*at);
  for (auto at = batch.exposures.begin(); ok && at != batch.exposures.end(); ++at)
    ok = check_texts("exposure row", {at->experiment, at->arm, at->decision, at->node});
  return ok;
}

}  // namespace troupe::journal
