// recap.json: the result of a recap as the contract writes it.
#pragma once

#include "agents/recap/sources.hpp"
#include "agents/slack/workspace.hpp"
#include "runtime/json/json.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace troupe::recap {

/// What became of one channel-day; the same index as in Workspace::days.
struct DayRecap {
  std::size_t threads = 0;
  std::size_t conversations = 0;
  std::vector<Point> points;
};

/// A reader's own digest.
struct PersonalDigest {
  std::string user;
  std::vector<std::size_t> days;
  std::vector<Point> digest;
};

struct RecapResult {
  std::vector<DayRecap> days;
  std::vector<Point> digest;
  std::vector<PersonalDigest> personal;
  /// In addition to what was wrong with the export.
  std::vector<slack::Problem> problems;
  std::size_t dropped_points = 0;
  std::size_t dropped_sources = 0;
  /// Channel-days that several readers share.
  std::size_t summarised_once = 0;
};

/// The document, keys in the contract's order. A digest item names the channel-day most of its sources are of
/// (the first of equals); sources elsewhere are under "also". "personal" is there only if someone asked for
/// it.
Json recap_json(const slack::Workspace& workspace, const RecapResult& result);

}  // namespace troupe::recap
