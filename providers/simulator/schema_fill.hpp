// Extracted points in the shape a caller's JSON schema asks for.
#pragma once

#include "providers/simulator/source_lines.hpp"
#include "runtime/json/json.hpp"

#include <string>
#include <vector>

namespace troupe::providers::simulator {

struct ExtractedPoint {
  LineKind kind = LineKind::topic;
  std::string text;
  /// Ids of one to three lines, the point's own first.
  std::vector<std::string> sources;
  std::vector<std::string> people;
};

/// Fills a schema by type and property name: an array of objects gets one per point (at most maxItems); in it
/// an enum gets the point's kind when it lists it, else "topic" when it lists that, else its first;
/// sources|source_ids| citations|ids gets ids, people|speakers|names speakers; other strings get the text.
/// Unknown shapes get the smallest value of their type; anyOf and oneOf take their first branch. Nesting
/// beyond 16 levels is null.
Json fill_schema(const Json& schema, const std::vector<ExtractedPoint>& points);

}  // namespace troupe::providers::simulator
