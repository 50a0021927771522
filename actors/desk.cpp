#include "actors/desk.hpp"

#include "actors/audit.hpp"
#include "actors/decision_record.hpp"
#include "actors/desk_cancel.hpp"
#include "actors/desk_controls.hpp"
#include "actors/desk_feedback.hpp"
#include "actors/desk_health.hpp"
#include "actors/desk_past.hpp"
#include "actors/desk_schedules.hpp"
#include "actors/desk_submit.hpp"
#include "actors/history_file.hpp"
#include "actors/run_spending.hpp"
#include "actors/shown_output.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/journal/membership.hpp"

#include <fmt/format.h>
#include <caf/send.hpp>

#include <algorithm>
#include <map>

namespace troupe::actors {
namespace {

using Services = DeskServices;
using Verb = void (*)(const Services&, const Json&, const Reply&);

Result<journal::RunRow> find_run(const Services& services, const Json& input) {
  auto id = get_string(input, "id");
  if (id.empty()) return fail(Errc::invalid_input, "which run? give its id");
  auto row = services.journal->run(id);
  if (!row) return std::unexpected(row.error());
  if (!*row) return fail(Errc::not_found, "no run " + id + " is known here");
  return **row;
}

void runs_list(const Services& services, const Json& input, const Reply& reply) {
  auto rows = services.journal->runs(
      static_cast<std::size_t>(std::max<std::int64_t>(1, get_int(input, "limit", 100))));
  if (!rows) return reply(std::unexpected(rows.error()));
  Json out = Json::array();
  for (const auto& row : *rows) {
    out.push_back(to_json(row));
    auto why = services.why_waiting ? services.why_waiting(row) : std::string();
    if (!why.empty()) out.back()["waits"] = why;
  }
  reply(dump_json(out));
}

// A run that was just accepted has no row yet: it is going all the same.
Result<journal::RunRow> find_going_or_run(const Services& services, const Json& input) {
  auto row = find_run(services, input);
  auto id = get_string(input, "id");
  if (row || !services.progress(id)) return row;
  journal::RunRow going;
  going.run_id = id;
  going.node = services.node;
  return going;
}

// What it may use, has used by its record, and what has been said of that.
void put_budget(Json& out, const journal::RunRow& row, const std::vector<journal::Entry>& entries) {
  auto history = RunHistory::read(entries);
  if (row.budget.empty() || !history || entries.empty()) return;
  auto last = row.finished == WallTime{} ? entries.back().at : row.finished;
  auto standing = standing_of(row, *history, std::chrono::milliseconds(last.ms - history->started().ms));
  if (!standing) return;
  auto caps = [](const Budget& budget) {
    auto text = budget_json(budget);
    return parse_json(text.empty() ? "{}" : text).value_or(Json::object());
  };
  auto stage = std::max(standing->stage, history->stage());
  out["budget"] = {{"cap", caps(standing->cap)},
                   {"spent", caps(standing->spent)},
                   {"used", standing->used},
                   {"stage", to_string(stage)}};
}

void runs_show(const Services& services, const Json& input, const Reply& reply) {
  auto row = find_going_or_run(services, input);
  if (!row) return reply(std::unexpected(row.error()));
  auto out = to_json(*row);
  if (auto progress = services.progress(row->run_id)) {
    out["steps_planned"] = progress->steps_planned;
    out["steps_done"] = progress->steps_done;
    out["calls"] = progress->calls;
    out["tokens"] = progress->tokens;
    out["cost_usd"] = progress->usd;
    out["tool_calls"] = progress->tool_calls;
    out["children"] = progress->children;
  }
  auto entries = services.journal->history(row->run_id);
  if (entries) put_budget(out, *row, *entries);
  if (entries) put_snapshot(out, *entries);
  if (row->state != journal::RunState::running) {
    out["output"] = shown_output(*row);
    out["steps_done"] = entries ? results_in(*entries) : 0;
  }
  if (services.why_waiting)
    if (auto why = services.why_waiting(*row); !why.empty()) out["waits"] = why;
  if (get_bool(input, "with_input")) out["input"] = row->input;
  reply(dump_json(out));
}

// How many runs this node drives now; parked ones are not among them.
void runs_going(const Services& services, const Json&, const Reply& reply) {
  if (!services.going) return reply(fail(Errc::unsupported, "only a node can tell which runs go"));
  reply(dump_json(Json{{"going", services.going()}}));
}

// Whose runs should get on: only a node that is one of them can tell who lives.
std::optional<LivenessRule> liveness_of(const Services& services) {
  auto* seats = services.journal->membership();
  auto nodes = seats != nullptr ? seats->nodes() : fail(Errc::unsupported, "no seats are kept");
  if (!nodes || services.clock == nullptr) return std::nullopt;
  LivenessRule rule;
  rule.now = services.clock->wall();
  for (const auto& node : *nodes)
    if (node.alive) rule.living.insert(node.id);
  return rule;
}

void runs_check(const Services& services, const Json&, const Reply& reply) {
  auto problems = audit(*services.journal, liveness_of(services));
  if (!problems) return reply(std::unexpected(problems.error()));
  reply(dump_json(Json{{"problems", *problems}}));
}

void runs_signal(const Services& services, const Json& input, const Reply& reply) {
  auto id = get_string(input, "id"), name = get_string(input, "name");
  if (id.empty() || name.empty())
    return reply(fail(Errc::invalid_input, "a signal needs a run's id and a name"));
  // Who sends a signal again after a lost answer gives it a name, so that it counts once.
  auto message = get_string(input, "message_id");
  auto message_id = message.empty() ? 0 : stable_hash(message) | 1;
  auto json = get_string(input, "json", "null");
  if (name == journal::kCancelSignal)
    return reply(fail(Errc::invalid_input, name + " is no signal's name: call the run off by runs.cancel"));
  if (auto value = parse_json(json); !value)
    return reply(fail(Errc::invalid_input, "a signal's value is JSON: " + value.error().what));
  auto posted = services.journal->post({id, name, message_id, json, services.clock->wall()});
  // A run that was just accepted has no row yet: it is going all the same.
  bool heard = !posted && posted.error().code == Errc::not_found && services.progress(id) &&
               services.signal(id, name, json, message_id);
  if (!posted && !heard) return reply(std::unexpected(posted.error()));
  reply(std::string("{}"));
}

constexpr std::size_t kTreeMax = 10'000;

/// A run and everything it started, at most kTreeMax runs.
Result<std::vector<std::string>> tree_of(const Services& services, const std::string& root) {
  std::vector<std::string> ids{root};
  for (std::size_t at = 0; at < ids.size() && ids.size() < kTreeMax; ++at) {
    auto children = services.journal->children(ids[at]);
    if (!children) return std::unexpected(children.error());
    for (const auto& child : *children) ids.push_back(child.run_id);
  }
  return ids;
}

Result<std::vector<Json>> export_run(const Services& services, const std::string& run_id) {
  auto row = services.journal->run(run_id);
  if (!row) return std::unexpected(row.error());
  auto entries = services.journal->history(run_id);
  if (!entries) return std::unexpected(entries.error());
  return export_lines({row->value_or(journal::RunRow{}), std::move(*entries)});
}

void runs_export(const Services& services, const Json& input, const Reply& reply) {
  auto row = find_run(services, input);
  if (!row) return reply(std::unexpected(row.error()));
  std::vector<std::string> runs{row->run_id};
  if (get_bool(input, "tree")) {
    auto tree = tree_of(services, row->run_id);
    if (!tree) return reply(std::unexpected(tree.error()));
    runs = std::move(*tree);
  }
  Json out = Json::array();
  for (const auto& id : runs) {
    auto exported = export_run(services, id);
    if (!exported) return reply(std::unexpected(exported.error()));
    for (auto& line : *exported) out.push_back(std::move(line));
  }
  reply(dump_json(out));
}

Result<std::vector<journal::UsageRow>> usage_of(const Services& services,
                                                const std::vector<std::string>& runs) {
  std::vector<journal::UsageRow> out;
  for (const auto& run : runs) {
    auto rows = services.journal->usage({run, {}});
    if (!rows) return rows;
    out.insert(out.end(), rows->begin(), rows->end());
  }
  return out;
}

Result<std::vector<journal::Entry>> entries_of(const Services& services,
                                               const std::vector<std::string>& runs) {
  std::vector<journal::Entry> out;
  for (const auto& run : runs) {
    auto entries = services.journal->history(run);
    if (!entries) return entries;
    out.insert(out.end(), std::move_iterator(entries->begin()), std::move_iterator(entries->end()));
  }
  return out;
}

Json attempt_json(const journal::UsageRow& row) {
  auto ms = [](Duration d) { return std::chrono::duration_cast<std::chrono::milliseconds>(d).count(); };
  return {{"endpoint", row.endpoint},
          {"model", row.model},
          {"cause", row.cause},
          {"started_ms", row.started.ms},
          {"ttft_ms", ms(row.ttft)},
          {"total_ms", ms(row.total)},
          {"usd", row.usd},
          {"error", row.error},
          {"input", row.usage.input_total()},
          {"output", row.usage.output},
          {"cached", row.usage.cache_read},
          {"estimated", row.usage.estimated}};
}

Json move_json(const journal::BreakerRow& row) {
  return {{"endpoint", row.endpoint}, {"at_ms", row.at.ms},   {"from", row.from},  {"to", row.to},
          {"reason", row.reason},     {"detail", row.detail}, {"share", row.share}};
}

// The usage rows of a run and of what it started, and the breakers' history of its time: what its report
// draws.
void runs_story(const Services& services, const Json& input, const Reply& reply) {
  auto row = find_run(services, input);
  if (!row) return reply(std::unexpected(row.error()));
  auto tree = tree_of(services, row->run_id);
  if (!tree) return reply(std::unexpected(tree.error()));
  auto usage = usage_of(services, *tree);
  auto breakers = services.journal->breakers(row->created);
  if (!usage) return reply(std::unexpected(usage.error()));
  if (!breakers) return reply(std::unexpected(breakers.error()));
  auto entries = entries_of(services, *tree);
  if (!entries) return reply(std::unexpected(entries.error()));
  Json out{{"attempts", Json::array()}, {"breakers", Json::array()}};
  out["runs"] = tree->size();
  out["reported_models"] = reported_models(*entries);
  out["simulated"] = services.simulated;
  for (const auto& each : *usage) out["attempts"].push_back(attempt_json(each));
  for (const auto& each : *breakers) out["breakers"].push_back(move_json(each));
  reply(dump_json(out));
}

void endpoints(const Services& services, const Json&, const Reply& reply) {
  if (!services.roster_facts) return reply(fail(Errc::unsupported, "endpoints need a node"));
  auto roster = services.roster_facts->load();
  GetBoard question;
  question.reply = [roster, reply](const std::vector<HealthPtr>& board) {
    std::map<std::string, HealthPtr> by_id;
    for (const auto& view : board) by_id[view->endpoint] = view;
    Json out = Json::array();
    for (const auto& entry : *roster) {
      auto it = by_id.find(entry.facts->id);
      Json line = it != by_id.end()
                      ? to_json(*it->second)
                      : Json{{"endpoint", entry.facts->id}, {"state", "unknown"}, {"reachable", false}};
      line["model"] = entry.facts->model;
      line["provider"] = entry.facts->provider;
      line["region"] = entry.facts->region;
      line["kind"] = to_string(entry.facts->kind);
      line["home"] = entry.home;
      out.push_back(std::move(line));
    }
    reply(dump_json(out));
  };
  caf::anon_send(services.supervisor, std::move(question));
}

void explain_decision(const Services& services, const std::string& id, const Reply& reply) {
  auto row = services.journal->decision(id);
  if (!row) return reply(std::unexpected(row.error()));
  if (!*row) return reply(fail(Errc::not_found, "no decision " + id + " is kept here"));
  auto again = make_again((*row)->body);
  if (!again) return reply(std::unexpected(again.error()));
  reply(dump_json(again->explanation));
}

std::size_t count_in(const Json& input, const char* key, std::int64_t otherwise) {
  return static_cast<std::size_t>(std::clamp<std::int64_t>(get_int(input, key, otherwise), 0, 10'000'000));
}

void route_explain(const Services& services, const Json& input, const Reply& reply) {
  if (auto id = get_string(input, "decision"); !id.empty()) return explain_decision(services, id, reply);
  auto feature = get_string(input, "feature");
  auto queues = services.board->queues.load();
  auto queue = queues->find(feature);
  if (queue == queues->end()) return reply(fail(Errc::not_found, "no feature " + feature + " is configured"));
  auto request = std::make_shared<CompletionRequest>();
  request->feature = feature;
  request->output_tokens_max = static_cast<int>(count_in(input, "output_tokens_max", 1024));
  auto tokens = count_in(input, "input_tokens", 1000);
  Message message;
  message.parts.emplace_back(TextPart{std::string(tokens * 4, 'x'), false});
  request->messages.push_back(std::move(message));
  caf::anon_send(queue->second, ExplainRoute{request, [reply](std::string json) { reply(std::move(json)); }});
}

void cost(const Services& services, const Json& input, const Reply& reply) {
  auto rows = services.journal->cost(
      get_string(input, "by", "feature"),
      {get_string(input, "run"), {get_int(input, "since_ms")}, {get_int(input, "until_ms", INT64_MAX)}});
  if (!rows) return reply(std::unexpected(rows.error()));
  Json out = Json::array();
  for (const auto& row : *rows) out.push_back(to_json(row));
  reply(dump_json(out));
}

// Prometheus' text format, for whoever scrapes through us.
void metrics(const Services& services, const Json&, const Reply& reply) {
  if (!services.metrics) return reply(fail(Errc::unsupported, "this node keeps no metrics"));
  reply(dump_json(Json{{"text", services.metrics->exposition()}}));
}

const std::map<std::string, Verb>& verbs() {
  static const std::map<std::string, Verb> table{
      {"runs.list", runs_list},
      {"runs.show", runs_show},
      {"runs.cancel", cancel_run},
      {"runs.check", runs_check},
      {"runs.going", runs_going},
      {"runs.signal", runs_signal},
      {"runs.export", runs_export},
      {"runs.prune", prune_runs},
      {"runs.story", runs_story},
      {"schedules.list", schedules_list},
      {"endpoints", endpoints},
      {"route.explain", route_explain},
      {"cost", cost},
      {"submit", submit_run},
      {"metrics", metrics},
      {"control.stop", control_stop},
      {"control.start", control_start},
      {"control.flag", control_flag},
      {"control.rollout", control_rollout},
      {"control.list", control_list},
      {"control.audit", control_audit},
      {"control.experiments", control_experiments},
      {"control.shadows", control_shadows},
      {"control.breaker", control_breaker},
      {"control.reload", control_reload},
      {"feedback", feedback},
      {"feedback.ask", feedback_ask},
      {"feedback.report", feedback_report},
  };
  return table;
}

}  // namespace

void answer_question(const DeskServices& services, const std::string& verb, const Json& input, Reply reply) {
  auto it = verbs().find(verb);
  if (it == verbs().end())
    return reply(fail(Errc::not_found, "this node does not know the question " + verb));
  it->second(services, input, reply);
}

}  // namespace troupe::actors
