// From a window to what models are shown of it: order, cuts and chunks.
#pragma once

#include "agents/recap/prompts.hpp"
#include "agents/summary/input.hpp"
#include "agents/summary/window.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace troupe::summary {

/// A line as prompts show it; its number there is its place among them, from 1.
struct ShownLine {
  std::size_t line = 0;
  std::string text;
  /// "conversation 3" where one begins, if there are several.
  std::string heading;
};

struct ShownRange {
  std::size_t begin = 0, end = 0;
};

struct ShowPlan {
  std::vector<ShownLine> shown;
  /// Half-open ranges of `shown`, in order, each within chunk_tokens_max by estimate, or a single line.
  std::vector<ShownRange> chunks;
  std::size_t conversations = 0;
  std::size_t tokens_before = 0, tokens = 0;
  double coverage = 1;
};

/// `tokens_max` is the pre-pass's budget, 0 for none. Pure.
ShowPlan plan_window(const Window& window, const SummaryInput& input, std::size_t tokens_max);

/// The lines of a range as a prompt numbers them.
std::vector<recap::SourceLine> source_lines(const Window& window, const ShowPlan& plan, ShownRange range);

}  // namespace troupe::summary
