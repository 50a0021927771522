// Who and what there is in a workspace: people and channels, by id and by the names people use.
#pragma once

#include "agents/slack/workspace.hpp"

#include <troupe/error.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::slack {

/// Read from users.json, channels.json, groups.json and dms.json. Any thread.
struct Roster {
  std::map<std::string, User> users;
  /// Name as in @name, by id.
  std::map<std::string, std::string> handles;
  /// By id: Slack's names may repeat, and mentions carry ids.
  std::map<std::string, Channel> channels;
  /// Folder names of direct messages: private talk, never read.
  std::vector<std::string> private_folders;

  std::string_view user_name(std::string_view id) const;
  std::string_view channel_name(std::string_view id) const;
  const Channel* channel_named(std::string_view name) const;
};

/// Each adds what `text` lists and answers how many of its entries could not be used; fails with
/// invalid_input as read_records does.
Result<std::size_t> add_users(Roster& roster, std::string_view text);
Result<std::size_t> add_channels(Roster& roster, std::string_view text);
Result<std::size_t> add_direct_messages(Roster& roster, std::string_view text);

/// The id of the user meant: an id, else a @name, else a display name. Fails with invalid_input, naming the
/// nearest names when nobody fits and the ids when several do.
Result<std::string> find_user(const Roster& roster, std::string_view wanted);

/// "did you mean a, b?" from the candidates nearest to `wanted`, or an empty text when none is near.
std::string did_you_mean(std::string_view wanted, const std::vector<std::string>& candidates);

}  // namespace troupe::slack
