// A night over a Slack export: who reads what as its members say, and recaps as files, with each reader's
// place beside them.
#pragma once

#include "agents/recap_night/ports.hpp"

#include <troupe/error.hpp>

namespace troupe::recap_night {

/// From {"input": export, "recaps": folder, "people": file}. The file, which may be left out, is JSON:
///   {"people": {"Ann": {"zone": "Europe/Berlin", "recaps": false}}, "closed_channels": ["hr"]}
/// by display name or id. Who is not in it wakes up in UTC and gets recaps; bots and those who left do not.
/// Anything else in it is an error: a key, person or channel that is misspelt may be somebody's opt-out.
/// Recaps are USER.md in the folder, with USER.json beside it, which holds the place the next one begins at;
/// one for each reader and date. input_missing or invalid_input, naming what is wrong; storage when the
/// folder cannot be written.
Result<NightWorld> open_export_world(const Json& input);

/// The letter as Markdown; nothing in it can become markup.
std::string letter_markdown(const Letter& letter);

}  // namespace troupe::recap_night
