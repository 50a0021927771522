// troupe replay: the routing layer on a virtual clock, against modelled clouds, under somebody's real load.
#include "replay/replay.hpp"

#include "apps/troupe/command.hpp"
#include "replay/report.hpp"
#include "runtime/base/clock.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdio>

namespace troupe::app {
namespace {

struct ReplayWishes {
  replay::ReplayOptions options;
  std::string policies = "troupe", out;
  std::vector<std::string> mix, surges;
  bool json = false;
};

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(value) : std::nullopt;
}

// "90", "90s", "15m" or "2h".
std::optional<Duration> span_of(std::string_view text) {
  double unit = 1;
  if (text.ends_with('m')) unit = 60;
  if (text.ends_with('h')) unit = 3600;
  if (text.ends_with('s') || unit > 1) text.remove_suffix(1);
  auto value = number_of(text);
  constexpr double most = 1e8;
  if (!value || *value < 0 || *value * unit > most) return std::nullopt;
  return from_seconds(*value * unit);
}

// "FEATURE" or "FEATURE=SHARE"
Result<replay::MixPart> mix_of(const std::string& text) {
  auto sign = text.find('=');
  replay::MixPart part{text.substr(0, sign), 1};
  if (sign == std::string::npos) return part;
  auto share = number_of(std::string_view(text).substr(sign + 1));
  if (!share) return fail(Errc::invalid_input, "--mix takes FEATURE=SHARE, as summary=0.7; not " + text);
  part.share = *share;
  return part;
}

// "[FEATURE:]FACTOR@FROM-TO"
Result<replay::Surge> surge_of(const std::string& text) {
  auto colon = text.find(':'), at = text.find('@'), dash = text.find('-', at == std::string::npos ? 0 : at);
  auto begin = colon == std::string::npos ? 0 : colon + 1;
  if (at != std::string::npos && dash != std::string::npos && begin < at) {
    auto factor = number_of(std::string_view(text).substr(begin, at - begin));
    auto from = span_of(std::string_view(text).substr(at + 1, dash - at - 1));
    auto to = span_of(std::string_view(text).substr(dash + 1));
    if (factor && from && to)
      return replay::Surge{colon == std::string::npos ? "" : text.substr(0, colon), *factor, *from, *to};
  }
  return fail(Errc::invalid_input,
              "--surge takes [FEATURE:]FACTOR@FROM-TO, as recap:10@600s-1200s; not " + text);
}

Result<void> complete(ReplayWishes& wishes) {
  auto policies = replay::parse_policies(wishes.policies);
  if (!policies) return std::unexpected(policies.error());
  wishes.options.policies = std::move(*policies);
  for (const auto& text : wishes.mix) {
    auto part = mix_of(text);
    if (!part) return std::unexpected(part.error());
    wishes.options.load.mix.push_back(std::move(*part));
  }
  for (const auto& text : wishes.surges) {
    auto surge = surge_of(text);
    if (!surge) return std::unexpected(surge.error());
    wishes.options.load.surges.push_back(std::move(*surge));
  }
  wishes.options.synthetic.seed = wishes.options.load.seed;
  return {};
}

Result<void> write_report(const std::string& out, const replay::ReplayReport& report) {
  auto write = [&](const char* name, const std::string& text) { return write_file(out + "/" + name, text); };
  if (auto done = write("replay.json", dump_json(replay::report_json(report), 1) + "\n"); !done) return done;
  if (auto done = write("series.csv", replay::report_csv(report)); !done) return done;
  return write("replay.html", replay::report_page(report));
}

int act(ReplayWishes wishes) {
  if (auto sound = complete(wishes); !sound) {
    report_error(sound.error());
    return kUsage;
  }
  if (auto writable = check_writable(wishes.out); !writable) return report_error(writable.error());
  auto report = replay::run_replay(wishes.options, system_clock());
  if (!report) return report_error(report.error());
  if (auto written = write_report(wishes.out, *report); !written) return report_error(written.error());
  if (wishes.json) {
    std::printf("%s\n", dump_json(replay::report_json(*report)).c_str());
    return kDone;
  }
  std::fputs(table(replay::report_rows(*report)).c_str(), stdout);
  auto incidents = replay::incident_rows(*report);
  if (!incidents.empty()) std::printf("\n%s", table(incidents).c_str());
  std::fprintf(stderr, "%s: replay.json, series.csv, replay.html\n", wishes.out.c_str());
  return kDone;
}

}  // namespace

void add_replay(CLI::App& app, Action& action) {
  auto wishes = std::make_shared<ReplayWishes>();
  auto& options = wishes->options;
  auto* verb = app.add_subcommand("replay", "The routing layer on a virtual clock against modelled clouds");
  verb->add_option("--trace", options.trace,
                   "AzureLLMInferenceTrace CSV, Mooncake JSON lines, or the folder of a Slack export")
      ->required();
  verb->add_option(
      "--clouds", options.clouds,
      "Configuration with endpoints, features and a `simulator` section (default: the demo clouds, "
      "sized to the trace)");
  verb->add_option("--policy", wishes->policies, "Names, comma-separated, or all (default: troupe)");
  verb->add_option("--scale", options.load.scale, "Times the trace's load (default: 1)");
  verb->add_option("--seed", options.load.seed, "Same seed, same history (default: 1)");
  verb->add_option("--out", wishes->out, "Folder for replay.json, series.csv and replay.html")->required();
  verb->add_option(
      "--mix", wishes->mix,
      "FEATURE=SHARE of the requests; repeat (default: the most patient interactive feature has all)");
  verb->add_option("--surge", wishes->surges, "[FEATURE:]FACTOR@FROM-TO, as recap:10@600s-1200s; repeat");
  verb->add_option("--tenants", options.load.tenants, "How many share the load (default: 16)");
  verb->add_option("--output-max", options.driver.output_tokens_max, "Tokens callers allow (default: 1024)");
  verb->add_option("--per-day", options.synthetic.requests_per_day, "Slack shape: requests a day (100000)");
  verb->add_option("--days", options.synthetic.days, "Slack shape: days (default: 7)");
  verb->add_option("--lengths", options.synthetic.lengths,
                   "Slack shape: a trace whose token counts are drawn");
  verb->add_flag("--json", wishes->json, "replay.json on stdout instead of the table");
  verb->callback([wishes, &action] { action = [wishes] { return act(*wishes); }; });
}

}  // namespace troupe::app
