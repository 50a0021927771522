#include "runtime/policy/concentration.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace troupe::policy {

void Concentration::add(const std::string& place, double tokens, WallTime at) {
  auto number = at.ms / kPieceMs;
  auto& piece = pieces_[static_cast<std::size_t>(number) % kPieces];
  if (piece.number < number) piece = {number, {}};
  piece.tokens[place] += tokens;
}

ConcentrationReport Concentration::report(WallTime now) {
  std::map<std::string, double> sums;
  double all = 0;
  auto oldest = now.ms / kPieceMs - static_cast<std::int64_t>(kPieces) + 1;
  for (const auto& piece : pieces_) {
    if (piece.number < oldest) continue;
    for (const auto& [place, tokens] : piece.tokens) sums[place] += tokens, all += tokens;
  }
  ConcentrationReport report;
  for (const auto& place : std::exchange(reported_, {}))
    if (!sums.contains(place)) report.shares.push_back({place, 0});
  if (!(all > 0)) return report;
  report.tokens = all;
  for (const auto& [place, tokens] : sums) {
    reported_.insert(place);
    report.shares.push_back({place, tokens / all});
    report.index += report.shares.back().share * report.shares.back().share;
  }
  std::ranges::stable_sort(report.shares, std::greater(), &PlaceShare::share);
  return report;
}

bool ConcentrationAlarm::rises(const ConcentrationReport& report) {
  bool enough = share_max_ < 1 && report.tokens >= tokens_min && !report.shares.empty();
  bool above = enough && report.shares.front().share > share_max_;
  return !std::exchange(on_, above) && above;
}

}  // namespace troupe::policy
