// run.json of any run, and the files a recap leaves in --out: recap.json, recap.md, report.html.
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/error.hpp>
#include <troupe/run.hpp>

#include <string>

namespace troupe::app {

/// run.json of the contract. `story` is the document of the verb "runs.story": every attempt of the run, over
/// all its lives; `state` is "done", "failed", "interrupted" or "cancelled".
Json run_json(const RunReport& report, const Json& story);

/// What to say where answers came from the simulator's extractive model; empty otherwise.
std::string model_note(const Json& story);

/// recap.json, recap.md and report.html of a run that is done.
/// `input` is the workflow's input, needed to quote the messages again.
Result<void> write_recap(const std::string& out, const RunReport& report, const Json& story,
                         const JsonText& input);

}  // namespace troupe::app
