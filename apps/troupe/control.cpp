// The verb that gives orders: emergency stops, flags, rollouts; and shows them.
#include "apps/troupe/command.hpp"
#include "runtime/base/clock.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace troupe::app {
namespace {

struct ControlOptions {
  AskerOptions asker;
  bool json = false, dry_run = false;
  std::string subject, name, action, why, unit = "tenant", ttl;
  double percent = 0;
  std::vector<std::string> allow, deny;
};
using ControlRef = std::shared_ptr<ControlOptions>;
using ControlRow = std::vector<std::string>;

// "90s", "15m", "2h", "1d"
std::optional<std::int64_t> read_ttl(const std::string& text) {
  if (text.empty()) return 0;
  char* end = nullptr;
  double value = std::strtod(text.c_str(), &end);
  std::string unit = end;
  double ms = unit == "s" ? 1e3 : unit == "m" ? 60e3 : unit == "h" ? 3600e3 : unit == "d" ? 86'400e3 : 0;
  if (!(value > 0 && value * ms <= 3.2e11) || ms == 0) return std::nullopt;
  return static_cast<std::int64_t>(value * ms);
}

Json order_json(const ControlOptions& options) {
  return {
      {"subject", options.subject}, {"name", options.name}, {"who", operator_name()}, {"why", options.why}};
}

template <class Show>
int ask_control(const ControlOptions& options, const std::string& verb, const Json& input, Show show) {
  auto asker = make_asker(options.asker);
  if (!asker) return report_error(asker.error());
  auto told = (*asker)->ask(verb, input);
  if (!told) {
    auto status = report_error(told.error());
    return told.error().code == Errc::not_found ? kInputMissing : status;
  }
  if (options.json) {
    std::printf("%s\n", dump_json(*told, 2).c_str());
    return kDone;
  }
  return show(*told);
}

std::string when(const Json& line, const char* key) {
  auto ms = get_int(line, key);
  return ms == 0 ? "-" : to_iso8601({ms});
}

int show_controls(const Json& controls) {
  std::vector<ControlRow> rows{{"KIND", "NAME", "STANDING", "UNTIL", "WHO", "WHY", "AT"}};
  for (const auto& stop : controls["stops"])
    rows.push_back({get_string(stop, "subject"), get_string(stop, "name"),
                    get_bool(stop, "holds") ? "STOPPED" : "started", when(stop, "until_ms"),
                    get_string(stop, "who"), get_string(stop, "why"), when(stop, "at_ms")});
  for (const auto& flag : controls["flags"])
    rows.push_back({"flag", get_string(flag, "name"),
                    get_bool(flag, "stopped")
                        ? "STOPPED"
                        : fmt::format("{:g}% of {}s", get_double(flag, "percent"), get_string(flag, "unit")),
                    "-", get_string(flag, "who"), get_string(flag, "why"), when(flag, "at_ms")});
  for (const auto& share : controls["shares"])
    rows.push_back({"rollout", get_string(share, "name"),
                    fmt::format("{} at {:g}%", get_string(share, "state"), 100 * get_double(share, "share")),
                    "-", get_string(share, "who"), get_string(share, "why"), when(share, "at_ms")});
  std::fputs(table(rows).c_str(), stdout);
  return kDone;
}

int show_audit(const Json& orders) {
  std::vector<ControlRow> rows{{"AT", "KIND", "SUBJECT", "WHO", "NODE", "WHY"}};
  for (const auto& each : orders)
    rows.push_back({get_string(each, "at"), get_string(each, "kind"), get_string(each, "subject"),
                    get_string(each, "who"), get_string(each, "node"), get_string(each, "why")});
  std::fputs(table(rows).c_str(), stdout);
  return kDone;
}

int show_experiments(const Json& experiments) {
  std::vector<ControlRow> rows{{"EXPERIMENT", "ARM", "MODEL", "SHARE", "UNITS", "RATIO p", "STANDING"}};
  for (const auto& each : experiments)
    for (const auto& arm : each["arms"])
      rows.push_back(
          {get_string(each, "experiment"), get_string(arm, "arm"), get_string(arm, "model"),
           fmt::format("{:g}", get_double(arm, "share")), std::to_string(get_int(arm, "units")),
           fmt::format("{:.4f}", get_double(each, "ratio_p")),
           get_bool(each, "stopped") ? "STOPPED" : fmt::format("{:g}%", get_double(each, "percent"))});
  std::fputs(table(rows).c_str(), stdout);
  return kDone;
}

std::string judge_text(const Json& judge) {
  std::string by;
  for (const auto& [model, calls] : judge["calls"].items())
    by += fmt::format("{}{} ({} calls)", by.empty() ? "" : ", ", model, calls.get<std::uint64_t>());
  const auto& left = judge["not_judged"];
  auto out = fmt::format(
      "{} pairs judged by {}: {} better, {} worse, {} ties ({} of the same text); "
      "{:.0f} % the same in both orders; {:.4g} USD",
      get_int(judge, "pairs"), by.empty() ? "nobody" : by, get_int(judge, "better"), get_int(judge, "worse"),
      get_int(judge, "ties"), get_int(judge, "same_text"), 100 * get_double(judge, "agreement"),
      get_double(judge, "usd"));
  if (find(judge, "first_place") != nullptr)
    out += fmt::format("; {:.0f} % of verdicts for the answer shown first",
                       100 * get_double(judge, "first_place"));
  out += fmt::format("; not judged: {} without a verdict, {} over budget, {} too many at once, {} unfit",
                     get_int(left, "no_verdict"), get_int(left, "over_budget"), get_int(left, "too_many"),
                     get_int(left, "unfit"));
  if (find(judge, "stopped_until_ms") != nullptr)
    out += "; the budget is spent until " + when(judge, "stopped_until_ms");
  return out;
}

void show_judge(const Json& of, const std::string& whose) {
  if (const auto* judge = find(of, "judge"))
    std::printf("%s: %s\n", whose.c_str(), judge_text(*judge).c_str());
}

int show_shadows(const Json& shadows) {
  std::vector<ControlRow> rows{{"FEATURE", "CANDIDATE", "WHAT", "VERDICT", "LOW", "HIGH", "MARGIN", "PAIRS"}};
  for (const auto& each : shadows) {
    auto feature = get_string(each, "feature"), model = get_string(each, "model");
    rows.push_back({feature, model, "all", get_string(each, "verdict"), "-", "-", "-", "-"});
    for (const auto& line : each["lines"])
      rows.push_back(
          {feature, model, get_string(line, "what"), get_string(line, "verdict"),
           fmt::format("{:.4g}", get_double(line, "low")), fmt::format("{:.4g}", get_double(line, "high")),
           fmt::format("{:.4g}", get_double(line, "margin")), std::to_string(get_int(line, "pairs"))});
  }
  std::fputs(table(rows).c_str(), stdout);
  for (const auto& each : shadows) show_judge(each, "judge of " + get_string(each, "feature"));
  return kDone;
}

int show_place(const Json& told) {
  std::printf("%s on node %s\n", get_string(told, "endpoint").c_str(), get_string(told, "node").c_str());
  return kDone;
}

int show_rollout(const Json& rollout) {
  if (rollout.empty()) return kDone;  // an order, carried out
  std::printf("rollout %s: %s at %g%% (home %s) %s\n", get_string(rollout, "rollout").c_str(),
              get_string(rollout, "state").c_str(), 100 * get_double(rollout, "share"),
              get_string(rollout, "home").c_str(), get_string(rollout, "next").c_str());
  show_judge(rollout, "judge on this node");
  const auto* gates = find(rollout, "gates");
  if (gates == nullptr) return kDone;
  std::vector<ControlRow> rows{{"GATE", "STATE", "NEW - OLD", "LOW", "HIGH", "MARGIN"}};
  for (const auto& each : *gates)
    rows.push_back({get_string(each, "gate"), get_string(each, "state"),
                    fmt::format("{:.4g}", get_double(each, "difference")),
                    fmt::format("{:.4g}", get_double(each, "low")),
                    fmt::format("{:.4g}", get_double(each, "high")),
                    fmt::format("{:.4g}", get_double(each, "margin"))});
  std::fputs(table(rows).c_str(), stdout);
  return kDone;
}

// "+new -old ~other"
std::string names_text(const Json& names) {
  std::string out;
  for (const auto& [key, sign] :
       {std::pair("added", "+"), std::pair("removed", "-"), std::pair("changed", "~")})
    for (const auto& name : names[key]) out += (out.empty() ? "" : " ") + (sign + name.get<std::string>());
  return out.empty() ? "-" : out;
}

int show_reload(const Json& told) {
  std::vector<ControlRow> rows{{"WHAT", "NAMES"}};
  for (const char* what : {"endpoints", "shadows", "rollouts"})
    rows.push_back({what, names_text(told[what])});
  rows.push_back(
      {"new queues",
       names_text({{"added", Json::array()}, {"removed", Json::array()}, {"changed", told["queues"]}})});
  rows.push_back({"options that differ", std::to_string(told["options"].size())});
  std::fputs(table(rows).c_str(), stdout);
  return kDone;
}

int reload_node(const ControlOptions& options) {
  return ask_control(options, "control.reload", Json{{"dry_run", options.dry_run}}, show_reload);
}

int give_stop(const ControlOptions& options, const std::string& verb) {
  auto ttl = read_ttl(options.ttl);
  if (!ttl) return report_error(make_error(Errc::invalid_input, "--ttl is a time such as 15m, 2h or 1d"));
  auto input = order_json(options);
  input["ttl_ms"] = *ttl;
  return ask_control(options, verb, input, show_controls);
}

int hold_breaker(const ControlOptions& options) {
  auto ttl = read_ttl(options.ttl);
  if (!ttl) return report_error(make_error(Errc::invalid_input, "--ttl is a time such as 15m, 2h or 1d"));
  auto input = order_json(options);
  input["endpoint"] = options.name;
  input["order"] = options.action;
  input["ttl_ms"] = *ttl;
  return ask_control(options, "control.breaker", input, show_place);
}

int give_flag(const ControlOptions& options) {
  auto input = order_json(options);
  input["percent"] = options.percent;
  input["unit"] = options.unit;
  input["allow"] = options.allow;
  input["deny"] = options.deny;
  return ask_control(options, "control.flag", input, show_controls);
}

int tell_rollout(const ControlOptions& options) {
  auto input = order_json(options);
  input["action"] = options.action;
  return ask_control(options, "control.rollout", input, show_rollout);
}

CLI::App* add_order(CLI::App& app, const char* name, const char* help, const ControlRef& options,
                    Action& action, std::function<int(const ControlOptions&)> act) {
  auto* verb = app.add_subcommand(name, help);
  add_asker_options(*verb, options->asker);
  verb->add_flag("--json", options->json, "JSON instead of a table");
  verb->add_option("--why", options->why, "For the audit trail");
  verb->callback(
      [options, &action, act = std::move(act)] { action = [options, act] { return act(*options); }; });
  return verb;
}

void add_stops(CLI::App& control, const ControlRef& options, Action& action) {
  constexpr const char* subjects =
      "feature, tenant, model, endpoint, provider, flag, experiment, rollout, sign_off or schedule";
  auto* stop = add_order(control, "stop", "Emergency stop: nothing new goes there, on any node", options,
                         action, [](const auto& o) { return give_stop(o, "control.stop"); });
  auto* start = add_order(control, "start", "Undoes the stops there are", options, action,
                          [](const auto& o) { return give_stop(o, "control.start"); });
  for (auto* verb : {stop, start}) {
    verb->add_option("kind", options->subject, subjects)->required();
    verb->add_option("name", options->name, "Its name")->required();
  }
  stop->add_option("--ttl", options->ttl, "Ends by itself after 15m, 2h, 1d (default: never)");
}

void add_settings(CLI::App& control, const ControlRef& options, Action& action) {
  auto* flag = add_order(control, "flag", "Sets a flag", options, action, give_flag);
  flag->add_option("name", options->name, "The flag")->required();
  flag->add_option("--percent", options->percent, "Of its units, 0 to 100")->required();
  flag->add_option("--unit", options->unit, "tenant, user or request")->capture_default_str();
  flag->add_option("--allow", options->allow, "Tenants that have it")->delimiter(',');
  flag->add_option("--deny", options->deny, "Tenants that do not, whatever else")->delimiter(',');
  auto* rollout =
      add_order(control, "rollout", "A rollout's standing, or an order to it", options, action, tell_rollout);
  rollout->add_option("action", options->action, "status, start, advance, halt, resume or rollback")
      ->required();
  rollout->add_option("name", options->name, "The rollout")->required();
  auto* breaker = add_order(control, "breaker", "Holds an endpoint's breaker as it should be, for a time",
                            options, action, hold_breaker);
  breaker->add_option("action", options->action, "open, close or freeze")->required();
  breaker->add_option("name", options->name, "The endpoint")->required();
  breaker->add_option("--ttl", options->ttl, "How long: 15m, 2h, 1d")->required();
}

void add_reload(CLI::App& control, const ControlRef& options, Action& action) {
  auto* reload = add_order(control, "reload", "The node reads its configuration again, as after kill -HUP",
                           options, action, reload_node);
  reload->add_flag("--dry-run", options->dry_run, "Only says what would become new, or why it cannot");
  reload->footer(
      "Taken over while the node serves: providers, models, endpoints, prices, sign-offs, experiments,\n"
      "rollouts, and of features everything but their budgets. What is the same in both stays who it is.\n"
      "A restart is needed for node, store, cluster, http, tenants, tools, workflows, schedules, telemetry,\n"
      "simulator, budgets, the credentials of a provider that stays, and features that come or go.\n"
      "All of it is taken over or nothing. Of the cluster only the node that is asked reads its file again.");
}

}  // namespace

void add_control(CLI::App& app, Action& action) {
  auto* control = app.add_subcommand("control", "Orders to running nodes: stops, flags, rollouts");
  control->require_subcommand(1);
  auto options = std::make_shared<ControlOptions>();
  add_stops(*control, options, action);
  add_settings(*control, options, action);
  add_reload(*control, options, action);
  add_order(*control, "list", "Everything ordered and not undone", options, action,
            [](const auto& o) { return ask_control(o, "control.list", Json::object(), show_controls); });
  add_order(*control, "audit", "Every order there was", options, action,
            [](const auto& o) { return ask_control(o, "control.audit", Json::object(), show_audit); });
  add_order(
      *control, "experiments", "Arms, shares, units, and whether the ratio is believable", options, action,
      [](const auto& o) { return ask_control(o, "control.experiments", Json::object(), show_experiments); });
  add_order(*control, "shadows", "What copies to candidates have shown", options, action,
            [](const auto& o) { return ask_control(o, "control.shadows", Json::object(), show_shadows); });
}

}  // namespace troupe::app
