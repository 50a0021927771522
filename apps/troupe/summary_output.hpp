// The file that a summary leaves in --out.
#pragma once

#include <troupe/error.hpp>
#include <troupe/run.hpp>

#include <string>

namespace troupe::app {

/// Writes summary.json of a run that is done.
Result<void> write_summary(const std::string& out, const RunReport& report);

}  // namespace troupe::app
