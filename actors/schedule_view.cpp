#include "actors/schedule_view.hpp"

#include "runtime/base/clock.hpp"
#include "runtime/config/words.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::actors {
namespace {

constexpr std::size_t kSlotsShownMax = 100;

Json slot_json(const Scheduled& what, WallTime slot) {
  return {{"slot", to_iso8601(slot).substr(0, 16) + "Z"},
          {"local", local_text(what.rule.zone, slot)},
          {"run_id", policy::slot_run_id(what.schedule, what.tenant, slot)}};
}

Result<Json> last_json(const Scheduled& what, WallTime at, journal::Journal* journal) {
  auto slots = newest_slots(what.rule, at, 1);
  if (slots.empty()) return Json(nullptr);
  auto out = slot_json(what, slots.front());
  out["state"] = "unknown";
  if (journal == nullptr) return out;
  auto row = journal->run(get_string(out, "run_id"));
  if (!row) return std::unexpected(row.error());
  out["state"] = *row ? journal::to_string((*row)->state) : "no run";
  return out;
}

Json next_json(const Scheduled& what, WallTime at, std::size_t count) {
  auto out = Json::array();
  for (auto slot = policy::next_slot(what.rule.cron, what.rule.zone, at); slot && out.size() < count;
       slot = policy::next_slot(what.rule.cron, what.rule.zone, *slot)) {
    auto each = slot_json(what, *slot);
    auto delay = std::chrono::duration_cast<std::chrono::milliseconds>(what.delay).count();
    each["begins"] = to_iso8601({slot->ms + delay});
    out.push_back(std::move(each));
  }
  return out;
}

Result<Json> schedule_json(const Scheduled& what, const ScheduleQuestion& question,
                           const ScheduleStanding& standing) {
  auto last = last_json(what, question.at, standing.journal);
  if (!last) return last;
  const auto* stop = standing.controls != nullptr
                         ? standing.controls->stopped(policy::Subject::schedule, what.schedule, question.at)
                         : nullptr;
  return Json{{"schedule", what.schedule},
              {"tenant", what.tenant},
              {"workflow", what.workflow},
              {"cron", what.cron},
              {"zone", what.rule.zone.name()},
              {"catch_up", policy::to_string(what.rule.catch_up)},
              {"paused", what.paused || stop != nullptr},
              {"paused_by", stop != nullptr ? policy::to_text(*stop) : std::string()},
              {"last", std::move(*last)},
              {"next", next_json(what, question.at, std::min(question.count, kSlotsShownMax))}};
}

}  // namespace

Result<Json> schedules_json(const std::vector<Scheduled>& schedules, const ScheduleQuestion& question,
                            const ScheduleStanding& standing) {
  auto out = Json::array();
  std::vector<std::string> names;
  bool named = false;
  for (const auto& what : schedules) {
    names.push_back(what.schedule);
    if (!question.schedule.empty() && what.schedule != question.schedule) continue;
    named = true;
    if (!question.tenant.empty() && what.tenant != question.tenant) continue;
    auto line = schedule_json(what, question, standing);
    if (!line) return line;
    out.push_back(std::move(*line));
  }
  if (named || question.schedule.empty()) return out;
  return fail(Errc::not_found, fmt::format("there is no schedule \"{}\"{}", question.schedule,
                                           config::did_you_mean(question.schedule, names)));
}

}  // namespace troupe::actors
