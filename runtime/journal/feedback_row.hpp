// What people said of an answer, or were asked about it, as it is stored (MECHANISMS K8).
#pragma once

#include <troupe/time.hpp>

#include <cstddef>
#include <string>

namespace troupe::journal {

/// (run, step, rater) identifies it: of several the first is kept. An answer is a step of a run that was
/// answered; whom it came from stands beside it, so that it stays known when decisions are forgotten.
struct FeedbackRow {
  std::string run_id, step_key;
  /// Empty: nobody has spoken; the answer was drawn to be asked about.
  std::string rater;
  std::string decision, feature, tenant;
  /// "EXPERIMENT/ARM" or "ROLLOUT/new"; empty: no comparison, or it is not known any more.
  std::string arm;
  std::string model, endpoint;
  /// Where it was shown: the program's own word.
  std::string surface;
  std::string note, node;
  /// In [0, 1]: thumbs are 0 and 1.
  double score = 0;
  /// The probability with which an answer like this was drawn to be asked about; 0 in ratings.
  double asked_share = 0;
  WallTime at;
};

/// What feedback() is asked for; empty texts ask for all.
struct FeedbackFilter {
  std::string run_id, step_key;
  WallTime since;
  /// Of more the newest are given.
  std::size_t rows_max = 1'000'000;
};

}  // namespace troupe::journal
