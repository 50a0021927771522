// The rounds of merging and digesting.
#include "agents/recap/condense.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace troupe::recap {

// Named, because a coroutine frame that holds it must not depend on an unnamed namespace.
struct CondenseContext {
  Questions& questions;
  const slack::Workspace& workspace;
  const RecapInput& input;
  const Condensing& what;
};

namespace {

// Each round at least halves what a working model gives back; this many rounds condense millions of points.
constexpr std::size_t kRoundsMax = 8;

std::string day_heading(const slack::Workspace& workspace, std::size_t day) {
  return fmt::format("#{}, {}", workspace.days[day].channel, workspace.days[day].date);
}

// Points are numbered through all groups of a round: two groups never have the same prompt, so never the same
// key.
std::vector<SourceLine> point_lines(const CondenseContext& context, std::span<const Point> points,
                                    PointRange range) {
  std::vector<SourceLine> lines;
  std::size_t day = context.workspace.days.size();
  for (auto i = range.begin; i < range.end; ++i) {
    SourceLine line{.id = point_id(i + 1), .who = points[i].kind, .text = points[i].text, .heading = {}};
    auto point_day = points[i].sources.front().day;
    if (context.what.kind == Condensing::Kind::digest && point_day != day) {
      line.heading = day_heading(context.workspace, point_day);
    }
    day = point_day;
    lines.push_back(std::move(line));
  }
  return lines;
}

std::size_t items_max(const CondenseContext& context) {
  const auto& policy = context.input.prompts;
  return context.what.kind == Condensing::Kind::merge ? policy.day_points_max : policy.digest_items_max;
}

// A digest has no kinds; what it is made of decides, so that a later round still knows a decision from a
// topic.
void inherit_kinds(std::vector<Point>& condensed, std::span<const Point> from) {
  for (auto& point : condensed) {
    std::vector<Point> parents;
    for (const auto& parent : from) {
      if (std::ranges::includes(point.sources, parent.sources)) parents.push_back(parent);
    }
    if (!parents.empty()) point.kind = best_points(std::move(parents), 1).front().kind;
  }
}

Task<Result<Condensed>> condense_group(const CondenseContext& context, const std::vector<Point>& points,
                                       PointRange range, std::size_t round) {
  auto group = std::span(points).subspan(range.begin, range.end - range.begin);
  auto lines = point_lines(context, points, range);
  bool merge = context.what.kind == Condensing::Kind::merge;
  auto make = merge ? merge_request : digest_request;
  auto request = make(context.what.about, lines, context.input.prompts);
  StepKey key{merge ? "merge" : "digest", context.what.id};
  // A later round may by chance repeat an earlier prompt.
  if (round > 0) key.id += fmt::format("{}round{}", key.id.empty() ? "" : "/", round + 1);
  auto question = context.questions.ask(std::move(key), std::move(request));
  auto asked = co_await question;
  if (!asked) co_return std::unexpected(asked.error());

  Condensed out;
  std::string problem = asked->problem;
  if (asked->claims) {
    auto checked = check_against_points(*asked->claims, group, range.begin + 1, items_max(context));
    out.dropped_points = checked.dropped_points;
    out.dropped_sources = checked.dropped_sources;
    out.points = std::move(checked.points);
    if (!merge) inherit_kinds(out.points, group);
    if (out.points.empty()) problem = "the answer held no point with a valid source";
  }
  if (!problem.empty()) {
    out.problems.push_back(problem);
    out.points = best_points({group.begin(), group.end()}, items_max(context));
  }
  co_return out;
}

void add_group(Condensed& sum, Condensed&& group) {
  std::ranges::move(group.points, std::back_inserter(sum.points));
  std::ranges::move(group.problems, std::back_inserter(sum.problems));
  sum.dropped_points += group.dropped_points;
  sum.dropped_sources += group.dropped_sources;
}

}  // namespace

std::vector<PointRange> pack_points(std::span<const Point> points, std::size_t tokens_max) {
  // "[p123] decision: " and, in a digest, a share of the heading.
  constexpr std::size_t line_tokens = 12;
  std::vector<PointRange> out;
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    auto cost = estimate_tokens(points[i].text) + line_tokens;
    if (out.empty() || tokens + cost > tokens_max) {
      out.push_back({i, i});
      tokens = 0;
    }
    tokens += cost;
    out.back().end = i + 1;
  }
  return out;
}

std::vector<Point> best_points(std::vector<Point> points, std::size_t count) {
  auto rank = [](const Point& point) {
    constexpr std::array<std::string_view, 3> order = {"decision", "action", "question"};
    return std::ranges::find(order, point.kind) - order.begin();
  };
  std::ranges::stable_sort(points, {}, rank);
  if (points.size() > count) points.resize(count);
  return points;
}

Task<Result<Condensed>> condense(Questions& questions, const slack::Workspace& workspace,
                                 const RecapInput& input, Condensing what, std::vector<Point> points) {
  CondenseContext context{questions, workspace, input, what};
  Condensed out;
  out.points = std::move(points);
  for (std::size_t round = 0; round < kRoundsMax && !out.points.empty(); ++round) {
    auto before = std::exchange(out.points, {});
    auto groups = pack_points(before, input.chunks.points_tokens_max);
    std::vector<Task<Result<Condensed>>> tasks;
    for (auto group : groups) tasks.push_back(condense_group(context, before, group, round));
    auto joined = all(std::move(tasks), what.parallel_max);
    auto results = co_await joined;
    for (auto& result : results) {
      if (!result) co_return std::unexpected(result.error());
      add_group(out, std::move(*result));
    }
    if (groups.size() == 1) co_return out;
    // A model that gives back as much as it got will never be done.
    if (out.points.size() >= before.size()) break;
  }
  if (out.points.size() > items_max(context)) {
    out.problems.push_back(fmt::format("{} points were not condensed further; the first {} by kind are kept",
                                       out.points.size(), items_max(context)));
  }
  out.points = best_points(std::move(out.points), items_max(context));
  co_return out;
}

}  // namespace troupe::recap
