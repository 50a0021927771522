// troupe schedules: when runs begin by the clock, and how the last ones went.
#include "actors/controls_json.hpp"
#include "actors/schedule_view.hpp"
#include "actors/store.hpp"
#include "actors/workflow_files.hpp"
#include "apps/troupe/command.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/config/config.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace troupe::app {
namespace {

struct ScheduleOptions {
  AskerOptions asker;
  bool state_given = false, json = false;
  std::string at, name, tenant, why;
  std::size_t count = 1;
};
using ScheduleRef = std::shared_ptr<ScheduleOptions>;

std::optional<int> two_digits(std::string_view text) {
  bool digits = text.size() == 2 && std::isdigit(static_cast<unsigned char>(text[0])) &&
                std::isdigit(static_cast<unsigned char>(text[1]));
  if (!digits) return std::nullopt;
  return (text[0] - '0') * 10 + (text[1] - '0');
}

/// "2026-11-23" or "2026-11-23T04:00Z", in UTC.
std::optional<WallTime> read_moment(const std::string& text) {
  auto day = config::read_day(text.substr(0, 10));
  if (!day || text.size() == 10) return day;
  bool shaped = (text.size() == 16 || (text.size() == 17 && text[16] == 'Z')) && text[13] == ':' &&
                (text[10] == 'T' || text[10] == ' ');
  auto hour = shaped ? two_digits(std::string_view(text).substr(11, 2)) : std::nullopt;
  auto minute = shaped ? two_digits(std::string_view(text).substr(14, 2)) : std::nullopt;
  if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
  return WallTime{day->ms + (*hour * 60 + *minute) * 60'000LL};
}

Result<actors::ScheduleQuestion> question_of(const ScheduleOptions& options) {
  actors::ScheduleQuestion question{system_clock().wall(), options.name, options.tenant, options.count};
  if (options.at.empty()) return question;
  auto at = read_moment(options.at);
  if (!at)
    return fail(Errc::unsupported, fmt::format("--at {}: write 2026-11-23 or 2026-11-23T04:00Z", options.at));
  question.at = *at;
  return question;
}

// From the configuration alone, and from the state beside it when there is one.
Result<Json> told_by_config(const ScheduleOptions& options, const actors::ScheduleQuestion& question) {
  auto config = config_from(options.asker.config, options.state_given ? options.asker.state_dir : "");
  if (!config) return std::unexpected(config.error());
  const auto& values = config->values();
  if (auto sound = actors::check_schedules(values, actors::known_workflows(values)); !sound)
    return std::unexpected(sound.error());
  auto journal = actors::open_store_readonly(values);
  if (!journal)
    std::fprintf(stderr, "troupe: how the last runs went is unknown: %s\n", journal.error().what.c_str());
  if (!journal) return actors::schedules_json(actors::scheduled_of(values, {}), question, {});
  auto orders = (*journal)->controls({});
  if (!orders) return std::unexpected(orders.error());
  auto controls = actors::restore_controls(*orders).controls;
  return actors::schedules_json(actors::scheduled_of(values, {}), question, {journal->get(), &controls});
}

Result<Json> told_by_node(const ScheduleOptions& options, const actors::ScheduleQuestion& question) {
  auto asker = make_asker(options.asker);
  if (!asker) return std::unexpected(asker.error());
  return (*asker)->ask("schedules.list", {{"at_ms", question.at.ms},
                                          {"schedule", question.schedule},
                                          {"tenant", question.tenant},
                                          {"count", question.count}});
}

std::string utc_text(const Json& slot) {
  auto text = get_string(slot, "slot");
  return text.size() > 16 ? text.substr(0, 10) + " " + text.substr(11, 5) + " UTC" : "-";
}

int print_schedules(const Json& told) {
  std::vector<std::vector<std::string>> rows{
      {"SCHEDULE", "TENANT", "WORKFLOW", "CRON", "ZONE", "LAST SLOT", "ITS RUN", "NEXT (LOCAL)", "NEXT"}};
  for (const auto& each : told) {
    const auto& last = each["last"];
    const auto& next = each["next"];
    bool paused = get_bool(each, "paused");
    rows.push_back({get_string(each, "schedule"), get_string(each, "tenant"), get_string(each, "workflow"),
                    get_string(each, "cron"), get_string(each, "zone"),
                    last.is_object() ? get_string(last, "local") : "-",
                    last.is_object() ? get_string(last, "state") : "-",
                    paused         ? "paused"
                    : next.empty() ? "never"
                                   : get_string(next[0], "local"),
                    paused || next.empty() ? "-" : utc_text(next[0])});
  }
  std::fputs(table(rows).c_str(), stdout);
  return kDone;
}

int print_slots(const Json& told) {
  std::vector<std::vector<std::string>> rows{{"TENANT", "LOCAL", "UTC", "BEGINS", "RUN"}};
  for (const auto& each : told)
    for (const auto& slot : each["next"])
      rows.push_back({get_string(each, "tenant"), get_string(slot, "local"), utc_text(slot),
                      get_string(slot, "begins"), get_string(slot, "run_id")});
  std::fputs(table(rows).c_str(), stdout);
  return kDone;
}

int report_schedule(const Error& error) {
  auto status = report_error(error);
  return error.code == Errc::not_found ? kInputMissing : status;
}

/// A stop of the schedule like any other: on all nodes, over restarts, in the audit.
int order_schedule(const ScheduleOptions& options, const std::string& verb) {
  auto asker = make_asker(options.asker);
  if (!asker) return report_error(asker.error());
  auto told = (*asker)->ask(
      verb,
      {{"subject", "schedule"}, {"name", options.name}, {"who", operator_name()}, {"why", options.why}});
  if (!told) return report_schedule(told.error());
  auto now = (*asker)->ask("schedules.list",
                           {{"at_ms", system_clock().wall().ms}, {"schedule", options.name}, {"count", 1}});
  if (!now) return report_schedule(now.error());
  if (!options.json) return print_schedules(*now);
  std::printf("%s\n", dump_json(*now, 2).c_str());
  return kDone;
}

int tell_schedules(const ScheduleOptions& options, int (*show)(const Json&)) {
  auto question = question_of(options);
  if (!question) return report_usage(question.error());
  auto told =
      options.asker.to.empty() ? told_by_config(options, *question) : told_by_node(options, *question);
  if (!told) return report_schedule(told.error());
  if (!options.json) return show(*told);
  std::printf("%s\n", dump_json(*told, 2).c_str());
  return kDone;
}

CLI::App* add_schedule_verb(CLI::App& app, const char* name, const char* help, const ScheduleRef& options,
                            Action& action, int (*show)(const Json&)) {
  auto* verb = app.add_subcommand(name, help);
  add_asker_options(*verb, options->asker);
  verb->get_option("--config")->description("Configuration with the schedules");
  verb->get_option("--state")->description("Folder of the journal (default: the configuration's)");
  verb->add_option("--at", options->at, "As of then: 2026-11-23 or 2026-11-23T04:00Z (default: now)");
  verb->add_option("--tenant", options->tenant, "Of this tenant only");
  verb->add_flag("--json", options->json, "JSON instead of a table");
  verb->callback([options, verb, &action, show] {
    options->state_given = verb->get_option("--state")->count() > 0;
    action = [options, show] { return tell_schedules(*options, show); };
  });
  return verb;
}

void add_schedule_order(CLI::App& app, const char* name, const char* help, const ScheduleRef& options,
                        Action& action, const char* order) {
  auto* verb = app.add_subcommand(name, help);
  add_asker_options(*verb, options->asker);
  verb->add_option("name", options->name, "The schedule, for all its tenants")->required();
  verb->add_option("--why", options->why, "For the audit trail");
  verb->add_flag("--json", options->json, "JSON instead of a table");
  verb->callback(
      [options, &action, order] { action = [options, order] { return order_schedule(*options, order); }; });
}

}  // namespace

void add_schedules(CLI::App& app, Action& action) {
  auto options = std::make_shared<ScheduleOptions>();
  auto* schedules = app.add_subcommand("schedules", "Runs that begin by the clock");
  schedules->require_subcommand(1);
  add_schedule_verb(*schedules, "list", "Every schedule and tenant: its last slot, that slot's run, the next",
                    options, action, print_schedules);
  auto* next =
      add_schedule_verb(*schedules, "next", "The coming slots of a schedule", options, action, print_slots);
  next->add_option("name", options->name, "The schedule")->required();
  next->add_option("--count", options->count, "So many for each tenant, 100 at most")
      ->check(CLI::Range(1, 100));
  add_schedule_order(*schedules, "pause", "Begins no slot of it any more, on any node, over restarts",
                     options, action, "control.stop");
  add_schedule_order(*schedules, "resume", "Goes on; its catch-up says what becomes of the slots between",
                     options, action, "control.start");
}

}  // namespace troupe::app
