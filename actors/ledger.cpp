#include "actors/ledger.hpp"

#include "actors/shell.hpp"
#include "runtime/base/log.hpp"
#include "runtime/policy/concentration.hpp"
#include "runtime/policy/tariff.hpp"

#include <fmt/format.h>

namespace troupe::actors {
namespace {

constexpr std::int64_t kConcentrationEveryMs = 10'000;

struct LedgerState {
  static constexpr const char* name = "ledger";
  explicit LedgerState(LedgerActor::pointer self) : self_(self) {}

  LedgerActor::behavior_type start(journal::Journal* journal, std::string node, LedgerMetrics metrics,
                                   LedgerBudgets budgets) {
    journal_ = journal;
    node_ = std::move(node);
    metrics_ = std::move(metrics);
    providers_.alarm = policy::ConcentrationAlarm(metrics_.provider_share_max);
    regions_.alarm = policy::ConcentrationAlarm(metrics_.region_share_max);
    open_budgets(std::move(budgets));
    return {
        [this](const AttemptBooked& fact) { on_attempt(fact.row); },
        [this](const BreakerMoved& fact) { on_breaker(fact); },
        [this](const BreakerSaved& fact) { on_saved(fact); },
        [this](const GetTotals& question) { question.reply(totals_); },
    };
  }

 private:
  void on_attempt(const journal::UsageRow& row) {
    ++totals_.attempts;
    if (!row.error.empty()) ++totals_.failed;
    totals_.tokens_in += row.usage.input_total();
    totals_.tokens_out += row.usage.output;
    totals_.usd += row.usd;
    totals_.unpriced += row.price == policy::kUnpriced;
    measure(row);
    spend(row);
    journal::Batch batch;
    batch.usage.push_back(row);
    batch.usage.back().node = node_;
    keep(std::move(batch));
  }

  void open_budgets(LedgerBudgets budgets) {
    if (!budgets.cell || budgets.clock == nullptr || !budgets.rules.any()) return;
    cell_ = std::move(budgets.cell);
    clock_ = budgets.clock;
    budgets_.emplace(std::move(budgets.rules));
    if (journal_ != nullptr) remember_spending(*journal_, *budgets_, clock_->wall());
    publish_budgets();
  }

  // By the time an attempt began, as the journal sums it, so that a restart finds the same.
  void spend(const journal::UsageRow& row) {
    if (!budgets_) return;
    bool moved = budgets_->book(row.feature, row.tenant, row.usd, row.started);
    if (moved || clock_->wall().ms >= published_.ms + 1000) publish_budgets();
  }

  void publish_budgets() {
    published_ = clock_->wall();
    cell_->store(budgets_->state(published_));
    for (const auto& move : budgets_->moves(published_))
      log::warn("ledger",
                fmt::format("budget of {}: {} (was {}), {:.2f} of {:.2f} USD spent, {:.2f} expected "
                            "by the end of the day",
                            move.whose, to_string(move.standing.level), to_string(move.from),
                            move.standing.spent, move.standing.budget, move.standing.forecast));
  }

  void on_breaker(const BreakerMoved& fact) {
    const auto& event = fact.event;
    if (metrics_.metrics) metrics_.metrics->breaker_moved(event.endpoint, to_string(event.to), event.share);
    journal::Batch batch;
    batch.breakers.push_back({event.endpoint, node_, to_string(event.from), to_string(event.to),
                              to_string(event.reason), event.detail, event.at, fact.cool_until, event.share});
    keep(std::move(batch));
  }

  void on_saved(const BreakerSaved& fact) {
    journal::Batch batch;
    batch.breaker_memories.push_back({fact.endpoint, node_, policy::to_text(fact.memory), fact.at});
    keep(std::move(batch));
  }

  EndpointPlace place_of(const std::string& endpoint) const {
    EndpointPlace unknown{"unknown", "unknown"};
    if (!metrics_.places) return unknown;
    auto places = metrics_.places->load();
    auto known = places->find(endpoint);
    return known == places->end() ? unknown : known->second;
  }

  void measure(const journal::UsageRow& row) {
    if (!metrics_.metrics) return;
    auto place = place_of(row.endpoint);
    metrics_.metrics->attempt_ended({row.endpoint, row.model, place.provider, row.cause, row.error, row.ttft,
                                     row.total, row.usage, row.usd});
    concentrate("provider", providers_, place.provider, row);
    concentrate("region", regions_, place.region, row);
  }

  struct Watch {
    policy::Concentration tokens;
    policy::ConcentrationAlarm alarm;
    WallTime told;
  };

  void concentrate(const char* by, Watch& watch, const std::string& place, const journal::UsageRow& row) {
    const auto& usage = row.usage;
    auto tokens = usage.input_total() + usage.output;
    if (tokens > 0) watch.tokens.add(place, static_cast<double>(tokens), row.started);
    if (row.started.ms < watch.told.ms + kConcentrationEveryMs) return;
    watch.told = row.started;
    auto report = watch.tokens.report(row.started);
    metrics_.metrics->concentrated(by, report.index);
    for (const auto& each : report.shares) metrics_.metrics->share_of(by, each.place, each.share);
    if (watch.alarm.rises(report))
      log::warn("ledger", fmt::format("{} {} serves {:.0f} % of the last hour's tokens: much hangs on it", by,
                                      report.shares[0].place, 100 * report.shares[0].share));
  }

  // The books follow the calls: a write that fails is said aloud, it must not stop work that has been paid
  // for.
  void keep(journal::Batch batch) {
    if (journal_ == nullptr) return;
    journal_->append(std::move(batch), [](Result<void> kept) {
      if (!kept) log::error("ledger", "a row was not kept: " + kept.error().what);
    });
  }

  LedgerActor::pointer self_;
  journal::Journal* journal_ = nullptr;
  std::string node_;
  LedgerMetrics metrics_;
  Watch providers_{{}, policy::ConcentrationAlarm(1), {}}, regions_{{}, policy::ConcentrationAlarm(1), {}};
  LedgerTotals totals_;
  std::optional<policy::BudgetBook> budgets_;
  std::shared_ptr<BudgetCell> cell_;
  Clock* clock_ = nullptr;
  WallTime published_;
};

}  // namespace

LedgerActor spawn_ledger(caf::actor_system& system, Unit* unit, journal::Journal* journal, std::string node,
                         LedgerMetrics metrics, LedgerBudgets budgets) {
  return spawn_shell<LedgerActor, LedgerState>(system, unit, journal, std::move(node), std::move(metrics),
                                               std::move(budgets));
}

}  // namespace troupe::actors
