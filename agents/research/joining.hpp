// What a round waits for, in an order that a resumed run keeps (M15).
#pragma once

#include "agents/research/lead.hpp"

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::research {

/// What came: an agent's end, or a timer.
struct Arrival {
  enum class What { agent, deadline, patience, grace } what = What::agent;
  /// Position in lead.agents.
  std::size_t agent = 0;
  Result<ChildEnd> end = ChildEnd{};
};

/// A round's own affairs; the lead's outlive it.
struct Round {
  explicit Round(Leading& leading) : lead(leading) {}
  Leading& lead;
  /// Names its steps; agents added to it later belong to the next one.
  std::size_t number = 0;
  TaskGroup<Arrival> group{256};
  /// Positions in lead.agents, and the group's number of each that was started.
  std::vector<std::size_t> waiting;
  std::vector<std::pair<std::size_t, std::size_t>> running;
  /// Its agents are those from `first` on; what was asked and found before they began.
  std::size_t first = 0;
  std::vector<std::string> asked;
  std::vector<Finding> found;
  std::map<std::size_t, Error> errors;
  std::size_t ended = 0, total = 0;
  bool finishing = false, patient = true;
  /// Who is to be told to finish.
  std::vector<std::size_t> to_tell;
  /// What has come and was not taken yet, and how many were taken.
  std::deque<Arrival> come;
  std::size_t taken = 0;
};

/// Ends when it is time, as `what`.
void set_timer(Round& round, StepKey key, std::int64_t when_ms, Arrival::What what);

/// The next to be acted upon; nothing when nothing will come any more. Which it was, and when, is recorded
/// (step "arrived"): a resumed run is given all its agents' ends at once and must still act in the order of
/// its first life, or it would ask other questions than those that are answered. Sets lead.latest_ms.
Task<Result<std::optional<Arrival>>> next_arrival(Round& round);

}  // namespace troupe::research
