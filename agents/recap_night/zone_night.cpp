// A zone's night: the plan, the channel-days, the batches of readers.
#include "agents/recap_night/joining.hpp"
#include "agents/recap_night/night_times.hpp"
#include "agents/recap_night/workflows.hpp"
#include "agents/recap_night/zone_plan.hpp"
#include "agents/research/settings.hpp"

#include "runtime/base/clock.hpp"
#include "runtime/base/log.hpp"

#include <fmt/format.h>

#include <map>

namespace troupe::recap_night {

struct NightSizes {
  std::size_t batch_max = 250, parallel_max = 4;
};

// Named, because coroutine frames that hold it must not depend on an unnamed namespace.
struct ZoneNight {
  Workflow& wf;
  Json asked;
  PortsPtr ports;
  NightWorld world;
  NightTimes times;
  NightSizes sizes;
  ZonePlan plan;
  Json problems = Json::array();
  std::size_t made = 0;
  std::map<std::string, std::int64_t> counts;
};

namespace {

constexpr std::size_t kDaysAtOnce = 64;

Result<NightSizes> sizes_of(const Json& asked) {
  NightSizes out;
  research::Settings settings(asked);
  settings.number("batch", out.batch_max, {1, 5000});
  settings.number("parallel", out.parallel_max, {1, 64});
  if (settings.problem()) return std::unexpected(*settings.problem());
  return out;
}

Json days_json(const std::vector<ChannelDayId>& days) {
  Json out = Json::array();
  for (const auto& day : days) out.push_back(to_json(day));
  return out;
}

std::vector<ChannelDayId> read_days(const Json& value, const char* key) {
  std::vector<ChannelDayId> out;
  if (const auto* list = find(value, key); list != nullptr && list->is_array())
    for (const auto& day : *list) out.push_back(read_channel_day(day));
  return out;
}

Json problem_json(const char* of, const std::string& name, const std::string& reason) {
  Json out;
  out[of] = name;
  out["reason"] = reason;
  return out;
}

// A night without readers looks like one that went well, but often the zone is not the one they live in.
Json problems_json(NightSource& source, const std::string& zone, const std::string& last) {
  Json out = Json::array();
  for (const auto& each : problems_of_days(source.problems(), last))
    out.push_back(problem_json("file", each.file, each.reason));
  auto readers = source.readers(zone);
  if (!readers || !readers->empty()) return out;
  auto reason = fmt::format("no reader lives in {}", zone);
  log::warn("recap_night", reason);
  out.push_back(problem_json("zone", zone, reason));
  return out;
}

Result<JsonText> plan_text(NightSource& source, const std::string& zone, const std::string& last,
                           std::size_t batch_max) {
  auto plan = plan_zone(source, zone, last, batch_max);
  if (!plan) return std::unexpected(plan.error());
  Json out;
  out["readers"] = plan->readers;
  out["problems"] = problems_json(source, zone, last);
  out["days"] = days_json(plan->days);
  out["batches"] = Json::array();
  for (const auto& batch : plan->batches) {
    Json each;
    each["users"] = batch.users;
    each["days"] = days_json(batch.days);
    out["batches"].push_back(std::move(each));
  }
  return JsonText{dump_json(out)};
}

Result<ZonePlan> read_plan(const JsonText& text) {
  auto value = parse_json(text.text);
  if (!value) return std::unexpected(value.error());
  ZonePlan out;
  out.readers = static_cast<std::size_t>(get_int(*value, "readers"));
  out.days = read_days(*value, "days");
  for (const auto& each : *find(*value, "batches")) {
    ReadersBatch batch{each["users"].get<std::vector<std::string>>(), read_days(each, "days")};
    out.batches.push_back(std::move(batch));
  }
  return out;
}

// A plan that older code made has none.
Json read_problems(const JsonText& text) {
  auto value = parse_json(text.text);
  const auto* problems = value ? find(*value, "problems") : nullptr;
  return problems != nullptr ? *problems : Json(Json::array());
}

Task<Result<void>> plan_night_step(ZoneNight& night) {
  StepKey key{"plan", ""};
  std::function<Result<JsonText>()> body = [source = night.world.source, &night] {
    return plan_text(*source, get_string(night.asked, "zone", "UTC"), night.times.last,
                     night.sizes.batch_max);
  };
  auto planning = night.wf.step(std::move(key), std::move(body));
  auto text = co_await planning;
  if (!text) co_return std::unexpected(text.error());
  auto plan = read_plan(*text);
  if (!plan) co_return std::unexpected(plan.error());
  night.plan = std::move(*plan);
  night.problems = read_problems(*text);
  co_return Result<void>{};
}

Task<bool> make_day(ZoneNight& night, ToolPtr tool, ChannelDayId day) {
  StepKey key{"channel_day", fmt::format("{}/{}@{}", day.channel, day.date, day.edition)};
  auto joining = channel_day_run(night.asked, night.world.source->workspace(), day, night.times);
  auto input = to_text(joining);
  auto made = night.wf.tool(std::move(key), std::move(tool), std::move(input), joining_retry());
  auto output = co_await made;
  if (output) ++night.made;
  co_return output.has_value();
}

Task<bool> make_days(ZoneNight& night) {
  auto tool = make_joining(night.ports->runs);
  std::vector<Task<bool>> tasks;
  for (const auto& day : night.plan.days) tasks.push_back(make_day(night, tool, day));
  auto joined = all(std::move(tasks), kDaysAtOnce);
  auto made = co_await joined;
  co_return true;
}

Task<bool> wait_for(Workflow& wf, std::string what, WallTime until) {
  StepKey key{"by", std::move(what)};
  auto sleeping = wf.sleep_until(std::move(key), until);
  auto slept = co_await sleeping;
  co_return slept.has_value();
}

void add_counts(ZoneNight& night, const JsonText& text) {
  auto value = parse_json(text.text);
  if (!value || !value->is_object()) return;
  for (const auto& [name, count] : value->items())
    if (count.is_number_integer()) night.counts[name] += count.get<std::int64_t>();
}

Task<bool> serve_batch(ZoneNight& night, ReadersBatch batch) {
  Json input = night.asked;
  input["due"] = night.times.due.ms;
  input["begun"] = night.wf.now().ms;
  input["last"] = night.times.last;
  input["users"] = batch.users;
  input["days"] = days_json(batch.days);
  ChildSpec spec;
  spec.workflow = std::string(kReaders);
  spec.input = {dump_json(input)};
  StepKey key{"readers", wide_hash(spec.input.text)};
  auto serving = night.wf.child(std::move(key), std::move(spec));
  auto ended = co_await serving;
  if (ended) add_counts(night, ended->output);
  if (!ended) night.counts["failed"] += static_cast<std::int64_t>(batch.users.size());
  co_return ended.has_value();
}

Task<bool> serve_all(ZoneNight& night) {
  std::vector<Task<bool>> tasks;
  for (auto& batch : night.plan.batches) tasks.push_back(serve_batch(night, std::move(batch)));
  night.plan.batches.clear();
  auto joined = all(std::move(tasks), night.sizes.parallel_max);
  auto served = co_await joined;
  co_return true;
}

JsonText report_of(const ZoneNight& night) {
  Json out;
  out["readers"] = night.plan.readers;
  out["channel_days"] = night.made;
  out["missing"] = night.plan.days.size() - night.made;
  for (const char* name : {"delivered", "delivered_before", "opted_out", "failed", "uncondensed"}) {
    auto it = night.counts.find(name);
    out[name] = it == night.counts.end() ? 0 : it->second;
  }
  out["problems"] = night.problems;
  return {dump_json(out)};
}

}  // namespace

Task<Result<JsonText>> zone_night(Workflow& wf, JsonText input, PortsPtr ports) {
  auto asked = parse_json(input.text);
  if (!asked) co_return std::unexpected(asked.error());
  auto times = times_of(*asked, wf.now());
  if (!times) co_return std::unexpected(times.error());
  auto sizes = sizes_of(*asked);
  if (!sizes) co_return std::unexpected(sizes.error());
  auto world = ports->open(*asked);
  if (!world) co_return std::unexpected(world.error());
  ZoneNight night{wf, *asked, ports, *world, *times, *sizes};
  auto planning = plan_night_step(night);
  auto planned = co_await planning;
  if (!planned) co_return std::unexpected(planned.error());
  wf.plan(1 + night.plan.days.size() + night.plan.batches.size());
  // Who reads channels that could not be summarised in time is told so, rather than kept waiting.
  std::vector<Task<bool>> race;
  race.push_back(make_days(night));
  race.push_back(wait_for(wf, "days", times->days_by));
  auto racing = any(std::move(race));
  co_await racing;
  auto serving = serve_all(night);
  co_await serving;
  co_return report_of(night);
}

}  // namespace troupe::recap_night
