// A replay's figures for programs and people: replay.json, series.csv, a table, and a page.
#pragma once

#include "replay/replay.hpp"
#include "runtime/json/json.hpp"

#include <string>
#include <vector>

namespace troupe::replay {

/// docs/REPLAY.md says what each member means. Equal reports give equal bytes; `wall_seconds` alone differs
/// between runs.
Json report_json(const ReplayReport& report);
/// One line per policy and stretch of time, columns named in the first line.
std::string report_csv(const ReplayReport& report);
/// A header and a row per policy, for a terminal.
std::vector<std::vector<std::string>> report_rows(const ReplayReport& report);
/// The same for what was planned to go wrong; empty when nothing was.
std::vector<std::vector<std::string>> incident_rows(const ReplayReport& report);
/// One HTML file: plots as SVG within it, nothing from elsewhere, no scripts.
std::string report_page(const ReplayReport& report);

}  // namespace troupe::replay
