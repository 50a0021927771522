#include "apps/troupe/outputs.hpp"

#include "agents/recap/input.hpp"
#include "agents/recap/markdown.hpp"
#include "agents/recap/quotes.hpp"
#include "agents/recap/report_html.hpp"
#include "agents/slack/reader.hpp"
#include "apps/troupe/command.hpp"
#include "runtime/base/clock.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace troupe::app {
namespace {

constexpr const char* kExtractive = "extractive";

bool from_simulator(const Json& story) {
  if (get_bool(story, "simulated")) return true;
  const auto* models = find(story, "reported_models");
  if (models == nullptr) return false;
  return std::any_of(models->begin(), models->end(), [](const Json& model) {
    return model.is_string() && model.get<std::string>().find(kExtractive) != std::string::npos;
  });
}

Result<recap::Quotes> quotes_for(const Json& recap, const JsonText& input) {
  auto wish = recap::read_recap_input(input);
  if (!wish) return std::unexpected(wish.error());
  auto workspace = slack::read_export(wish->path, wish->read);
  if (!workspace) return std::unexpected(workspace.error());
  return recap::collect_quotes(recap, *workspace);
}

}  // namespace

std::string model_note(const Json& story) {
  if (!from_simulator(story)) return {};
  return "The answers came from the simulator's extractive model. It is not a language model: it picks the "
         "most central "
         "messages and quotes them.";
}

Json run_json(const RunReport& report, const Json& story) {
  std::map<std::string, std::int64_t> by_endpoint, by_cause;
  std::int64_t input = 0, output = 0, cached = 0, total = 0;
  double usd = 0;
  bool estimated = false;
  for (const auto& attempt : story["attempts"]) {
    ++total;
    ++by_endpoint[get_string(attempt, "endpoint")];
    ++by_cause[get_string(attempt, "cause")];
    input += get_int(attempt, "input");
    output += get_int(attempt, "output");
    cached += get_int(attempt, "cached");
    usd += get_double(attempt, "usd");
    estimated = estimated || get_bool(attempt, "estimated");
  }
  Json out;
  out["run_id"] = report.run_id;
  out["workflow"] = report.workflow;
  out["state"] = to_string(report.end);
  out["started"] = to_iso8601(report.started);
  out["seconds"] = seconds(report.took);
  out["steps"] = {{"total", report.steps}, {"replayed", report.steps_replayed}};
  out["calls"] = {{"total", total}, {"by_endpoint", by_endpoint}, {"by_cause", by_cause}};
  out["tokens"] = {{"input", input}, {"output", output}, {"cached", cached}};
  out["cost_usd"] = usd;
  out["estimated"] = estimated;
  if (report.error) out["error"] = {{"code", to_string(report.error->code)}, {"what", report.error->what}};
  return out;
}

Result<void> write_recap(const std::string& out, const RunReport& report, const Json& story,
                         const JsonText& input) {
  auto run = run_json(report, story);
  auto recap = parse_json(report.output.text);
  if (!recap) return std::unexpected(recap.error());
  if (auto written = write_file(out + "/recap.json", dump_json(*recap, 1) + "\n"); !written) return written;
  auto quotes = quotes_for(*recap, input);
  // The export may have moved since; a recap without quotes is still a recap.
  auto shown = quotes ? std::move(*quotes) : recap::Quotes{};
  auto told = story;
  told["model_note"] = model_note(story);
  if (auto written =
          write_file(out + "/recap.md", recap::recap_markdown(*recap, shown, get_string(told, "model_note")));
      !written)
    return written;
  return write_file(out + "/report.html", recap::report_html(*recap, run, told, shown));
}

}  // namespace troupe::app
