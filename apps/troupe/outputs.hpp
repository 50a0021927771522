// The files a recap leaves in --out: recap.json, run.json, recap.md, report.html.
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/error.hpp>
#include <troupe/run.hpp>

#include <string>

namespace troupe::app {

/// run.json of the contract. `story` is the document of the verb "runs.story": every attempt of the run, over
/// all its lives; `state` is "done", "failed", "interrupted" or "cancelled".
Json run_json(const RunReport& report, const Json& story);

/// Writes what there is: recap.json, recap.md and report.html only when the run is done.
/// `input` is the workflow's input, needed to quote the messages again.
Result<void> write_recap(const std::string& out, const RunReport& report, const Json& story,
                         const JsonText& input);

}  // namespace troupe::app
