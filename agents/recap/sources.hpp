// Which points may stand: each has a source we can show, and its people are the authors of those sources.
#pragma once

#include "agents/recap/answers.hpp"
#include "agents/recap/chunk.hpp"
#include "agents/slack/workspace.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace troupe::recap {

/// A message: Workspace::days[day].messages[message].
struct SourceRef {
  std::size_t day = 0;
  std::size_t message = 0;
  friend auto operator<=>(const SourceRef&, const SourceRef&) = default;
};

/// A point whose sources exist. At least one, ascending, without doubles.
struct Point {
  std::string kind;
  std::string text;
  std::vector<SourceRef> sources;
};

struct Checked {
  std::vector<Point> points;
  /// Points without any valid source, and entries that were no points.
  std::size_t dropped_points = 0;
  /// Citations of nothing, on points that stand by others.
  std::size_t dropped_sources = 0;
};

/// For a chunk's answer: a source is valid if it is the ts of a message of that chunk. The caller gives the
/// chunk's channel-day and its index. Points come back in the order claimed, at most `points_max` (MECHANISMS
/// L1).
Checked check_against_chunk(const Claims& claims, const slack::ChannelDay& day, std::size_t day_index,
                            const Chunk& chunk, std::size_t points_max);

/// For a merge's or digest's answer: a source is the number of a point of `points`, "p<first>" naming the
/// first of them; it stands for all sources of that point.
Checked check_against_points(const Claims& claims, std::span<const Point> points, std::size_t first,
                             std::size_t points_max);

/// "p17"
std::string point_id(std::size_t number);

/// The authors of a point's sources on that day, in the order they spoke, each once. Never the model's word
/// for it.
std::vector<std::string> authors(const Point& point, const slack::ChannelDay& day, std::size_t day_index);

}  // namespace troupe::recap
