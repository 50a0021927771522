// Where in an export the lists and the day files are, and which of them were asked for.
#pragma once

#include "agents/slack/roster.hpp"
#include "agents/slack/source.hpp"

#include <optional>

namespace troupe::slack {

struct DayFile {
  std::string channel;
  /// "2019-03-05"
  std::string date;
  Entry entry;
  /// Relative to the export, as problems name it: "general/2019-03-05.json".
  std::string name;
};

struct Layout {
  /// users.json, channels.json, groups.json, dms.json and mpims.json, by name; only those that exist.
  std::map<std::string, Entry> lists;
  /// Ordered by channel, then date.
  std::vector<DayFile> days;
};

/// Finds the lists and day files; the export may lie in a single folder inside the archive. Things that stand
/// where something else should be go to `problems`.
Layout lay_out(const std::vector<Entry>& entries, std::vector<Problem>& problems);

/// Is this "YYYY-MM-DD" and in the calendar?
bool is_date(std::string_view text);

/// The options' dates, checked. Fails with invalid_input for what is no date and when `from` is after `to`.
Result<void> check_dates(const ReadOptions& options);

/// The names of the channels asked for; nullopt for all. Fails with invalid_input, naming near matches, for a
/// channel or user that is unknown.
Result<std::optional<std::vector<std::string>>> choose_channels(const ReadOptions& options,
                                                                const Roster& roster, const Layout& layout);

}  // namespace troupe::slack
