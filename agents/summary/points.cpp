// Believing numbers only.
#include "agents/summary/points.hpp"

#include "agents/recap/chunk.hpp"
#include "agents/recap/kinds.hpp"
#include "agents/summary/marks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

namespace troupe::summary {
namespace {

constexpr std::size_t kPointLineTokens = 12;

std::size_t number_named(std::string_view id) {
  if (id.starts_with('p')) id.remove_prefix(1);
  std::size_t number = 0;
  auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  return error == std::errc{} && end == id.data() + id.size() ? number : 0;
}

const std::vector<std::size_t>* lines_of(const Numbered& numbers, std::size_t number) {
  bool known = number >= numbers.first && number - numbers.first < numbers.lines.size();
  return known ? &numbers.lines[number - numbers.first] : nullptr;
}

// Adds what the numbers name to `lines`; answers how many name nothing.
std::size_t collect_lines(const Numbered& numbers, std::span<const std::size_t> cited,
                          std::set<std::size_t>& lines) {
  std::size_t bad = 0;
  for (auto number : cited) {
    const auto* named = lines_of(numbers, number);
    if (named == nullptr) {
      ++bad;
      continue;
    }
    lines.insert(named->begin(), named->end());
  }
  return bad;
}

std::size_t rank_of(const SummaryPoint& point) {
  const auto* found = std::ranges::find(recap::kPointKinds, point.kind, &recap::PointKind::name);
  return static_cast<std::size_t>(found - recap::kPointKinds.begin());
}

}  // namespace

BelievedPoints believe_claims(const recap::Claims& claims, const Numbered& numbers, std::size_t points_max) {
  BelievedPoints out;
  out.dropped_points = claims.skipped;
  for (const auto& claim : claims.points) {
    std::vector<std::size_t> cited;
    for (const auto& id : claim.sources) cited.push_back(number_named(id));
    std::set<std::size_t> lines;
    auto bad = collect_lines(numbers, cited, lines);
    if (lines.empty() || out.points.size() == points_max) {
      ++out.dropped_points;
      continue;
    }
    out.dropped_sources += bad;
    out.points.push_back({claim.text, claim.kind, {lines.begin(), lines.end()}, {}});
  }
  return out;
}

BelievedPoints believe_text(std::string_view text, const Numbered& numbers, std::size_t points_max) {
  BelievedPoints out;
  for (auto& statement : read_statements(text, numbers.lines.size())) {
    std::set<std::size_t> lines;
    collect_lines(numbers, statement.marks, lines);
    if (lines.empty() || out.points.size() == points_max) {
      ++out.dropped_points;
      continue;
    }
    out.dropped_sources += statement.bad_marks;
    out.points.push_back(
        {std::move(statement.text), {}, {lines.begin(), lines.end()}, std::move(statement.marks)});
  }
  return out;
}

Numbered numbered_lines(const ShowPlan& plan, ShownRange range) {
  Numbered out;
  out.first = range.begin + 1;
  for (auto i = range.begin; i < range.end; ++i) out.lines.push_back({plan.shown[i].line});
  return out;
}

Numbered numbered_points(std::span<const SummaryPoint> points, std::size_t first) {
  Numbered out;
  out.first = first;
  for (const auto& point : points) out.lines.push_back(point.lines);
  return out;
}

std::vector<recap::SourceLine> point_lines(std::span<const SummaryPoint> points, std::size_t first) {
  std::vector<recap::SourceLine> out;
  for (std::size_t i = 0; i < points.size(); ++i) {
    auto kind = points[i].kind.empty() ? "topic" : points[i].kind;
    out.push_back({.id = fmt::format("{}", first + i), .who = kind, .text = points[i].text, .heading = {}});
  }
  return out;
}

std::vector<ShownRange> pack_points(std::span<const SummaryPoint> points, std::size_t tokens_max) {
  std::vector<ShownRange> out;
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    auto cost = recap::estimate_tokens(points[i].text) + kPointLineTokens;
    if (out.empty() || tokens + cost > tokens_max) {
      out.push_back({i, i});
      tokens = 0;
    }
    tokens += cost;
    out.back().end = i + 1;
  }
  return out;
}

std::vector<SummaryPoint> most_important(std::vector<SummaryPoint> points, std::size_t count) {
  std::ranges::stable_sort(points, {}, rank_of);
  if (points.size() > count) points.resize(count);
  return points;
}

void inherit_kinds(std::vector<SummaryPoint>& points, std::span<const SummaryPoint> from) {
  for (auto& point : points) {
    const SummaryPoint* best = nullptr;
    for (const auto& parent : from) {
      bool part = std::ranges::includes(point.lines, parent.lines);
      if (part && (best == nullptr || rank_of(parent) < rank_of(*best))) best = &parent;
    }
    if (best != nullptr) point.kind = best->kind;
  }
}

}  // namespace troupe::summary
