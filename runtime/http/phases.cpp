#include "runtime/http/phases.hpp"

namespace troupe::http {

const char* describe(Phase phase) {
  switch (phase) {
    case Phase::connect: return "connect timeout: no connection";
    case Phase::header: return "header timeout: no response head";
    case Phase::first_byte: return "first_byte timeout: no body byte";
    case Phase::idle: return "idle timeout: no further body byte";
    case Phase::total: return "total timeout: not finished";
  }
  return "timeout";
}

void PhaseDeadlines::set(Phase phase, Instant now, Duration limit) {
  auto i = static_cast<std::size_t>(phase);
  // Held ones move by the whole of the hold when it ends.
  if (limit > Duration::zero()) at_[i] = (held(i) ? *held_since_ : now) + limit;
}

void PhaseDeadlines::clear(Phase phase) { at_[static_cast<std::size_t>(phase)].reset(); }

bool PhaseDeadlines::held(std::size_t phase) const {
  return held_since_ && phase != static_cast<std::size_t>(Phase::connect) &&
         phase != static_cast<std::size_t>(Phase::total);
}

void PhaseDeadlines::hold(Instant now) {
  if (!held_since_) held_since_ = now;
}

void PhaseDeadlines::release(Instant now) {
  if (!held_since_) return;
  for (std::size_t i = 0; i < at_.size(); ++i)
    if (at_[i] && held(i)) *at_[i] += now - *held_since_;
  held_since_.reset();
}

std::size_t PhaseDeadlines::earliest() const {
  std::size_t best = at_.size();
  for (std::size_t i = 0; i < at_.size(); ++i)
    if (at_[i] && !held(i) && (best == at_.size() || *at_[i] < *at_[best])) best = i;
  return best;
}

std::optional<Instant> PhaseDeadlines::next() const {
  auto i = earliest();
  return i == at_.size() ? std::nullopt : at_[i];
}

std::optional<Phase> PhaseDeadlines::expired(Instant now) const {
  auto i = earliest();
  if (i == at_.size() || *at_[i] > now) return std::nullopt;
  return static_cast<Phase>(i);
}

}  // namespace troupe::http
