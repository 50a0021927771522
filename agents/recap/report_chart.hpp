// The one picture of a report: calls over time by endpoint, failures marked, and each breaker's state below.
#pragma once

#include "agents/recap/story.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace troupe::recap {

struct ChartShape {
  /// User units, which are CSS pixels when the page has the room.
  int width = 860;
  int plot_height = 170;
  std::size_t buckets = 60;
};

/// Calls of one stretch of time, by their start.
struct ChartBucket {
  /// Successes by endpoint, the index as in Story::endpoints.
  std::vector<std::size_t> served;
  std::size_t failed = 0;
  std::size_t total = 0;
};
std::vector<ChartBucket> chart_buckets(const Story& story, std::size_t count);

/// Endpoints beyond this share one colour.
inline constexpr std::size_t kChartColours = 7;
/// The CSS class of an endpoint's colour: "e0" to "e6", then "ex".
std::string chart_class(std::size_t endpoint);

/// Inline SVG without scripts; colours come from the page's style. Every mark has a <title> for whoever
/// points at it.
std::string story_chart(const Story& story, const ChartShape& shape);

}  // namespace troupe::recap
