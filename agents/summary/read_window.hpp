// From a file to the window asked for, for each of the three formats.
#pragma once

#include "agents/summary/input.hpp"
#include "agents/summary/window.hpp"

#include <troupe/error.hpp>

#include <string_view>

namespace troupe::summary {

/// Reads what `input` names. The same lines give the same window in whatever order the file holds them, if
/// each has a time and an id of its own. Fails with input_missing when nothing is there, and with
/// invalid_input when the file is too large, no line is left in the window, or, for Slack, as
/// slack::read_export does and when several channels fit; everything smaller becomes a problem.
Result<Window> read_window(const SummaryInput& input);

/// The text of a JSONL file: one {"id"?, "who"?, "at"?, "text", "thread"?, "reply_to"?} a line; "at" is
/// seconds since 1970 (a number, or digits as text) or "YYYY-MM-DDTHH:MM:SSZ". A line that is no such record
/// is named "file:line" among the problems, at most 20 of them one by one. Of lines with the same id the one
/// that sorts first is kept. `file` is only a name. Pure.
Window read_jsonl_window(std::string_view text, std::string_view file, const SummaryInput& input);

/// The text of a transcript. "Name: text", "<name> text" and "**Name:** text", with or without "[14:02]"
/// before them, open a turn that lasts until the next; a text where fewer than a quarter of the lines do is
/// taken as prose: paragraphs nobody is named for. Invalid UTF-8 is replaced, control characters become
/// spaces. Pure.
Window read_text_window(std::string_view text, std::string_view file, const SummaryInput& input);

/// "2019-03-05T14:02:07Z" (also with a fraction, or "+02:00"), "2019-03-05", "1551757500.4443" as
/// milliseconds since 1970; nothing when it is none of these.
std::optional<WallTime> parse_moment(std::string_view text);

}  // namespace troupe::summary
