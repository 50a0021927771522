#include "apps/troupe/summary_output.hpp"

#include "apps/troupe/command.hpp"
#include "runtime/json/json.hpp"

namespace troupe::app {

Result<void> write_summary(const std::string& out, const RunReport& report) {
  auto summary = parse_json(report.output.text);
  if (!summary) return std::unexpected(summary.error());
  return write_file(out + "/summary.json", dump_json(*summary, 1) + "\n");
}

}  // namespace troupe::app
