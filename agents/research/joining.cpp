// Taking what comes by the record.
#include "agents/research/joining.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::research {
namespace {

Task<Arrival> ring(Leading& lead, StepKey key, std::int64_t when_ms, Arrival::What what) {
  auto sleep = lead.wf.sleep_until(key, WallTime{when_ms});
  auto rung = co_await sleep;
  Arrival out{.what = what, .agent = 0, .end = ChildEnd{}};
  if (!rung) out.end = std::unexpected(rung.error());
  co_return out;
}

std::string arrival_name(const Arrival& arrival) {
  switch (arrival.what) {
    case Arrival::What::agent: return fmt::format("agent {}", arrival.agent);
    case Arrival::What::deadline: return "deadline";
    case Arrival::What::patience: return "patience";
    case Arrival::What::grace: return "grace";
  }
  return {};
}

// False when nothing will come any more.
Task<bool> wait_for_one(Round& round) {
  auto next = round.group.next();
  auto ended = co_await next;
  if (ended) round.come.push_back(std::move(ended->value));
  co_return ended.has_value();
}

// What the record names has come or will; if it does not, what has come is taken.
Task<Arrival> take_named(Round& round, std::string name) {
  for (;;) {
    auto named = std::ranges::find(round.come, name, arrival_name);
    if (named != round.come.end()) {
      auto out = std::move(*named);
      round.come.erase(named);
      co_return out;
    }
    auto waiting = wait_for_one(round);
    bool more = co_await waiting;
    if (more) continue;
    auto out = std::move(round.come.front());
    round.come.pop_front();
    co_return out;
  }
}

}  // namespace

void set_timer(Round& round, StepKey key, std::int64_t when_ms, Arrival::What what) {
  round.group.add(ring(round.lead, std::move(key), when_ms, what));
}

Task<Result<std::optional<Arrival>>> next_arrival(Round& round) {
  if (round.come.empty()) {
    auto waiting = wait_for_one(round);
    bool came = co_await waiting;
    if (!came) co_return std::optional<Arrival>();
  }
  auto& lead = round.lead;
  StepKey key{"arrived", fmt::format("{}.{}", round.number, ++round.taken)};
  std::function<Result<JsonText>()> body = [name = arrival_name(round.come.front()),
                                            &lead]() -> Result<JsonText> {
    return JsonText{dump_json(Json{{"what", name}, {"at_ms", lead.clock.wall().ms}})};
  };
  auto keeping = lead.wf.step(key, std::move(body));
  auto kept = co_await keeping;
  if (!kept) co_return std::unexpected(kept.error());
  auto json = parse_json(kept->text);
  if (!json) co_return std::unexpected(json.error());
  lead.latest_ms = get_int(*json, "at_ms");
  auto taking = take_named(round, get_string(*json, "what"));
  auto taken = co_await taking;
  co_return std::optional<Arrival>(std::move(taken));
}

}  // namespace troupe::research
