// The verbs that look: runs, endpoints, route explain. On a node over the wire or on a state folder.
#include "apps/troupe/command.hpp"
#include "runtime/base/clock.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace troupe::app {
namespace {

struct QueryOptions {
  AskerOptions asker;
  bool json = false;
  std::string id, name, value = "null", message_id, feature = "recap", request, decision;
};
using Options = std::shared_ptr<QueryOptions>;
using Row = std::vector<std::string>;

int print_json(const Json& value) {
  std::printf("%s\n", dump_json(value, 2).c_str());
  return kDone;
}

int print_rows(const std::vector<Row>& rows) {
  std::fputs(table(rows).c_str(), stdout);
  return kDone;
}

Result<Json> answer_to(const QueryOptions& options, const std::string& verb, const Json& input) {
  if (verb == "route.explain" && options.asker.to.empty()) return plan_from_state(options.asker, input);
  auto asker = make_asker(options.asker);
  if (!asker) return std::unexpected(asker.error());
  return (*asker)->ask(verb, input);
}

/// Asks one question and prints the answer as JSON or through `show`.
template <class Show>
int ask_and_print(const QueryOptions& options, const std::string& verb, const Json& input, Show show) {
  auto told = answer_to(options, verb, input);
  if (!told) {
    auto status = report_error(told.error());
    // Of a question, what is not found is what was asked about.
    return told.error().code == Errc::not_found ? kInputMissing : status;
  }
  return options.json ? print_json(*told) : show(*told);
}

int show_runs(const Json& runs) {
  std::vector<Row> rows{{"RUN", "WORKFLOW", "STATE", "CREATED", "TOKENS", "USD"}};
  for (const auto& run : runs)
    rows.push_back({get_string(run, "run_id"), get_string(run, "workflow"), get_string(run, "state"),
                    get_string(run, "created"),
                    std::to_string(get_int(run, "tokens_in") + get_int(run, "tokens_out")),
                    fmt::format("{:.4f}", get_double(run, "cost_usd"))});
  auto status = print_rows(rows);
  for (const auto& run : runs)
    if (auto why = get_string(run, "waits"); !why.empty())
      std::printf("%s waits: %s\n", get_string(run, "run_id").c_str(), why.c_str());
  return status;
}

// Nothing that does not hold is no news, but it is said; else it is our bug.
int show_problems(const Json& told) {
  const auto& problems = told["problems"];
  for (const auto& each : problems) std::printf("%s\n", each.get<std::string>().c_str());
  std::fprintf(stderr, "%zu of the journal's invariants do not hold\n", problems.size());
  return problems.empty() ? kDone : kOurBug;
}

// Latencies are known only to a live node that has seen answers.
std::string latency_or_dash(const Json& endpoint, const char* key) {
  auto latency = get_double(endpoint, key);
  return latency > 0 ? to_human(from_seconds(latency)) : "-";
}

int show_endpoints(const Json& endpoints) {
  std::vector<Row> rows{{"ENDPOINT", "MODEL", "KIND", "REGION", "HOME", "STATE", "SHARE", "WHY", "TTFT p50",
                         "p90", "ERRORS", "SEEN"}};
  for (const auto& each : endpoints) {
    bool reachable = get_bool(each, "reachable", true);
    rows.push_back({get_string(each, "endpoint"), get_string(each, "model"), get_string(each, "kind"),
                    get_string(each, "region"), get_string(each, "home"),
                    reachable ? get_string(each, "state") : "unreachable",
                    fmt::format("{:.0f}%", 100 * get_double(each, "share")), get_string(each, "reason"),
                    latency_or_dash(each, "ttft_p50"), latency_or_dash(each, "ttft_p90"),
                    fmt::format("{:.1f}%", 100 * get_double(each, "error_share")),
                    std::to_string(get_int(each, "samples"))});
  }
  return print_rows(rows);
}

// One of the past was made again from its record; where the two differ, the table shows the one from the
// record.
void say_whether_same(const Json& plan) {
  if (!plan.contains("same")) return;
  std::printf("made again from its record: %s\n",
              get_bool(plan, "same", false) ? "the same plan" : "ANOTHER plan than the one it was sent by");
}

// Lower is better; what was ruled out has none.
std::string score_of(const Json& candidate) {
  return candidate.contains("score") ? fmt::format("{:.3f}", get_double(candidate, "score")) : "-";
}

void say_of_request(const Json& plan) {
  std::printf("feature %s, %lld tokens in, up to %lld out\n", get_string(plan, "feature").c_str(),
              static_cast<long long>(get_int(plan, "input_tokens")),
              static_cast<long long>(get_int(plan, "output_tokens_max")));
  say_whether_same(plan);
  if (get_bool(plan, "from_state"))
    std::printf("operators' orders and trials are not looked at here; a node does: --to ADDRESS\n");
}

int show_plan(const Json& plan) {
  say_of_request(plan);
  std::vector<Row> rows{{"TRY", "ENDPOINT", "MODEL", "KIND", "STATE", "CAUSE", "SCORE", "WHY"}};
  int place = 0;
  for (const auto& each : plan["plan"])
    rows.push_back({std::to_string(++place), get_string(each, "endpoint"), get_string(each, "model"),
                    get_string(each, "kind"), get_string(each, "state"), get_string(each, "cause"),
                    score_of(each), get_string(each, "reason")});
  for (const auto& each : plan["passed_over"])
    rows.push_back({"-", get_string(each, "endpoint"), get_string(each, "model"), get_string(each, "kind"),
                    get_string(each, "state"), "passed over", score_of(each), get_string(each, "reason")});
  return print_rows(rows);
}

Result<void> check_request(const Json& request) {
  constexpr const char* wanted =
      "a request is an object of input_tokens and output_tokens_max, counts from 0";
  if (!request.is_object()) return fail(Errc::invalid_input, wanted);
  for (const auto& [key, value] : request.items()) {
    bool known = key == "input_tokens" || key == "output_tokens_max";
    if (!known || !value.is_number_integer() || value < 0)
      return fail(Errc::invalid_input, fmt::format("{}: {}", key, wanted));
  }
  return {};
}

Result<Json> explain_question(const QueryOptions& options) {
  if (!options.decision.empty()) return Json{{"decision", options.decision}};
  Json question = {{"feature", options.feature}};
  if (options.request.empty()) return question;
  auto text = read_file(options.request);
  if (!text) return std::unexpected(text.error());
  auto parsed = parse_json(*text);
  if (!parsed) return fail(parsed.error().code, options.request + ": " + parsed.error().what);
  if (auto sound = check_request(*parsed); !sound)
    return fail(Errc::invalid_input, options.request + ": " + sound.error().what);
  parsed->update(question);
  return parsed;
}

CLI::App* add_query(CLI::App& app, const char* name, const char* help, const Options& options, Action& action,
                    std::function<int(const QueryOptions&)> act) {
  auto* verb = app.add_subcommand(name, help);
  add_asker_options(*verb, options->asker);
  verb->add_flag("--json", options->json, "JSON instead of a table");
  verb->callback(
      [options, &action, act = std::move(act)] { action = [options, act] { return act(*options); }; });
  return verb;
}

}  // namespace

void add_runs(CLI::App& app, Action& action) {
  auto options = std::make_shared<QueryOptions>();
  auto* runs = app.add_subcommand("runs", "What is and was running");
  runs->require_subcommand(1);
  add_query(*runs, "list", "All runs, newest first", options, action,
            [](const auto& o) { return ask_and_print(o, "runs.list", Json::object(), show_runs); });
  add_query(*runs, "check", "Checks the journal's invariants over everything stored", options, action,
            [](const auto& o) { return ask_and_print(o, "runs.check", Json::object(), show_problems); });
  auto by_id = [&](const char* name, const char* help, const char* verb, auto show) {
    auto* added = add_query(*runs, name, help, options, action, [verb, show](const QueryOptions& o) {
      return ask_and_print(
          o, verb, {{"id", o.id}, {"name", o.name}, {"json", o.value}, {"message_id", o.message_id}}, show);
    });
    added->add_option("id", options->id, "The run's id")->required();
    return added;
  };
  by_id("show", "One run", "runs.show", print_json);
  add_runs_cancel(*runs, action);
  add_runs_past(*runs, action);
  auto* signal = by_id("signal", "Answers a waiting run, wherever it goes, also while no node is up",
                       "runs.signal", [](const Json&) { return static_cast<int>(kDone); });
  signal->add_option("name", options->name, "The signal's name")->required();
  signal->add_option("json", options->value, "Its JSON value");
  signal->add_option("--message-id", options->message_id,
                     "Sent again under the same name it counts once (default: each counts)");
}

void add_endpoints(CLI::App& app, Action& action) {
  auto options = std::make_shared<QueryOptions>();
  add_query(app, "endpoints", "Health and breaker state of every endpoint", options, action,
            [](const auto& o) { return ask_and_print(o, "endpoints", Json::object(), show_endpoints); });
}

void add_route(CLI::App& app, Action& action) {
  auto* route = app.add_subcommand("route", "How calls are routed");
  route->require_subcommand(1);
  auto options = std::make_shared<QueryOptions>();
  auto* explain = add_query(*route, "explain", "The plan for a request, and its reasons", options, action,
                            [](const auto& o) {
                              auto question = explain_question(o);
                              return question ? ask_and_print(o, "route.explain", *question, show_plan)
                                              : report_error(question.error());
                            });
  explain->add_option(
      "decision", options->decision,
      "A decision that was made: shown as it was, and made again from its record. Each attempt "
      "in `troupe runs export` names its decision");
  explain->add_option("--feature", options->feature, "The feature that asks")->capture_default_str();
  explain->add_option("--request", options->request,
                      "JSON file: {\"input_tokens\": N, \"output_tokens_max\": N}");
  add_route_match(*route, action);
}

}  // namespace troupe::app
