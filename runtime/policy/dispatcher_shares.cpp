// What a feature's calls may take of the node's tokens, and how its guarantee reaches those that wait (C6).
#include "runtime/policy/dispatcher.hpp"

#include <utility>

namespace troupe::policy {

// There may be room, and its feature's share of what the node may use together allows it; a tenant that has
// none now keeps its place (C6).
Turn Dispatcher::may_go(const Ticket& ticket, Instant now) {
  auto& call = calls_.at(ticket.id);
  if (!may_ask(*call.kin, now)) return Turn::kind_waits;
  if (!tree_) return Turn::go;
  auto terms = terms_for(call, now);
  auto grant =
      tree_->take(policy_.rules.feature, ticket.tenant, ticket.cost, now, policy_.rules.work_class, terms);
  // Another kind may find room for what it borrows.
  if (!grant) return terms.may_borrow ? Turn::tenant_waits : Turn::kind_waits;
  call.granted = ticket.cost;
  call.source = grant.source;
  return Turn::go;
}

// What the guarantee has belongs to the first of those that wait for it, else small calls would keep it from
// a large one for ever.
QuotaTree::Terms Dispatcher::terms_for(const Following& call, Instant now) {
  QuotaTree::Terms terms;
  terms.may_borrow = may_ask(borrowers_of(*call.kin), now);
  if (const auto* first = first_claimant()) {
    terms.kept_of_feature = first->granted;
    if (first->facts.tenant == call.facts.tenant) terms.kept_of_own = first->granted;
  }
  return terms;
}

// The call that has waited longest with what it borrowed.
Dispatcher::Following* Dispatcher::first_claimant() {
  for (; !claimants_.empty(); claimants_.pop_front()) {
    auto it = calls_.find(claimants_.front());
    if (it == calls_.end()) continue;
    auto& call = it->second;
    if (has_borrowed(call) && (call.stalled || call.behind) && call.main.attempt == 0) return &call;
    call.claims = false;
  }
  return nullptr;
}

// Its share has come free: it borrows no longer, so no room is kept from it.
Dispatcher::Following* Dispatcher::take_claimant(Instant now) {
  auto* call = first_claimant();
  if (call == nullptr) return nullptr;
  auto source = tree_->claim(policy_.rules.feature, call->facts.tenant, call->granted, now);
  if (!source) return nullptr;
  claimants_.pop_front();
  call->claims = false;
  call->source = *source;
  unstall(*call);
  call->kin = &kin_of(call->facts, call->barred);
  return call;
}

Dispatcher::Kin& Dispatcher::borrowers_of(Kin& kin) {
  constexpr std::uint64_t salt = 0xB0220;
  if (kin.borrowers == nullptr) kin.borrowers = &kin_by(Rng(kin.hash ^ salt).next());
  return *kin.borrowers;
}

// Where nothing is guaranteed all that goes is borrowed.
bool Dispatcher::may_leave(const Kin& kin, Instant now) const {
  bool borrowing_only = tree_ && !guaranteed_ && kin.borrowers != nullptr;
  return may_ask(kin, now) && (!borrowing_only || may_ask(*kin.borrowers, now));
}

}  // namespace troupe::policy
