// What recap tests share: small workspaces, and a fake model that repeats the lines it is shown.
#pragma once

#include "agents/recap/recap.hpp"
#include "agents/slack/workspace.hpp"
#include "runtime/json/json.hpp"
#include "tests/support/scripted_driver.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace troupe::recap_test {

/// The source lines of a prompt, as any model has to find them: "[id] who: text".
struct PromptLine {
  std::string id, who, text;
};
std::vector<PromptLine> prompt_lines(const CompletionRequest& request);

/// {"points":[…]} or {"digest":[…]}, each repeating one line and citing it; every `nth` line only.
Completion repeat_lines(const CompletionRequest& request, std::size_t nth = 1);

/// A model for ScriptedDriver that repeats every `nth` line.
testing::ScriptedDriver::Model repeating_model(std::size_t nth = 1);

struct Talk {
  std::string user, text;
  std::string thread_ts = {};
};
/// One channel-day whose messages are a minute apart, ts "1551744000.000000" on, for 2019-03-05 and
/// `first_minute`.
slack::ChannelDay channel_day(const std::string& channel, const std::vector<Talk>& talk,
                              std::size_t first_minute = 0);
/// `count` messages "message i of channel, …" by three people in turn.
slack::ChannelDay chatter(const std::string& channel, std::size_t count, std::size_t first_minute = 0);
/// A workspace of these days: its channels, users and range follow from them; everyone is a member of where
/// they spoke.
slack::Workspace workspace_of(std::vector<slack::ChannelDay> days);

/// Chunks of at most this many estimated tokens, else the defaults.
recap::RecapInput input_with(std::size_t chunk_tokens_max);

/// Drives recap_workspace to its end; a Json null when it failed or hung.
Json made(testing::ScriptedDriver& driver, slack::Workspace workspace, recap::RecapInput input = {});

}  // namespace troupe::recap_test
