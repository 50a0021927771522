// Turns Slack's markup into what a person would read.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace troupe::slack {

/// Names for ids; an empty answer means "unknown id".
struct Names {
  std::function<std::string_view(std::string_view user_id)> user;
  std::function<std::string_view(std::string_view channel_id)> channel;
};

/// Mentions to @name, channels to #name, <!here> to @here, <url|label> to "label (url)", and the three
/// entities Slack escapes (&amp; &lt; &gt;). Emoji codes stay. Markup we do not know stays as it was written;
/// control characters other than newline and tab are dropped. Source: Slack, "Formatting text for app
/// surfaces". Any thread.
std::string render_text(std::string_view text, const Names& names);

/// A name on one line, without control characters, at most 80 bytes cut at a character: names are user
/// content too.
std::string clean_name(std::string_view name);

}  // namespace troupe::slack
