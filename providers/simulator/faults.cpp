// Windows, shares, and the words of a refusal.
#include "providers/simulator/faults.hpp"

namespace troupe::providers::simulator {
namespace {

using config::Fault;
using config::FaultKind;

bool concerns(const Fault& fault, const CallFacts& call) {
  auto since = call.since_start - fault.from;
  if (fault.every > Duration{} && since > Duration{}) since %= fault.every;
  bool in_time = since >= Duration{} && (fault.to == Duration{} || since < fault.to - fault.from);
  bool in_count = call.number >= fault.call_from && (fault.call_to == 0 || call.number <= fault.call_to);
  return in_time && in_count && (fault.model.empty() || fault.model == call.model);
}

void apply(const Fault& fault, Struck& struck) {
  switch (fault.kind) {
    case FaultKind::down:
    case FaultKind::half_open:
    case FaultKind::model_error:
    case FaultKind::throttle:
    case FaultKind::errors:
    case FaultKind::unavailable:
      if (!struck.refusal) struck.refusal = fault;
      return;
    case FaultKind::slow: struck.slow *= fault.factor; return;
    case FaultKind::late_first_token: struck.late += fault.delay; return;
    case FaultKind::slow_head: struck.head_late += fault.delay; return;
    case FaultKind::in_stream_error:
    case FaultKind::cut:
    case FaultKind::stall:
    case FaultKind::malformed:
    case FaultKind::truncated:
      if (!struck.breakage) struck.breakage = fault;
      return;
    case FaultKind::poor_quality: return;
  }
}

}  // namespace

Struck strike(const std::vector<Fault>& schedule, const CallFacts& call, Rng& rng) {
  Struck struck;
  for (const auto& fault : schedule) {
    bool drawn = fault.share >= 1 || rng.uniform() < fault.share;
    if (drawn && concerns(fault, call)) apply(fault, struck);
  }
  return struck;
}

std::optional<Error> refusal_error(const Fault& fault) {
  if (fault.kind == FaultKind::down || fault.kind == FaultKind::half_open) return std::nullopt;
  auto code = Errc::transient_server;
  if (fault.kind == FaultKind::throttle) code = Errc::rate_limited;
  if (fault.kind == FaultKind::unavailable) code = Errc::overloaded;
  auto error = make_error(code, "simulated fault");
  if (fault.kind == FaultKind::throttle && fault.retry_after > Duration{})
    error.retry_after = fault.retry_after;
  return error;
}

}  // namespace troupe::providers::simulator
