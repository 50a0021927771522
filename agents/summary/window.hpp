// What is to be summarised: lines of talk with ids, speakers and times, whatever file they came from.
#pragma once

#include "agents/slack/workspace.hpp"

#include <troupe/time.hpp>

#include <optional>
#include <string>
#include <vector>

namespace troupe::summary {

/// One message, turn or paragraph.
struct Line {
  /// What a source names: a Slack ts, the record's own id, "L12" (line 12 of the file) or "b340" (a paragraph
  /// that begins at byte 340). Unique in its window.
  std::string id;
  /// Empty when nobody is named.
  std::string who;
  /// Valid UTF-8, never empty.
  std::string text;
  std::optional<WallTime> at;
  /// Lines of the same thread; empty outside threads.
  std::string thread;
  /// The id of the line this one answers, when its source says so.
  std::string reply_to;
};

/// The part of a transcript that was asked for, in the order of talk.
struct Window {
  /// For people and the model: "#general, 2019-03-05", "minutes.txt".
  std::string name;
  std::vector<Line> lines;
  /// What could not be used, and why: "chat.jsonl:17", "is not JSON".
  std::vector<slack::Problem> problems;
};

}  // namespace troupe::summary
