// Points between the calls of a summary: what is believed of an answer, and how many fit a prompt.
#pragma once

#include "agents/recap/answers.hpp"
#include "agents/recap/prompts.hpp"
#include "agents/summary/plan.hpp"
#include "agents/summary/result.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace troupe::summary {

/// What each number of a prompt stands for: numbers[i] are the lines of number `first` + i.
struct Numbered {
  std::size_t first = 1;
  std::vector<std::vector<std::size_t>> lines;
};

struct BelievedPoints {
  std::vector<SummaryPoint> points;
  /// Points without any valid source or beyond `points_max`, and citations of nothing on those that stand.
  std::size_t dropped_points = 0, dropped_sources = 0;
};

/// The points whose sources are numbers of the prompt; each stands for all its lines (MECHANISMS L1).
BelievedPoints believe_claims(const recap::Claims& claims, const Numbered& numbers, std::size_t points_max);

/// The statements of a text that carry a valid mark; see read_statements.
BelievedPoints believe_text(std::string_view text, const Numbered& numbers, std::size_t points_max);

/// The lines of a range by their numbers.
Numbered numbered_lines(const ShowPlan& plan, ShownRange range);
/// Points as a prompt shows them, numbered from `first`, and what the numbers stand for.
Numbered numbered_points(std::span<const SummaryPoint> points, std::size_t first);
std::vector<recap::SourceLine> point_lines(std::span<const SummaryPoint> points, std::size_t first);

/// Half-open ranges of points, in order, each within `tokens_max` by estimate or a single point.
std::vector<ShownRange> pack_points(std::span<const SummaryPoint> points, std::size_t tokens_max);

/// The `count` most important by kind (decision, action, question, topic), otherwise in the order given.
std::vector<SummaryPoint> most_important(std::vector<SummaryPoint> points, std::size_t count);

/// Gives each point the most important kind among those of `from` that are part of it.
void inherit_kinds(std::vector<SummaryPoint>& points, std::span<const SummaryPoint> from);

}  // namespace troupe::summary
