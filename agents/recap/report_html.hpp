// report.html: one offline page a person would forward.
#pragma once

#include "agents/recap/quotes.hpp"
#include "runtime/json/json.hpp"

#include <string>

namespace troupe::recap {

/// The digest first, then the channels with their points and the messages that show them, then how it was
/// made. `recap` is recap.json, `run` is run.json, `story` is read_story's document; missing keys are read as
/// empty. Self-contained, without scripts; whatever messages, names and errors say is text (a content
/// security policy forbids the rest). With many channel-days the sections start folded. Deterministic; pure.
std::string report_html(const Json& recap, const Json& run, const Json& story, const Quotes& quotes);

}  // namespace troupe::recap
