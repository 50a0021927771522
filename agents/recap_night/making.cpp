// The shared runs: a channel-day and a digest, both made with the prompts of the recap.
#include "agents/recap/ask.hpp"
#include "agents/recap/condense.hpp"
#include "agents/recap/recap.hpp"
#include "agents/recap_night/joining.hpp"
#include "agents/recap_night/workflows.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace troupe::recap_night {

// Not in the unnamed namespace, because a coroutine frame holds it.
/// Points of other runs as the recap's own: messages stand for themselves by channel, date and ts.
class BorrowedPoints {
 public:
  recap::Point add(const Item& item) {
    recap::Point point{item.kind, item.text, {}};
    std::set<recap::SourceRef> sources;
    for (const auto& source : item.sources) sources.insert(place_of(source));
    point.sources.assign(sources.begin(), sources.end());
    return point;
  }
  const slack::Workspace& workspace() const { return workspace_; }
  Item item_of(const recap::Point& point) const {
    Item out{point.kind, point.text, {}};
    for (const auto& source : point.sources) out.sources.push_back(sources_[source.day][source.message]);
    return out;
  }

 private:
  recap::SourceRef place_of(const SourceMessage& source) {
    auto [day, new_day] = days_.try_emplace({source.channel, source.date}, workspace_.days.size());
    if (new_day) {
      workspace_.days.push_back({source.channel, source.date, {}, 0});
      sources_.emplace_back();
    }
    auto& messages = workspace_.days[day->second].messages;
    auto [at, fresh] = messages_.try_emplace({source.channel, source.ts}, messages.size());
    if (fresh) {
      messages.emplace_back().ts = source.ts;
      sources_[day->second].push_back(source);
    }
    return {day->second, at->second};
  }

  slack::Workspace workspace_;
  std::vector<std::vector<SourceMessage>> sources_;  // as workspace_.days[].messages
  std::map<std::pair<std::string, std::string>, std::size_t> days_, messages_;
};

namespace {

recap::PromptPolicy prompts_for(const Json& asked, const Workflow& wf) {
  recap::PromptPolicy prompts;
  auto left = std::chrono::milliseconds(get_int(asked, "due") - wf.now().ms);
  // Time that has passed already is no reason not to ask: whoever waits decides when to go without.
  prompts.deadline = std::max<Duration>(left, std::chrono::minutes(1));
  prompts.tenant = get_string(asked, "tenant", prompts.tenant);
  return prompts;
}

Item item_of(const recap::Point& point, const slack::Workspace& workspace) {
  Item out{point.kind, point.text, {}};
  for (const auto& source : point.sources) {
    const auto& day = workspace.days[source.day];
    const auto& message = day.messages[source.message];
    out.sources.push_back({day.channel, day.date, message.ts, mark_of(message.text)});
  }
  return out;
}

std::vector<std::string> told(const std::vector<slack::Problem>& problems) {
  std::vector<std::string> out;
  for (const auto& each : problems) out.push_back(each.file + ": " + each.reason);
  return out;
}

Result<std::vector<recap::Point>> borrow(const std::vector<Picked>& picked, SharedRuns& runs,
                                         BorrowedPoints& borrowed) {
  std::vector<recap::Point> out;
  for (const auto& each : picked) {
    auto text = runs.output(each.run_id);
    if (!text) return std::unexpected(text.error());
    auto items = read_summary(*text);
    if (!items) return std::unexpected(items.error());
    for (auto index : each.points)
      if (index < items->size()) out.push_back(borrowed.add((*items)[index]));
  }
  return out;
}

}  // namespace

Task<Result<JsonText>> make_channel_day(Workflow& wf, JsonText input, PortsPtr ports) {
  auto asked = parse_json(input.text);
  if (!asked) co_return std::unexpected(asked.error());
  auto world = ports->open(*asked);
  if (!world) co_return std::unexpected(world.error());
  // Not recorded: step keys are of the content, so a day that changed between two lives is asked about anew.
  auto day = world->source->read(get_string(*asked, "channel"), get_string(*asked, "date"));
  if (!day) co_return std::unexpected(day.error());
  slack::Workspace workspace;
  workspace.name = world->source->workspace();
  workspace.days.push_back(std::move(*day));
  recap::RecapInput how;
  how.prompts = prompts_for(*asked, wf);
  auto making = recap::recap_days(wf, std::move(workspace), std::move(how));
  auto made = co_await making;
  if (!made) co_return std::unexpected(made.error());
  std::vector<Item> items;
  for (const auto& point : made->result.days.front().points) items.push_back(item_of(point, made->workspace));
  co_return summary_text(items, told(made->result.problems));
}

Task<Result<JsonText>> make_digest(Workflow& wf, JsonText input, PortsPtr ports) {
  auto asked = parse_json(input.text);
  if (!asked) co_return std::unexpected(asked.error());
  BorrowedPoints borrowed;
  const auto* list = find(*asked, "picked");
  auto points = borrow(read_picked(list != nullptr ? *list : Json()), *ports->runs, borrowed);
  if (!points) co_return std::unexpected(points.error());
  recap::Questions questions(wf);
  recap::RecapInput how;
  how.prompts = prompts_for(*asked, wf);
  recap::Condensing what{.kind = recap::Condensing::Kind::digest,
                         .id = "",
                         .about = get_string(*asked, "workspace"),
                         .parallel_max = how.parallel_max};
  auto condensing =
      recap::condense(questions, borrowed.workspace(), how, std::move(what), std::move(*points));
  auto condensed = co_await condensing;
  if (!condensed) co_return std::unexpected(condensed.error());
  std::vector<Item> items;
  for (const auto& point : condensed->points) items.push_back(borrowed.item_of(point));
  co_return summary_text(items, condensed->problems);
}

std::vector<WorkflowType> night_workflows(PortsPtr ports) {
  using Made = Task<Result<JsonText>> (*)(Workflow&, JsonText, PortsPtr);
  auto type = [&ports](std::string_view name, Made made) {
    auto function = [made, ports](Workflow& wf, JsonText input) { return made(wf, std::move(input), ports); };
    return WorkflowType{std::string(name), std::move(function), {}, {}};
  };
  return {type(kNight, &zone_night), type(kReaders, &serve_readers), type(kChannelDay, &make_channel_day),
          type(kDigest, &make_digest)};
}

}  // namespace troupe::recap_night
