#include "runtime/policy/proof.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::policy {
namespace {

double proof_bound() { return -std::log(Proof::error); }

}  // namespace

void Proof::add(bool bad) {
  good_ = std::clamp(good_ - log_ratio(bad ? 1 : 0, 1, shares), -proof_bound(), 2 * proof_bound());
}

bool Proof::stands() const { return good_ >= proof_bound(); }

void Proof::restore(double evidence) {
  good_ = std::isfinite(evidence) ? std::clamp(evidence, 0.0, 2 * proof_bound()) : 0;
}

}  // namespace troupe::policy
