#include "actors/verify_run.hpp"

#include "actors/verify_life.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <algorithm>

namespace troupe::actors {
namespace {

// Entries are grouped by the epoch they were written under: each taking up of the run has one of its own.
std::vector<LifeParts> lives_of(const RecordedRun& run) {
  std::vector<LifeParts> lives;
  const auto& entries = run.entries;
  // What came before a compacted history's snapshot cannot be made again, and what was made by code of
  // another version is not asked of this one.
  bool compacted = !entries.empty() && entries.front().kind == journal::Kind::snapshot;
  std::size_t first = compacted ? 1 : 0;
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (entries[i].kind == journal::Kind::version_mark) first = i;
  for (std::size_t i = first; i < entries.size(); ++i) {
    auto epoch = entries[i].epoch;
    if (lives.empty() || lives.back().epoch != epoch) lives.push_back({.from = i, .epoch = epoch});
    lives.back().to = i + 1;
  }
  // A life may fail without doing anything.
  bool failed_again =
      run.row.state == journal::RunState::failed && !lives.empty() && run.row.epoch > lives.back().epoch;
  if (failed_again)
    lives.push_back({.from = run.entries.size(), .to = run.entries.size(), .epoch = run.row.epoch});
  // A run has a past from its second epoch on.
  if (first > 0 && !lives.empty()) lives.front().epoch = std::max<std::uint64_t>(lives.front().epoch, 2);
  if (!lives.empty()) lives.back().last = true;
  return lives;
}

bool takes_over(const WorkflowType& code, const std::string& version) {
  return code.version == version || (code.migrates && code.migrates(version));
}

}  // namespace

ReplayVerdict verify_run(const RecordedRun& run, const VerifyParts& parts) {
  if (!takes_over(parts.code, run.row.version))
    return {0, 0, {{0, "", "version " + run.row.version, "here is version " + parts.code.version}}};
  caf::actor_system_config settings;
  settings.set("scheduler.policy", caf::atom("sharing"));
  settings.set("scheduler.max-threads", std::size_t{1});
  caf::actor_system system(settings);
  Turns turns;
  Unit unit(system, turns);
  ReplayVerdict verdict;
  for (auto life : lives_of(run)) {
    life.system = &system;
    life.unit = &unit;
    life.turns = &turns;
    life.run = &run;
    life.verify = &parts;
    Life(life).enact(verdict);
  }
  return verdict;
}

}  // namespace troupe::actors
