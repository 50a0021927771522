// Many points into few, in groups that fit a prompt, as often as it takes.
#pragma once

#include "agents/recap/ask.hpp"
#include "agents/recap/input.hpp"
#include "agents/recap/sources.hpp"
#include "agents/slack/workspace.hpp"

#include <troupe/task.hpp>
#include <troupe/workflow.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace troupe::recap {

/// What is condensed: the chunks' points of one channel-day (merge), or those of all (digest).
struct Condensing {
  enum class Kind { merge, digest };
  Kind kind = Kind::merge;
  /// The step's id before the hash: "general/2019-03-05", or empty.
  std::string id;
  /// For the model: "#general, 2019-03-05".
  std::string about;
  std::size_t parallel_max = 1;
};

struct Condensed {
  std::vector<Point> points;
  std::size_t dropped_points = 0;
  std::size_t dropped_sources = 0;
  std::vector<std::string> problems;
};

/// Half-open ranges of `points`, in order, each within `tokens_max` by estimate (a single larger point is a
/// range of its own). Nothing for no points.
struct PointRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};
std::vector<PointRange> pack_points(std::span<const Point> points, std::size_t tokens_max);

/// The `count` most important by kind (decision, action, question, topic), otherwise in the order given.
std::vector<Point> best_points(std::vector<Point> points, std::size_t count);

/// Asks once when everything fits a prompt; otherwise asks per group and condenses what came back. A group
/// whose answer cannot be used keeps the points it had, and says so in `problems`: nothing that has a source
/// is lost to a bad answer. Fails only with the final error of a call. All arguments outlive the task.
Task<Result<Condensed>> condense(Questions& questions, const slack::Workspace& workspace,
                                 const RecapInput& input, Condensing what, std::vector<Point> points);

}  // namespace troupe::recap
