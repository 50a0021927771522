// The fake model and the small workspaces of the recap tests.
#include "tests/agents/recap_support.hpp"

#include <algorithm>
#include <set>
#include <sstream>

namespace troupe::recap_test {

std::vector<PromptLine> prompt_lines(const CompletionRequest& request) {
  std::vector<PromptLine> out;
  std::istringstream lines(std::get<TextPart>(request.messages.back().parts.front()).text);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line == "<transcript>") inside = true;
    if (line == "</transcript>") break;
    auto bracket = line.find("] ");
    auto colon = line.find(": ", bracket == std::string::npos ? 0 : bracket);
    if (!inside || !line.starts_with('[') || bracket == std::string::npos || colon == std::string::npos)
      continue;
    out.push_back(
        {line.substr(1, bracket - 1), line.substr(bracket + 2, colon - bracket - 2), line.substr(colon + 2)});
  }
  return out;
}

Completion repeat_lines(const CompletionRequest& request, std::size_t nth) {
  bool digest = request.labels.at("step") == "digest";
  Json list = Json::array();
  auto lines = prompt_lines(request);
  for (std::size_t i = 0; i < lines.size(); i += nth) {
    Json point;
    point["kind"] = request.labels.at("step") == "map" ? "topic" : lines[i].who;
    point["text"] = lines[i].text;
    point["sources"] = Json::array({lines[i].id});
    point["people"] = Json::array({"Nobody"});
    list.push_back(std::move(point));
  }
  Json out;
  out[digest ? "digest" : "points"] = std::move(list);
  return testing::text_completion(dump_json(out));
}

testing::ScriptedDriver::Model repeating_model(std::size_t nth) {
  return [nth](const StepKey&, const CompletionRequest& request) -> Result<Completion> {
    return repeat_lines(request, nth);
  };
}

slack::ChannelDay channel_day(const std::string& channel, const std::vector<Talk>& talk,
                              std::size_t first_minute) {
  slack::ChannelDay day{.channel = channel, .date = "2019-03-05", .messages = {}, .noise = 0};
  for (std::size_t i = 0; i < talk.size(); ++i) {
    auto second = 1551744000 + static_cast<std::int64_t>((first_minute + i) * 60);
    slack::Message message;
    message.ts = fmt::format("{}.000000", second);
    message.time = WallTime{second * 1000};
    message.user_id = "U-" + talk[i].user;
    message.user = talk[i].user;
    message.text = talk[i].text;
    message.thread_ts = talk[i].thread_ts;
    day.messages.push_back(std::move(message));
  }
  return day;
}

slack::ChannelDay chatter(const std::string& channel, std::size_t count, std::size_t first_minute) {
  static const std::vector<std::string> people = {"ann", "bob", "cy"};
  std::vector<Talk> talk;
  for (std::size_t i = 0; i < count; ++i) {
    talk.push_back({people[i % 3], fmt::format("message {} of {}, about the release {}", i, channel, i / 7)});
  }
  return channel_day(channel, talk, first_minute);
}

slack::Workspace workspace_of(std::vector<slack::ChannelDay> days) {
  slack::Workspace workspace{.name = "acme",
                             .users = {},
                             .channels = {},
                             .days = std::move(days),
                             .problems = {},
                             .from = "2019-03-05",
                             .to = "2019-03-05"};
  for (const auto& day : workspace.days) {
    std::set<std::string> members;
    for (const auto& message : day.messages) {
      members.insert(message.user_id);
      workspace.users[message.user_id] = {.id = message.user_id, .name = message.user};
    }
    workspace.channels.push_back(
        {.id = "C-" + day.channel, .name = day.channel, .member_ids = {members.begin(), members.end()}});
  }
  return workspace;
}

recap::RecapInput input_with(std::size_t chunk_tokens_max) {
  recap::RecapInput input;
  input.chunks.chunk_tokens_max = input.chunks.points_tokens_max = chunk_tokens_max;
  input.chunks.message_tokens_max = std::min(input.chunks.message_tokens_max, chunk_tokens_max);
  return input;
}

Json made(testing::ScriptedDriver& driver, slack::Workspace workspace, recap::RecapInput input) {
  Workflow wf(driver);
  auto result = testing::drive(driver, recap::recap_workspace(wf, std::move(workspace), std::move(input)));
  if (!result || !*result) return nullptr;
  auto json = parse_json((*result)->text);
  return json ? *json : Json(nullptr);
}

}  // namespace troupe::recap_test
