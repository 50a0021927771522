// A workspace as it was exported: people, channels, and the messages of the days asked for.
#pragma once

#include <troupe/time.hpp>

#include <map>
#include <string>
#include <vector>

namespace troupe::slack {

struct User {
  std::string id;
  /// What people see: display name, else real name, else name, else id.
  std::string name;
  bool bot = false;
  bool deleted = false;
};

struct Message {
  /// Slack's own id and timestamp, kept verbatim: "1551757500.444300".
  std::string ts;
  WallTime time;
  std::string user_id;
  std::string user;
  /// Rendered for reading: mentions, channels, links and entities resolved.
  std::string text;
  /// The ts of the thread's first message; empty outside threads.
  std::string thread_ts;
  bool bot = false;
  bool edited = false;
};

/// One channel on one day (UTC), in ts order without duplicates.
struct ChannelDay {
  std::string channel;
  /// "2019-03-05"
  std::string date;
  std::vector<Message> messages;
  /// Joins, leaves and the like, left out of `messages`.
  std::size_t noise = 0;
};

struct Channel {
  std::string id;
  std::string name;
  std::vector<std::string> member_ids;
  bool shared = false;
};

/// Something in the input we could not use; the rest was read.
struct Problem {
  /// Relative to the export: "general/2019-03-05.json".
  std::string file;
  std::string reason;
};

struct Workspace {
  /// The folder's or archive's name.
  std::string name;
  std::map<std::string, User> users;
  std::vector<Channel> channels;
  /// Ordered by channel name, then date. Only days that have messages.
  std::vector<ChannelDay> days;
  std::vector<Problem> problems;
  /// The range that was read, inclusive.
  std::string from, to;
};

}  // namespace troupe::slack
