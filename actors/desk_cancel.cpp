#include "actors/desk_cancel.hpp"

#include "runtime/journal/membership.hpp"

#include <algorithm>

namespace troupe::actors {
namespace {

Json standing_json(const DeskServices& services, const journal::RunRow& row, bool asked) {
  Json out{
      {"run_id", row.run_id}, {"state", journal::to_string(row.state)}, {"node", row.node}, {"asked", asked}};
  auto* seats = services.journal->membership();
  auto nodes = seats != nullptr ? seats->nodes() : fail(Errc::unsupported, "no seats are kept");
  if (!nodes || !asked) return out;
  auto holder = std::ranges::find(*nodes, row.node, &journal::NodeRow::id);
  if (holder != nodes->end()) out["alive"] = holder->alive;
  return out;
}

Result<Json> tell_ended(const DeskServices& services, const journal::RunRow& row) {
  if (row.state == journal::RunState::cancelled) return standing_json(services, row, false);
  return fail(Errc::invalid_input, "run " + row.run_id + " is " + journal::to_string(row.state) +
                                       ": there is nothing to call off");
}

// A run that was just accepted has no row yet: it is going all the same.
Result<Json> ask_unrecorded(const DeskServices& services, const std::string& id) {
  if (!services.progress(id) || !services.cancel(id))
    return fail(Errc::not_found, "no run " + id + " is known here");
  journal::RunRow going;
  going.run_id = id;
  going.node = services.node;
  return standing_json(services, going, true);
}

Result<Json> ask_holder(const DeskServices& services, const std::string& id) {
  auto row = services.journal->run(id);
  if (!row) return std::unexpected(row.error());
  if (*row && (*row)->state != journal::RunState::running) return tell_ended(services, **row);
  if (!*row) return ask_unrecorded(services, id);
  auto posted = services.journal->post(
      {id, journal::kCancelSignal, journal::kCancelSignalId, "null", services.clock->wall()});
  if (posted) return standing_json(services, **row, true);
  // It ended meanwhile.
  auto now = services.journal->run(id);
  if (now && *now && (*now)->state != journal::RunState::running) return tell_ended(services, **now);
  return std::unexpected(posted.error());
}

}  // namespace

void cancel_run(const DeskServices& services, const Json& input, const Reply& reply) {
  auto id = get_string(input, "id");
  if (id.empty()) return reply(fail(Errc::invalid_input, "which run? give its id"));
  auto told = ask_holder(services, id);
  if (!told) return reply(std::unexpected(told.error()));
  reply(dump_json(*told));
}

}  // namespace troupe::actors
