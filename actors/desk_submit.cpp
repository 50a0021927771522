#include "actors/desk_submit.hpp"

#include "actors/run_entries.hpp"
#include "runtime/journal/rules.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace troupe::actors {
namespace {

// A run of that name that is there already; fails when it is another workflow's.
Result<std::optional<journal::RunRow>> known_run(const DeskServices& services, const RunSpec& spec) {
  if (spec.run_id.empty()) return std::nullopt;
  auto row = services.journal->run(spec.run_id);
  if (!row || !*row || (*row)->workflow == spec.workflow) return row;
  return journal::other_workflow(spec.run_id, (*row)->workflow, spec.workflow);
}

}  // namespace

void submit_run(const DeskServices& services, const Json& input, const Reply& reply) {
  RunSpec spec;
  spec.workflow = get_string(input, "workflow");
  spec.run_id = get_string(input, "run_id");
  spec.tenant = get_string(input, "tenant", "default");
  auto budget = read_budget(get_string(input, "budget"));
  if (!budget) return reply(std::unexpected(budget.error()));
  spec.budget = *budget;
  if (auto file = services.file_budgets.find(spec.workflow);
      file != services.file_budgets.end() && spec.budget == Budget{})
    spec.budget = file->second;
  auto durability = read_durability(get_string(input, "durability"));
  if (!durability) return reply(std::unexpected(durability.error()));
  spec.durability = *durability;
  const auto* given = find(input, "input");
  spec.input = {given != nullptr ? dump_json(*given) : "{}"};
  auto known = known_run(services, spec);
  if (!known) return reply(std::unexpected(known.error()));
  auto asked = spec;
  auto id = services.submit(std::move(spec));
  bool goes =
      !id && id.error().code == Errc::refused && *known && (*known)->state == journal::RunState::running;
  if (goes && get_bool(input, "join")) id = asked.run_id;
  if (!id) return reply(std::unexpected(id.error()));
  Json out{{"run_id", *id}};
  if (*known && (*known)->input != asked.input.text)
    out["note"] = fmt::format("run {} began with another input, which counts", *id);
  reply(dump_json(out));
}

}  // namespace troupe::actors
