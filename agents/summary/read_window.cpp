// Opening the file, and the Slack half of reading it.
#include "agents/summary/read_window.hpp"

#include "agents/slack/reader.hpp"
#include "runtime/base/read_file.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

namespace troupe::summary {
namespace {

void add_messages(Window& window, const slack::ChannelDay& day, const std::string& thread) {
  for (const auto& message : day.messages) {
    if (message.text.empty()) continue;
    if (!thread.empty() && message.thread_ts != thread && message.ts != thread) continue;
    window.lines.push_back({.id = message.ts,
                            .who = message.user,
                            .text = message.text,
                            .at = message.time,
                            .thread = message.thread_ts,
                            .reply_to = {}});
  }
}

Result<std::string> the_channel(const slack::Workspace& workspace) {
  std::set<std::string> names;
  for (const auto& day : workspace.days) names.insert(day.channel);
  if (names.size() == 1) return *names.begin();
  std::vector<std::string> some(names.begin(), names.end());
  if (some.size() > 12) some.resize(12);
  return fail(Errc::invalid_input, fmt::format("channel: name one of the {} that have messages: {}",
                                               names.size(), fmt::join(some, ", ")));
}

Result<Window> read_slack_window(const SummaryInput& input) {
  slack::ReadOptions options{.from = input.from, .to = input.to};
  if (!input.channel.empty()) options.channels = {input.channel};
  // A thread lasts for as long as it lasts; the newest day alone would seldom hold it.
  if (!input.thread.empty() && input.from.empty() && input.to.empty()) options.from = "1970-01-01";
  auto workspace = slack::read_export(input.path, options);
  if (!workspace) return std::unexpected(workspace.error());
  auto channel = the_channel(*workspace);
  if (!channel) return std::unexpected(channel.error());
  Window window;
  for (const auto& day : workspace->days) add_messages(window, day, input.thread);
  const auto& first = workspace->days.front().date;
  const auto& last = workspace->days.back().date;
  window.name = fmt::format("#{}, {}", *channel, first == last ? first : first + " to " + last);
  if (!input.thread.empty()) window.name = fmt::format("#{}, thread {}", *channel, input.thread);
  window.problems = std::move(workspace->problems);
  return window;
}

Result<Window> read_any(const SummaryInput& input) {
  if (input.format == Format::slack) return read_slack_window(input);
  auto text = read_bounded(input.path, input.file_bytes_max);
  if (!text) return std::unexpected(text.error());
  auto file = std::filesystem::path(input.path).filename().string();
  return input.format == Format::jsonl ? read_jsonl_window(*text, file, input)
                                       : read_text_window(*text, file, input);
}

}  // namespace

Result<Window> read_window(const SummaryInput& input) {
  auto window = read_any(input);
  if (!window) return std::unexpected(window.error());
  if (window->lines.empty()) {
    auto why = window->problems.empty()
                   ? std::string()
                   : fmt::format("; {}: {}", window->problems.front().file, window->problems.front().reason);
    return fail(Errc::invalid_input, fmt::format("{}: no message in the window{}", window->name, why));
  }
  if (window->lines.size() > input.lines_max) {
    window->problems.push_back({window->name, fmt::format("has {} lines; only the first {} were read",
                                                          window->lines.size(), input.lines_max)});
    window->lines.resize(input.lines_max);
  }
  return window;
}

}  // namespace troupe::summary
