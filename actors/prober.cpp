#include "actors/prober.hpp"

#include "actors/following.hpp"
#include "actors/shell.hpp"

#include <algorithm>
#include <map>

namespace troupe::actors {
namespace {

constexpr auto kProbeDeadline = std::chrono::seconds(30);
constexpr auto kProbeGrace = std::chrono::seconds(5);
constexpr int kProbeTokensMax = 8;

/// A handful of tokens either way: enough to see a first token and a whole answer.
RequestPtr probe_request() {
  auto request = std::make_shared<CompletionRequest>();
  request->feature = request->tenant = kProbes;
  request->output_tokens_max = kProbeTokensMax;
  request->deadline = kProbeDeadline;
  Message message;
  message.parts.emplace_back(TextPart{"Answer with the word ready.", false});
  request->messages.push_back(std::move(message));
  return request;
}

struct ProberShell {
  static constexpr const char* name = "prober";
  explicit ProberShell(ProberActor::pointer self) : self_(self) {}

  ProberActor::behavior_type start(Clock* clock, LedgerActor ledger,
                                   std::shared_ptr<const Published<policy::Controls>> controls) {
    clock_ = clock;
    controls_ = std::move(controls);
    ledger_ = std::move(ledger);
    return {
        [this](const ProbeDue& wish) { on_due(wish.endpoint); },
        [this](const AttemptEnded& fact) { on_ended(fact); },
        [this](const RosterChanged& fact) { roster_ = fact.roster; },
        [this](Tick) {
          std::erase_if(out_, [now = clock_->now()](const auto& each) { return each.second.until < now; });
        },
    };
  }

 private:
  struct Probe {
    std::string endpoint;
    Instant until;
  };

  void on_due(const std::string& endpoint) {
    auto entry = std::ranges::find_if(*roster_, [&](const auto& each) {
      return each.facts->id == endpoint && !each.leaving;
    });
    bool busy = std::ranges::any_of(out_, [&](const auto& each) { return each.second.endpoint == endpoint; });
    if (entry == roster_->end() || busy || stopped(*entry->facts)) return;
    RunAttempt order;
    order.id = ++last_id_;
    order.request = request_;
    order.deadline = clock_->now() + kProbeDeadline;
    order.cause = Cause::probe;
    order.reply_to = self_;
    out_[order.id] = {endpoint, order.deadline + kProbeGrace};
    self_->send(entry->handle, std::move(order));
  }

  bool stopped(const policy::EndpointFacts& facts) const {
    if (!controls_) return false;
    policy::Target target{.model = facts.model, .endpoint = facts.id, .provider = facts.provider};
    return controls_->load()->stopped_by(target, clock_->wall()) != nullptr;
  }

  void on_ended(const AttemptEnded& fact) {
    out_.erase(fact.id);
    if (fact.result->not_sent) return;
    Call call;
    call.request = request_;
    call.step_key = "probe " + std::to_string(fact.id);
    self_->send(ledger_, AttemptBooked{usage_row(call, 1, fact.result->record)});
  }

  ProberActor::pointer self_;
  Clock* clock_ = nullptr;
  LedgerActor ledger_;
  std::shared_ptr<const Published<policy::Controls>> controls_;
  RequestPtr request_ = probe_request();
  RosterPtr roster_ = std::make_shared<const Roster>();
  std::map<std::uint64_t, Probe> out_;
  std::uint64_t last_id_ = 0;
};

}  // namespace

ProberActor spawn_prober(caf::actor_system& system, Unit* unit, Clock& clock, LedgerActor ledger,
                         std::shared_ptr<const Published<policy::Controls>> controls) {
  return spawn_shell<ProberActor, ProberShell>(system, unit, &clock, std::move(ledger), std::move(controls));
}

}  // namespace troupe::actors
