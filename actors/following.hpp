// What routing and the books are told of a call. Pure.
#pragma once

#include "actors/interfaces.hpp"
#include "runtime/policy/dispatcher.hpp"
#include "runtime/policy/rollout.hpp"

#include <map>
#include <string>

namespace troupe::actors {

/// Where an attempt that is out went, and for whom.
struct SentAttempt {
  CallPtr call;
  std::uint64_t call_id = 0;
  /// Of the call's attempts that reached a wire, from 1.
  std::size_t number = 0;
  std::string endpoint;
  EndpointActor actor;
  Cause cause = Cause::primary;
  WallTime started;
  Instant deadline;
  std::uint64_t decision = 0;
};

/// Data of some tenants may be processed only in one place (C8, D11): of whom the request is and whose run it
/// is; and what a call carries of another feature only where that may go. Null: no tenant is bound.
/// `permission` when no place may have it, since the two, or the feature's own boundary, name different ones.
Result<std::string> boundary_of(const Call& call, const std::string& features,
                                const std::map<std::string, std::string>* bound);
/// May data bound to `boundary` be sent there?
bool inside(const std::string& boundary, const policy::EndpointFacts& facts);
/// What experiments and rollouts choose by. Points into `request`.
policy::RequestFacts lead_facts_of(const CompletionRequest& request, const policy::CallFacts& facts);
/// None: it is not in there.
std::optional<std::size_t> place_in(const std::vector<std::string>& hierarchy, std::string_view model);
/// Tells routing who leads the call, and which models of the hierarchy are candidates. Its first model serves
/// already and is none. The place of who leads.
std::optional<std::size_t> lead_by(const policy::Lead& lead, const std::vector<std::string>& hierarchy,
                                   policy::CallFacts& facts);
/// A candidate leads by its own rollout or experiment (`led`) or not at all: what would save money, or choose
/// by difficulty, must not send a call there.
void hold_back(std::optional<std::size_t> led, policy::CallFacts& facts);
policy::CallFacts facts_of(const Call& call, std::uint64_t id, Instant now);
policy::AttemptReport report_of(std::uint64_t attempt, const AttemptResult& result);
/// A call as a rollout's gates see it. On the new side one that another model had to serve counts as failed:
/// a fallback must not hide from the gates what it hides from callers, since the old model may go.
policy::CallFigures figures_of(const std::vector<AttemptRecord>& records, bool failed,
                               const policy::Lead& lead);
/// The line in the books; `number` counts the call's attempts from 1.
journal::UsageRow usage_row(const Call& call, std::size_t number, const AttemptRecord& record);
/// The end of an attempt whose endpoint actor is gone: it may have been billed, and text may have been shown.
std::shared_ptr<AttemptResult> lost_attempt(const SentAttempt& attempt);
/// How an attempt ends that must not be sent: its endpoint is gone, or Call::may_go says no. Null: send it.
std::shared_ptr<AttemptResult> unsent(const SentAttempt& attempt);

}  // namespace troupe::actors
