#include "apps/troupe/summary_output.hpp"

#include "apps/troupe/command.hpp"
#include "apps/troupe/outputs.hpp"

namespace troupe::app {

Result<void> write_summary(const std::string& out, const RunReport& report, const Json& story) {
  auto run = run_json(report, story);
  if (auto written = write_file(out + "/run.json", dump_json(run, 2) + "\n"); !written) return written;
  if (report.end != RunEnd::done) return {};
  auto summary = parse_json(report.output.text);
  if (!summary) return std::unexpected(summary.error());
  return write_file(out + "/summary.json", dump_json(*summary, 1) + "\n");
}

}  // namespace troupe::app
