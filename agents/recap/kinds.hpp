// The kinds of points in the order people want to read them.
#pragma once

#include <array>
#include <string_view>

namespace troupe::recap {

struct PointKind {
  /// As in recap.json.
  std::string_view name;
  std::string_view heading;
};

inline constexpr std::array<PointKind, 4> kPointKinds = {
    {{"decision", "Decisions"}, {"action", "Actions"}, {"question", "Open questions"}, {"topic", "Topics"}}};

}  // namespace troupe::recap
