// What a research run is asked, with every setting and its bounds.
#pragma once

#include "agents/research/effort.hpp"
#include "runtime/json/json.hpp"

#include <troupe/error.hpp>
#include <troupe/request.hpp>
#include <troupe/time.hpp>

#include <cstddef>
#include <string>

namespace troupe::research {

/// Which feature each kind of call is booked to and routed by (M21: cheap workers, a middling critic, a dear
/// lead). All the same unless the input says otherwise.
struct Tiers {
  std::string lead = "research", agent = "research", critic = "research", cite = "research";
};

/// Switched off only to show what happens without (tests, measurements): "without": "plan,repeats,…".
struct Without {
  bool plan = false;         ///< "plan": a full context loses the brief first (M2)
  bool repeats = false;      ///< "repeats": identical calls are carried out again
  bool tool_errors = false;  ///< "tool_errors": a failing tool ends the agent (M13)
  bool async = false;        ///< "async": the lead waits for all of a round (M15)
  bool share = false;        ///< "share": siblings who ask the same all ask it (M3)
  bool references = false;   ///< "references": agents hand over every passage they read, whole (M11)
};

struct ResearchInput {
  std::string question;
  std::string tenant = "default";
  /// Whose rights decide what may be read (J4).
  std::string principal;
  EffortWish effort;
  /// Subagents at once, and tool calls of one of them at once.
  std::size_t parallel = 4, tools_parallel = 4;
  std::size_t rounds_max = 2;
  /// What an answer is worth, in tokens; the effort is cut to it (M17). 0: whatever it takes.
  std::int64_t worth_tokens = 0;
  /// Go on when so many of a round have ended; 0: all. The others are told to finish, then stopped.
  std::size_t first_k = 0;
  /// What one prompt may hold (estimated), below any model's window.
  std::size_t context_tokens_max = 24'000;
  int output_tokens_max = 2048;
  /// From the run's start until the report must be written; zero: none.
  Duration deadline{};
  /// How long those who were told to finish may take.
  Duration grace = std::chrono::seconds(20);
  /// When most of a round have ended: so long the lead waits for the rest before it looks for gaps and starts
  /// further agents beside them; zero: it waits for all.
  Duration patience = std::chrono::seconds(10);
  Duration call_deadline = std::chrono::minutes(2);
  /// What happens to a claim no source bears out: it is taken out of the report, or stays, marked.
  bool mark_unsupported = false;
  bool critic = true;
  Without without;
  Tiers tiers;
  /// The whole input, for whoever opens the tools.
  JsonText given;
};

/// From {"question", "input"?, "tenant"?, "principal"?, "effort"? (simple|comparison|complex|auto),
/// "subagents_max"?, "calls_max"?, "parallel"?, "tools_parallel"?, "rounds"?, "first_k"?, "context_tokens"?,
/// "deadline_s"?, "grace_s"?, "patience_s"?, "worth_tokens"?, "call_deadline_s"?, "unsupported"?
/// (remove|mark), "critic"? (on|off), "lead_feature"?, "agent_feature"?, "critic_feature"?, "cite_feature"?};
/// numbers may be given as text, as `--set` does. invalid_input naming the key and what would be right; a
/// question is 1 to 4,000 bytes.
Result<ResearchInput> read_research_input(const JsonText& input);

}  // namespace troupe::research
