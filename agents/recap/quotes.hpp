// The messages a recap cites, short enough to print beside its points.
#pragma once

#include "agents/slack/workspace.hpp"
#include "runtime/json/json.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <utility>

namespace troupe::recap {

struct Quote {
  std::string user;
  /// "2019-03-05" and "14:02", UTC.
  std::string date;
  std::string clock;
  /// On one line, cut with "…" when it was long.
  std::string text;
  bool bot = false;
  bool edited = false;
};

/// By channel name and ts.
using Quotes = std::map<std::pair<std::string, std::string>, Quote>;

/// What `recap` (recap.json) cites out of `workspace`, which may hold more or less than it. Sources that are
/// not there are simply missing: printers then show the ts alone. Pure.
Quotes collect_quotes(const Json& recap, const slack::Workspace& workspace, std::size_t text_bytes_max = 600);

/// nullptr when there is none.
const Quote* find_quote(const Quotes& quotes, const std::string& channel, const std::string& ts);

}  // namespace troupe::recap
