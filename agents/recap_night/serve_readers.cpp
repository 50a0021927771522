// A batch of readers: who shares which digest, the digests, the letters.
#include "agents/recap/condense.hpp"
#include "agents/recap_night/joining.hpp"
#include "agents/recap_night/night_times.hpp"
#include "agents/recap_night/workflows.hpp"
#include "agents/recap_night/zone_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace troupe::recap_night {

// Named, because coroutine frames that hold it must not depend on an unnamed namespace.
struct Serving {
  Workflow& wf;
  Json asked;
  PortsPtr ports;
  NightWorld world;
  NightTimes times;
  ToolPtr joining, delivery;
  std::map<std::string, std::int64_t> counts;
};

namespace {

constexpr std::size_t kGroupsAtOnce = 32;
constexpr std::size_t kLettersAtOnce = 16;
/// As the digest's own prompt asks for.
constexpr std::size_t kPlainPointsMax = 12;

ReadersBatch batch_of(const Json& asked) {
  ReadersBatch out;
  if (const auto* users = find(asked, "users"); users != nullptr && users->is_array())
    for (const auto& user : *users)
      if (user.is_string()) out.users.push_back(user.get<std::string>());
  if (const auto* days = find(asked, "days"); days != nullptr && days->is_array())
    for (const auto& day : *days) out.days.push_back(read_channel_day(day));
  return out;
}

KnownDays known_days(const Serving& serving, const ReadersBatch& batch) {
  KnownDays out;
  for (const auto& day : batch.days) {
    auto run = channel_day_run(serving.asked, serving.world.source->workspace(), day, serving.times).run_id;
    auto text = serving.ports->runs->output(run);
    if (!text) continue;
    if (auto items = read_summary(*text)) out[day] = {std::move(run), std::move(*items)};
  }
  return out;
}

Result<JsonText> groups_text(const Serving& serving) {
  auto batch = batch_of(serving.asked);
  Json out = Json::array();
  for (const auto& group : group_readers(*serving.world.source, batch, known_days(serving, batch))) {
    Json each;
    each["picked"] = to_json(group.picked);
    each["missing"] = group.missing;
    each["users"] = group.users;
    out.push_back(std::move(each));
  }
  return JsonText{dump_json(out)};
}

Result<std::vector<Readership>> read_groups(const JsonText& text) {
  auto value = parse_json(text.text);
  if (!value) return std::unexpected(value.error());
  std::vector<Readership> out;
  for (const auto& each : *value)
    out.push_back({read_picked(each["picked"]), each["missing"].get<std::vector<std::string>>(),
                   each["users"].get<std::vector<std::string>>()});
  return out;
}

// Two groups that differ only in what is missing share a digest, but a step is asked for once in a run.
std::string digest_step(const Readership& group, std::string run_id) {
  for (const auto& channel : group.missing) run_id += " -" + channel;
  return run_id;
}

Task<bool> join_digest(Serving& serving, Joining joining, std::string what) {
  StepKey key{"digest", std::move(what)};
  auto input = to_text(joining);
  auto tool = serving.joining;
  auto made = serving.wf.tool(std::move(key), std::move(tool), std::move(input), joining_retry());
  auto output = co_await made;
  co_return output.has_value();
}

Task<bool> give_up_waiting(Serving& serving, std::string what) {
  StepKey key{"by", std::move(what)};
  auto sleeping = serving.wf.sleep_until(std::move(key), serving.times.digests_by);
  auto slept = co_await sleeping;
  co_return false;
}

std::vector<Item> plain_points(Serving& serving, const std::vector<Picked>& picked) {
  std::vector<Item> items;
  for (const auto& each : picked) {
    auto text = serving.ports->runs->output(each.run_id);
    auto made = text ? read_summary(*text) : Result<std::vector<Item>>();
    if (!made) continue;
    for (auto index : each.points)
      if (index < made->size()) items.push_back((*made)[index]);
  }
  std::vector<recap::Point> points;
  for (std::size_t i = 0; i < items.size(); ++i) points.push_back({items[i].kind, {}, {{i, 0}}});
  std::vector<Item> out;
  for (const auto& best : recap::best_points(std::move(points), kPlainPointsMax))
    out.push_back(items[best.sources.front().day]);
  return out;
}

Task<bool> condense_points(Serving& serving, const Readership& group, Letter& letter) {
  if (group.picked.empty()) co_return true;
  auto run = digest_run(serving.asked, serving.world.source->workspace(), group.picked, serving.times);
  auto run_id = run.run_id;
  std::vector<Task<bool>> race;
  race.push_back(join_digest(serving, std::move(run), digest_step(group, run_id)));
  race.push_back(give_up_waiting(serving, digest_step(group, run_id)));
  auto racing = any(std::move(race));
  auto first = co_await racing;
  if (first && first->value) {
    auto text = serving.ports->runs->output(run_id);
    auto items = text ? read_summary(*text) : Result<std::vector<Item>>();
    if (text && items) {
      letter.items = std::move(*items);
      co_return true;
    }
  }
  letter.items = plain_points(serving, group.picked);
  letter.uncondensed = true;
  co_return false;
}

Task<bool> deliver_letter(Serving& serving, Letter letter) {
  StepKey key{"deliver", letter.user};
  auto input = to_text(letter);
  RetryPolicy retry{.attempts_max = 100,
                    .pause = std::chrono::seconds(1),
                    .growth = 2,
                    .pause_max = std::chrono::minutes(1)};
  auto tool = serving.delivery;
  auto putting = serving.wf.tool(std::move(key), std::move(tool), std::move(input), retry);
  auto put = co_await putting;
  auto what = put ? put->text : "failed";
  std::ranges::replace(what, ' ', '_');
  ++serving.counts[what];
  if (what == "delivered" && letter.uncondensed) ++serving.counts["uncondensed"];
  co_return put.has_value();
}

Task<bool> serve_group(Serving& serving, Readership group) {
  Letter letter;
  letter.date = get_string(serving.asked, "date");
  letter.missing = group.missing;
  letter.until = end_of(serving.times.last);
  auto condensing = condense_points(serving, group, letter);
  auto condensed = co_await condensing;
  std::vector<Task<bool>> tasks;
  for (const auto& user : group.users) {
    auto own = letter;
    own.user = user;
    own.key = fmt::format("{}/{}/{}", serving.world.source->workspace(), letter.date, user);
    tasks.push_back(deliver_letter(serving, std::move(own)));
  }
  auto joined = all(std::move(tasks), kLettersAtOnce);
  auto delivered = co_await joined;
  co_return condensed;
}

}  // namespace

Task<Result<JsonText>> serve_readers(Workflow& wf, JsonText input, PortsPtr ports) {
  auto asked = parse_json(input.text);
  if (!asked) co_return std::unexpected(asked.error());
  auto world = ports->open(*asked);
  if (!world) co_return std::unexpected(world.error());
  auto times =
      times_between({get_int(*asked, "begun")}, {get_int(*asked, "due")}, get_string(*asked, "last"));
  Serving serving{
      wf, *asked, ports, *world, std::move(times), make_joining(ports->runs), make_delivery(*world), {}};
  StepKey key{"groups", ""};
  std::function<Result<JsonText>()> body = [&serving] { return groups_text(serving); };
  auto grouping = wf.step(std::move(key), std::move(body));
  auto text = co_await grouping;
  if (!text) co_return std::unexpected(text.error());
  auto groups = read_groups(*text);
  if (!groups) co_return std::unexpected(groups.error());
  std::vector<Task<bool>> tasks;
  for (auto& group : *groups) tasks.push_back(serve_group(serving, std::move(group)));
  auto joined = all(std::move(tasks), kGroupsAtOnce);
  auto served = co_await joined;
  Json out = Json::object();
  for (const auto& [name, count] : serving.counts) out[name] = count;
  co_return JsonText{dump_json(out)};
}

}  // namespace troupe::recap_night
