// What one prompt shows of a long conversation: the brief always, of the turns as many of the newest as fit.
#pragma once

#include <troupe/request.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace troupe::research {

/// One answer with tool calls and what the tools said: shown whole or not at all, because providers refuse a
/// result without its call.
struct Turn {
  /// The model's parts, unchanged: signatures must be echoed.
  std::vector<Part> asked;
  std::vector<ToolResultPart> results;
  /// One line that stands for it when it is not shown.
  std::string summary;
};

struct ContextPolicy {
  /// Estimated tokens of the whole request, tools included.
  std::size_t tokens_max = 24'000;
  /// Off only to show what happens without: the brief is then the first thing to go (M2).
  bool keep_brief = true;
};

/// Puts the brief (question, plan, task) and the turns after what `request` holds already. Turns that are not
/// shown are listed by their summaries, newest kept, in at most a quarter of the room. When not even the last
/// turn fits, its results are shortened. The brief is never shortened here; callers bound it. Pure.
void fill_context(CompletionRequest& request, const std::string& brief, std::span<const Turn> turns,
                  const ContextPolicy& policy);

/// The lines that fit into `tokens_max`, from the first on. Pure.
std::size_t lines_that_fit(std::span<const std::string> lines, std::size_t tokens_max);

}  // namespace troupe::research
