// How much hangs on one provider or region (C9). Pure.
#pragma once

#include <troupe/time.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace troupe::policy {

struct PlaceShare {
  std::string place;
  /// Of the tokens of all places, in [0, 1].
  double share = 0;
};
struct ConcentrationReport {
  /// Largest first. Places that had some in the report before and have none now are told once more, with 0.
  std::vector<PlaceShare> shares;
  /// What was counted.
  double tokens = 0;
  /// Sum of squared shares (Herfindahl 1950, Hirschman 1945): 1 when one place has all, 1/n when n share
  /// equally. 0: nothing was served.
  double index = 0;
};

/// Tokens by place over the last hour, counted in five-minute pieces: what is counted is between 55 and 60
/// minutes old at most. Not thread-safe. Holds one number a place and piece, and the last report's places.
class Concentration {
 public:
  /// Times from before the hour are counted with the newer ones that took their piece's place.
  void add(const std::string& place, double tokens, WallTime at);
  ConcentrationReport report(WallTime now);

 private:
  static constexpr std::int64_t kPieceMs = 5 * 60 * 1000;
  static constexpr std::size_t kPieces = 12;
  struct Piece {
    std::int64_t number = -1;  ///< of its five minutes since 1970; -1: none yet
    std::map<std::string, double> tokens;
  };
  std::array<Piece, kPieces> pieces_;
  std::set<std::string> reported_;
};

/// Where the largest share is above `share_max`, told when it comes to be so and not again until it was not.
/// Of fewer than `tokens_min` tokens shares say nothing.
class ConcentrationAlarm {
 public:
  /// 1: never.
  explicit ConcentrationAlarm(double share_max) : share_max_(share_max) {}
  static constexpr double tokens_min = 100'000;
  bool rises(const ConcentrationReport& report);

 private:
  double share_max_;
  bool on_ = false;
};

}  // namespace troupe::policy
