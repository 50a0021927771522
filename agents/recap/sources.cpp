// Checking the citations of an answer against what was asked about.
#include "agents/recap/sources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string_view>

namespace troupe::recap {
namespace {

using SourceTable = std::map<std::string, std::vector<SourceRef>, std::less<>>;

std::size_t collect_valid(const ClaimedPoint& claim, const SourceTable& table, std::set<SourceRef>& valid) {
  std::size_t bad = 0;
  for (const auto& id : claim.sources) {
    auto found = table.find(id);
    if (found == table.end()) {
      ++bad;
      continue;
    }
    valid.insert(found->second.begin(), found->second.end());
  }
  return bad;
}

Checked check_claims(const Claims& claims, const SourceTable& table, std::size_t points_max) {
  Checked out;
  out.dropped_points = claims.skipped;
  for (const auto& claim : claims.points) {
    std::set<SourceRef> valid;
    auto bad = collect_valid(claim, table, valid);
    if (valid.empty() || out.points.size() == points_max) {
      ++out.dropped_points;
      continue;
    }
    out.dropped_sources += bad;
    out.points.push_back({claim.kind, claim.text, {valid.begin(), valid.end()}});
  }
  return out;
}

}  // namespace

std::string point_id(std::size_t number) { return fmt::format("p{}", number); }

Checked check_against_chunk(const Claims& claims, const slack::ChannelDay& day, std::size_t day_index,
                            const Chunk& chunk, std::size_t points_max) {
  SourceTable table;
  for (auto i : chunk.messages) table[day.messages[i].ts] = {SourceRef{day_index, i}};
  return check_claims(claims, table, points_max);
}

Checked check_against_points(const Claims& claims, std::span<const Point> points, std::size_t first,
                             std::size_t points_max) {
  SourceTable table;
  for (std::size_t i = 0; i < points.size(); ++i) table[point_id(first + i)] = points[i].sources;
  return check_claims(claims, table, points_max);
}

std::vector<std::string> authors(const Point& point, const slack::ChannelDay& day, std::size_t day_index) {
  std::vector<std::string> out;
  for (const auto& source : point.sources) {
    if (source.day != day_index) continue;
    const auto& name = day.messages[source.message].user;
    if (std::ranges::find(out, name) == out.end()) out.push_back(name);
  }
  return out;
}

}  // namespace troupe::recap
