#include "actors/desk_controls.hpp"

#include "actors/control_room.hpp"
#include "actors/controls_json.hpp"
#include "actors/judge_json.hpp"
#include "runtime/policy/exposure.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <caf/send.hpp>

#include <algorithm>

namespace troupe::actors {
namespace {

const ControlRoom* control_room_or_refusal(const DeskServices& services, const Reply& reply) {
  if (services.control_room == nullptr)
    reply(fail(Errc::unsupported, "an order needs a node; give --to ADDRESS"));
  return services.control_room;
}

policy::Order order_of(const Json& input) {
  return {get_string(input, "who", "unknown"), get_string(input, "why"), {}};
}

// A mistyped name in an emergency would stop nothing and look as if it had.
Result<policy::Stop> stop_of(const ControlRoom& room, const DeskServices& services, const Json& input) {
  auto subject = policy::subject_from(get_string(input, "subject"));
  auto name = get_string(input, "name");
  if (!subject)
    return fail(
        Errc::invalid_input,
        "a stop is of a feature, tenant, model, endpoint, provider, flag, experiment, rollout, sign_off or "
        "schedule");
  bool any_name = *subject == policy::Subject::tenant || *subject == policy::Subject::flag;
  auto names = room.names(*subject);
  if (!any_name && !names.contains(name))
    return fail(Errc::not_found, fmt::format("there is no {} {}; there are: {}", to_string(*subject), name,
                                             fmt::join(names, ", ")));
  auto ttl = get_int(input, "ttl_ms");
  if (ttl < 0) return fail(Errc::invalid_input, "ttl_ms is negative; 0: until it is started again");
  policy::Stop stop{.subject = *subject, .name = std::move(name), .order = order_of(input)};
  if (ttl > 0) stop.until = {services.clock->wall().ms + ttl};
  return stop;
}

void give(const DeskServices& services, policy::Change change, bool start, const Reply& reply) {
  GiveOrder order{std::move(change), start, {}};
  order.reply = [reply, clock = services.clock](const Result<policy::ControlsPtr>& told) {
    if (!told) return reply(std::unexpected(told.error()));
    reply(dump_json(controls_json(**told, clock->wall())));
  };
  caf::anon_send(services.control_room->controls(), std::move(order));
}

void give_stop(const DeskServices& services, const Json& input, bool start, const Reply& reply) {
  const auto* room = control_room_or_refusal(services, reply);
  if (room == nullptr) return;
  auto stop = stop_of(*room, services, input);
  if (!stop) return reply(std::unexpected(stop.error()));
  give(services, std::move(*stop), start, reply);
}

Json experiment_json(const policy::ExperimentRules::Rule& rule,
                     const std::vector<journal::ExposureCount>& exposures) {
  const auto& x = rule.experiment;
  std::vector<std::uint64_t> counts;
  std::vector<double> shares;
  Json arms = Json::array();
  for (const auto& arm : x.arms) {
    auto of_arm = std::find_if(exposures.begin(), exposures.end(), [&](const auto& each) {
      return each.experiment == x.name && each.version == rule.version && each.arm == arm.name;
    });
    counts.push_back(of_arm == exposures.end() ? 0 : of_arm->units);
    shares.push_back(arm.share);
    arms.push_back({{"arm", arm.name}, {"model", arm.model}, {"share", arm.share}, {"units", counts.back()}});
  }
  return {{"experiment", x.name},
          {"version", fmt::format("{:016x}", rule.version)},
          {"layer", x.layer},
          {"unit", to_string(x.unit)},
          {"percent", x.slice.percent},
          {"arms", std::move(arms)},
          {"ratio_p", policy::sample_ratio_p(counts, shares)}};
}

}  // namespace

void control_stop(const DeskServices& services, const Json& input, const Reply& reply) {
  give_stop(services, input, false, reply);
}

void control_start(const DeskServices& services, const Json& input, const Reply& reply) {
  give_stop(services, input, true, reply);
}

void control_flag(const DeskServices& services, const Json& input, const Reply& reply) {
  if (control_room_or_refusal(services, reply) == nullptr) return;
  auto json = input;
  if (!json.is_object()) return reply(fail(Errc::invalid_input, "a flag is an object with a name"));
  json["kind"] = "flag";
  auto flag = change_from(json);
  if (!flag) return reply(std::unexpected(flag.error()));
  give(services, std::move(*flag), false, reply);
}

void control_rollout(const DeskServices& services, const Json& input, const Reply& reply) {
  const auto* room = control_room_or_refusal(services, reply);
  if (room == nullptr) return;
  auto action = get_string(input, "action", "status");
  // The actor's word to itself.
  if (action == "ordered") return reply(fail(Errc::invalid_input, "there is no such action"));
  caf::anon_send(room->rollouts(),
                 RolloutCommand{get_string(input, "name"), action, get_string(input, "who", "unknown"),
                                get_string(input, "why"), reply});
}

void control_list(const DeskServices& services, const Json&, const Reply& reply) {
  if (services.control_room != nullptr) {
    const auto& board = services.control_room->board();
    return reply(dump_json(controls_json(*board->load(), services.clock->wall())));
  }
  auto rows = services.journal->controls({});
  if (!rows) return reply(std::unexpected(rows.error()));
  reply(dump_json(controls_json(restore_controls(*rows).controls, system_clock().wall())));
}

void control_audit(const DeskServices& services, const Json& input, const Reply& reply) {
  auto rows = services.journal->controls({get_int(input, "since_ms")});
  if (!rows) return reply(std::unexpected(rows.error()));
  Json out = Json::array();
  for (const auto& row : *rows) out.push_back(to_json(row));
  reply(dump_json(out));
}

void control_experiments(const DeskServices& services, const Json&, const Reply& reply) {
  const auto* room = control_room_or_refusal(services, reply);
  if (room == nullptr) return;
  auto exposures = services.journal->exposures();
  if (!exposures) return reply(std::unexpected(exposures.error()));
  Json out = Json::array();
  auto rules = room->rules();
  for (const auto& rule : rules->experiments.rules()) {
    auto line = experiment_json(rule, *exposures);
    auto stop = room->board()->load()->stopped(policy::Subject::experiment, rule.experiment.name,
                                               services.clock->wall());
    line["stopped"] = stop != nullptr;
    out.push_back(std::move(line));
  }
  reply(dump_json(out));
}

void control_shadows(const DeskServices& services, const Json&, const Reply& reply) {
  if (control_room_or_refusal(services, reply) == nullptr) return;
  Json out = Json::array();
  auto shadows = services.shadows->load();
  for (const auto& shadow : *shadows) {
    auto report = shadow.report->load();
    Json lines = Json::array();
    for (const auto& line : report->lines)
      lines.push_back({{"what", line.what},
                       {"verdict", to_string(line.verdict)},
                       {"low", line.low},
                       {"high", line.high},
                       {"margin", line.margin},
                       {"pairs", line.pairs}});
    Json each{{"feature", shadow.config.feature},
              {"model", shadow.config.model},
              {"share", shadow.config.policy.share},
              {"verdict", to_string(report->verdict)},
              {"lines", std::move(lines)}};
    if (shadow.judged) each["judge"] = judge_json(*shadow.judged->load(), services.clock->wall());
    out.push_back(std::move(each));
  }
  reply(dump_json(out));
}

void control_reload(const DeskServices& services, const Json& input, const Reply& reply) {
  if (!services.reload)
    return reply(fail(Errc::unsupported, "this node was not told where its configuration is"));
  reply(services.reload(get_bool(input, "dry_run")));
}

}  // namespace troupe::actors
