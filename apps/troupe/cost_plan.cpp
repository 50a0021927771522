// `troupe cost budgets` and `troupe cost plan`: how the day goes, and what to commit to.
#include "apps/troupe/cost.hpp"

#include "runtime/base/clock.hpp"
#include "runtime/config/config.hpp"
#include "runtime/policy/commitment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace troupe::app {
namespace {

constexpr std::int64_t kPlanHourMs = 3'600'000;

struct Demand {
  /// Units wanted in each hour, reserved or spilled; hours without calls are 0.
  std::vector<double> units;
  /// What one unit's hour of these calls costs on demand.
  double spill_usd = 0;
};

const config::EndpointConfig* find_endpoint(const config::Config& config, const std::string& id) {
  auto it = std::ranges::find(config.endpoints.list, id, &config::EndpointConfig::id);
  return it == config.endpoints.list.end() ? nullptr : &*it;
}

/// What serves the model on demand, cheapest first by output.
const config::EndpointConfig* spill_place(const config::Config& config, const std::string& model) {
  const config::EndpointConfig* best = nullptr;
  for (const auto& each : config.endpoints.list) {
    bool fits = each.model == model && each.kind == policy::CapacityKind::on_demand && each.price.output > 0;
    if (fits && (best == nullptr || each.price.output < best->price.output)) best = &each;
  }
  return best;
}

Demand demand_of(const std::vector<policy::LedgerLine>& lines, const config::EndpointConfig& pool,
                 const policy::Price& price, WallTime to) {
  std::map<std::int64_t, double> hours;
  double units = 0, usd = 0;
  for (const auto& line : lines) {
    if (line.model != pool.model) continue;
    auto taken = policy::unit_hours_of(pool.limits, pool.reserved.units, line.usage);
    hours[line.hour.ms / kPlanHourMs] += taken;
    units += taken;
    usd += policy::cost_usd(price, line.usage);
  }
  Demand out;
  if (hours.empty()) return out;
  // The hour that is going on is not whole.
  for (auto hour = hours.begin()->first; (hour + 1) * kPlanHourMs <= to.ms; ++hour)
    out.units.push_back(hours.contains(hour) ? hours.at(hour) : 0);
  out.spill_usd = units > 0 ? usd / units : 0;
  return out;
}

int print_plan(const CostOptions& options, const config::EndpointConfig& pool, const Demand& demand) {
  policy::CommitmentPrices prices{pool.reserved.usd_per_hour, demand.spill_usd};
  auto best = policy::best_commitment(demand.units, prices, options.units_max);
  if (!best || demand.units.empty())
    return report_error(
        make_error(Errc::invalid_input, "there are no whole hours of calls to this model yet, or no prices"));
  auto now = policy::commitment_of(static_cast<std::uint32_t>(pool.reserved.units), demand.units, prices);
  if (options.json || options.format == "json") {
    Json out{{"endpoint", pool.id},
             {"hours", demand.units.size()},
             {"unit_usd_per_hour", prices.unit},
             {"spill_usd_per_unit_hour", prices.spill},
             {"break_even_utilisation", policy::break_even_utilisation(prices)},
             {"units", best->units},
             {"usd_per_hour", best->usd},
             {"units_now", now.units},
             {"usd_per_hour_now", now.usd}};
    std::printf("%s\n", dump_json(out, 2).c_str());
    return kDone;
  }
  std::printf(
      "%zu hours; a unit costs %.4f USD an hour, its work on demand %.4f: worth having when used %.1f%%\n",
      demand.units.size(), prices.unit, prices.spill, 100 * policy::break_even_utilisation(prices));
  std::vector<std::vector<std::string>> rows{{"", "UNITS", "USD/HOUR", "SPILLED", "USED"}};
  for (const auto& [name, each] : {std::pair{"now", now}, {"cheapest", *best}})
    rows.push_back({name, std::to_string(each.units), fmt::format("{:.4f}", each.usd),
                    fmt::format("{:.4f}", each.spilled_usd), fmt::format("{:.1f}%", 100 * each.utilisation)});
  std::fputs(table(rows).c_str(), stdout);
  return kDone;
}

std::vector<std::string> budget_row(const std::string& whose, const policy::BudgetStanding& each) {
  return {whose,
          policy::to_string(each.level),
          fmt::format("{:.2f}", each.budget),
          fmt::format("{:.2f}", each.spent),
          fmt::format("{:.2f}", each.forecast),
          each.overrun() ? "yes" : "no"};
}

}  // namespace

int plan_commitment(const CostOptions& options) {
  auto config = config_from(options.asker.config, {});
  if (!config) return report_error(config.error());
  const auto* pool = find_endpoint(config->values(), options.endpoint);
  if (pool == nullptr || !(pool->reserved.units > 0))
    return report_error(make_error(Errc::invalid_input,
                                   "no endpoint " + options.endpoint + " with reserved units is configured"));
  const auto* spill = spill_place(config->values(), pool->model);
  if (spill == nullptr)
    return report_error(make_error(Errc::invalid_input, "nothing serves " + pool->model +
                                                            " on demand at a "
                                                            "known price, so spilling has none"));
  auto span = span_of(options);
  if (!span) return report_error(span.error());
  auto lines = ledger_lines(options, "hour,model,endpoint", *span);
  if (!lines) return report_error(lines.error());
  return print_plan(options, *pool, demand_of(*lines, *pool, spill->price, span->to));
}

int show_budgets(const CostOptions& options) {
  auto config = config_from(options.asker.config, {});
  if (!config) return report_error(config.error());
  auto now = system_clock().wall();
  policy::BudgetBook book(config::budget_rules(config->values()));
  auto week = static_cast<std::int64_t>(policy::BudgetMeter::days_kept + 1) * 24 * kPlanHourMs;
  auto lines = ledger_lines(options, "hour,feature,tenant", {{now.ms - week}, {now.ms + 1}});
  if (!lines) return report_error(lines.error());
  for (const auto& line : *lines)
    book.book(line.feature, line.tenant,
              static_cast<double>(line.nano) / static_cast<double>(policy::kNanoPerUsd), line.hour);
  auto state = book.state(now);
  std::vector<std::vector<std::string>> rows{{"BUDGET", "LEVEL", "USD/DAY", "SPENT", "FORECAST", "OVERRUN"}};
  Json out = Json::array();
  auto add = [&](const std::string& whose, const policy::BudgetStanding& each) {
    if (each.budget <= 0) return;
    rows.push_back(budget_row(whose, each));
    out.push_back({{"budget", whose},
                   {"level", policy::to_string(each.level)},
                   {"usd_per_day", each.budget},
                   {"spent_usd", each.spent},
                   {"forecast_usd", each.forecast},
                   {"overrun", each.overrun()}});
  };
  for (const auto& [name, each] : state->features) add("feature " + name, each.standing);
  for (const auto& [name, each] : state->tenants) add("tenant " + name, each);
  if (options.json || options.format == "json")
    std::printf("%s\n", dump_json(out, 2).c_str());
  else
    std::fputs(table(rows).c_str(), stdout);
  return kDone;
}

}  // namespace troupe::app
