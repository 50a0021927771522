// One day of one channel: what in the file is talk, and what is noise, deleted or unusable.
#pragma once

#include "agents/slack/roster.hpp"
#include "agents/slack/workspace.hpp"

#include <troupe/error.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace troupe::slack {

struct DayText {
  std::string channel;
  std::string date;
  /// The name problems are listed under.
  std::string file;
  std::string text;
};

/// The day's messages in ts order. Joins, leaves, topic changes and the like are counted as noise; deleted
/// ones (tombstones) are left out; messages without text stay. Of messages with the same ts the first in the
/// file is kept. What had to be dropped goes to `problems`, one line per kind. Fails with invalid_input when
/// the file is no JSON array of messages.
Result<ChannelDay> read_day(const DayText& day, const Roster& roster, std::vector<Problem>& problems);

/// Slack's ts as microseconds since 1970; fails for anything but digits, a point and at most six digits.
Result<std::int64_t> ts_micros(std::string_view ts);

}  // namespace troupe::slack
