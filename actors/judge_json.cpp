#include "actors/judge_json.hpp"

namespace troupe::actors {

Json judge_json(const policy::JudgeTally& tally, WallTime wall) {
  Json calls = Json::object();
  for (const auto& [model, count] : tally.calls) calls[model] = count;
  Json out{{"pairs", tally.pairs},
           {"better", tally.better},
           {"worse", tally.worse},
           {"ties", tally.ties},
           {"same_text", tally.same},
           {"orders_differ", tally.split},
           {"agreement", tally.agreement()},
           {"not_judged",
            {{"no_verdict", tally.failed},
             {"over_budget", tally.over_budget},
             {"too_many", tally.too_many},
             {"unfit", tally.unfit}}},
           {"calls", std::move(calls)},
           {"usd", tally.usd}};
  if (tally.named > 0)
    out["first_place"] = static_cast<double>(tally.named_first) / static_cast<double>(tally.named);
  if (tally.spent_until > wall) out["stopped_until_ms"] = tally.spent_until.ms;
  return out;
}

}  // namespace troupe::actors
