// What one subagent is asked to do (MECHANISMS M3): a value that is checked before anybody is started for it.
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::research {

struct Delegation {
  /// Follows from the objective: 16 hex digits.
  std::string id;
  /// One thing to find out, in words that can be understood alone.
  std::string objective;
  std::string output_format;
  /// Names of the tools it may call; no other can be reached.
  std::vector<std::string> tools;
  /// Kinds of sources to prefer, and to avoid.
  std::vector<std::string> sources, avoid;
  /// What is not its business, so that siblings do not do it twice.
  std::string boundaries;
  std::string background;
  /// Suggested first queries.
  std::vector<std::string> starts;
  /// Its slice: tool calls it is told to stop near, and is stopped at.
  std::size_t calls_near = 8, calls_max = 10;
  /// Milliseconds since 1970; 0: none.
  std::int64_t deadline_ms = 0;
  /// Lower goes first.
  int priority = 0;
  friend bool operator==(const Delegation&, const Delegation&) = default;
};

Json to_json(const Delegation& delegation);
/// Lenient: what is missing stays empty, what is long is cut; `check_delegation` judges. `id` is made.
Delegation delegation_from(const Json& json);

/// Refused (invalid_input, with the part and why): an objective without two telling words beyond "research",
/// "information" and their like, or longer than 600 bytes; no output format; no boundaries; no tools or one
/// that does not exist; no calls, or more than the ceiling; a deadline that has passed. Pure.
Result<void> check_delegation(const Delegation& delegation, std::span<const std::string> tools, WallTime now);

/// Siblings whose objectives say the same: shingle similarity of at least 0.6, unless each names a name or
/// number the other does not.
bool overlaps(const Delegation& a, const Delegation& b);

/// What became of a plan's tasks.
struct Accepted {
  std::vector<Delegation> tasks;
  /// One sentence each, for the report: refused, merged and cut tasks. Ours, without the model's words.
  std::vector<std::string> notes;
  std::size_t refused = 0, merged = 0, cut = 0;
};

/// Checks each, merges overlapping ones into the earlier (its starts are kept), drops those that overlap one
/// of `before`, orders by priority and cuts to `tasks_max`. Pure.
Accepted accept_tasks(std::vector<Delegation> tasks, std::span<const Delegation> before,
                      std::size_t tasks_max, std::span<const std::string> tools, WallTime now);

}  // namespace troupe::research
