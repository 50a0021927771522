// How much research a question deserves (RUNTIME 7, MECHANISMS M4): a table, and ceilings nobody can talk
// their way past.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::research {

enum class QuestionKind {
  straightforward,  ///< one fact: one agent
  depth_first,      ///< several views on one thing, or a comparison: two to four
  breadth_first,    ///< many independent parts: ten and more
};
const char* to_string(QuestionKind kind);

/// By its words alone: cues of listing, comparing and of many parts. English cues; anything else is
/// straightforward. Pure.
QuestionKind classify(std::string_view question);

/// What no setting, question or model can exceed.
inline constexpr std::size_t kSubagentsCeiling = 20;
inline constexpr std::size_t kToolCallsCeiling = 20;
inline constexpr std::size_t kSourcesCeiling = 100;
inline constexpr std::size_t kRoundsCeiling = 4;

struct Effort {
  QuestionKind kind = QuestionKind::straightforward;
  /// Over all rounds.
  std::size_t agents_max = 1;
  /// Tool calls of one agent: it is told to stop near the first and stopped at the second.
  std::size_t calls_near = 8, calls_max = 10;
  friend bool operator==(const Effort&, const Effort&) = default;
};

/// What somebody asks for; 0 or empty: as the table says.
struct EffortWish {
  /// "simple", "comparison" or "complex": in place of what the words suggest.
  std::string kind;
  std::size_t agents_max = 0, calls_max = 0;
};

/// The table: 1 agent x 3 to 10 calls, 2-4 x 10 to 15, up to 20 x 10 to 15; a wish may lower it, and raise it
/// to the ceilings only by naming another kind. The model's plan can only stay below. Pure.
Effort effort_for(std::string_view question, const EffortWish& wish);

/// About how many tokens all calls of such a run take together: 6,000 for plan, report, critic and citations,
/// and 2,500 for each tool call an agent is told to stop near. Measured with the extractive model
/// (bench/RESULTS.md); a model that writes more takes more.
std::int64_t tokens_for(const Effort& effort);
/// The same with as many agents, and then calls, as `tokens` are enough for (M17); nothing when that is not
/// one agent with three calls.
std::optional<Effort> worth(const Effort& effort, std::int64_t tokens);

}  // namespace troupe::research
