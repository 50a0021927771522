// The part of a report that says how it was made: calls, failures, breakers, dollars.
#pragma once

#include "agents/recap/story.hpp"
#include "runtime/json/json.hpp"

#include <string>

namespace troupe::recap {

/// In two or three sentences: what failed where and when, what was done about it, what that cost. Plain text.
std::string told_story(const Story& story);

/// The section as HTML: those sentences, the run's figures, the chart, tables by endpoint and by cause.
/// `run` is run.json; missing keys are left out of it.
std::string made_section(const Json& run, const Story& story);

}  // namespace troupe::recap
