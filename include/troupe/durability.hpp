// What a run's record survives: how long its commits wait for the disk (RUNTIME 5.4).
#pragma once

#include <troupe/error.hpp>

#include <cstdint>
#include <string_view>

namespace troupe {

/// Chosen when a run begins and kept by it and its children. Numbers are stored: never renumber.
enum class Durability : std::uint8_t {
  /// Nobody said: what the configuration or the workflow says, else `power`. A run that has begun has one of
  /// the others, but for those from before there were classes.
  unsaid = 0,
  /// Every commit waits until the disk has it: nothing that was acknowledged is lost.
  power = 1,
  /// Survives kill -9 of the node. A power cut, or a crash of the database's server, may take the newest
  /// commits of such runs, never older ones without them: the run goes on from further back, and what was
  /// bought since is bought again.
  crash = 2,
};
/// "default", "power", "crash".
const char* to_string(Durability durability);
/// Those words, and "" as "default". invalid_input for others, saying why there is no "none".
Result<Durability> read_durability(std::string_view word);

}  // namespace troupe
