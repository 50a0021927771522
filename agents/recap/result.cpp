// Writing recap.json.
#include "agents/recap/result.hpp"

#include <algorithm>
#include <map>

namespace troupe::recap {
namespace {

Json sources_json(const Point& point, const slack::Workspace& workspace, std::size_t day) {
  Json out = Json::array();
  for (const auto& source : point.sources) {
    if (source.day == day) out.push_back(workspace.days[day].messages[source.message].ts);
  }
  return out;
}

Json point_json(const Point& point, const slack::Workspace& workspace, std::size_t day) {
  Json out;
  out["kind"] = point.kind;
  out["text"] = point.text;
  out["sources"] = sources_json(point, workspace, day);
  out["people"] = authors(point, workspace.days[day], day);
  return out;
}

Json channel_json(const DayRecap& recap, const slack::Workspace& workspace, std::size_t day) {
  Json out;
  out["name"] = workspace.days[day].channel;
  out["date"] = workspace.days[day].date;
  out["messages"] = workspace.days[day].messages.size();
  out["threads"] = recap.threads;
  out["conversations"] = recap.conversations;
  out["points"] = Json::array();
  for (const auto& point : recap.points) out["points"].push_back(point_json(point, workspace, day));
  return out;
}

std::size_t main_day(const std::map<std::size_t, std::size_t>& sources_of) {
  auto fewer = [](const auto& a, const auto& b) { return a.second < b.second; };
  return std::ranges::max_element(sources_of, fewer)->first;
}

Json digest_item_json(const Point& point, const slack::Workspace& workspace) {
  std::map<std::size_t, std::size_t> sources_of;
  for (const auto& source : point.sources) ++sources_of[source.day];
  auto day = main_day(sources_of);
  auto place = [&](Json& out, std::size_t of) {
    out["channel"] = workspace.days[of].channel;
    out["date"] = workspace.days[of].date;
    out["sources"] = sources_json(point, workspace, of);
  };
  Json out;
  out["text"] = point.text;
  out["kind"] = point.kind;
  place(out, day);
  for (const auto& [other, count] : sources_of) {
    if (other == day) continue;
    Json elsewhere;
    place(elsewhere, other);
    out["also"].push_back(std::move(elsewhere));
  }
  return out;
}

Json digest_json(const std::vector<Point>& digest, const slack::Workspace& workspace) {
  Json out = Json::array();
  for (const auto& point : digest) out.push_back(digest_item_json(point, workspace));
  return out;
}

Json personal_json(const PersonalDigest& personal, const slack::Workspace& workspace) {
  Json out;
  out["user"] = personal.user;
  out["channels"] = Json::array();
  std::string last;
  for (auto day : personal.days) {
    const auto& name = workspace.days[day].channel;
    if (name != last) out["channels"].push_back(name);
    last = name;
  }
  out["digest"] = digest_json(personal.digest, workspace);
  return out;
}

Json problems_json(const slack::Workspace& workspace, const RecapResult& result) {
  Json out = Json::array();
  auto add = [&](const std::vector<slack::Problem>& problems) {
    for (const auto& problem : problems) {
      Json entry;
      entry["file"] = problem.file;
      entry["reason"] = problem.reason;
      out.push_back(std::move(entry));
    }
  };
  add(workspace.problems);
  add(result.problems);
  return out;
}

}  // namespace

Json recap_json(const slack::Workspace& workspace, const RecapResult& result) {
  Json out;
  out["workspace"] = workspace.name;
  out["from"] = workspace.from;
  out["to"] = workspace.to;
  out["channels"] = Json::array();
  for (std::size_t day = 0; day < result.days.size(); ++day) {
    out["channels"].push_back(channel_json(result.days[day], workspace, day));
  }
  out["digest"] = digest_json(result.digest, workspace);
  if (!result.personal.empty()) {
    for (const auto& personal : result.personal)
      out["personal"].push_back(personal_json(personal, workspace));
  }
  out["problems"] = problems_json(workspace, result);
  out["dropped_points"] = result.dropped_points;
  out["dropped_sources"] = result.dropped_sources;
  out["summarised_once"] = result.summarised_once;
  return out;
}

}  // namespace troupe::recap
