// The files a summary leaves in --out: summary.json and run.json.
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/error.hpp>
#include <troupe/run.hpp>

#include <string>

namespace troupe::app {

/// Writes run.json, and summary.json when the run is done. `story` is the document of the verb "runs.story".
Result<void> write_summary(const std::string& out, const RunReport& report, const Json& story);

}  // namespace troupe::app
