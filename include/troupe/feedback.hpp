// What people think of answers: told by the program that shows them, kept by the node.
#pragma once

#include <troupe/client.hpp>
#include <troupe/node.hpp>

#include <string>

namespace troupe {

/// Names an answer by the decision that led to it (AttemptRecord::decision; the newest 100,000 are known), or
/// for ever by its run and step.
struct AnswerId {
  std::string decision;
  std::string run_id, step_key;
};

/// Somebody's word on an answer.
struct Rating {
  AnswerId answer;
  /// Who: a pseudonym, it is kept. Empty: all who rate this answer are one.
  std::string rater;
  /// In [0, 1]: thumbs down and up are 0 and 1.
  double score = 0;
  /// Kept as it is, at most 2 KB; retention of runs does not remove it.
  std::string note;
  /// Where the answer was shown: the program's own word.
  std::string surface;
};

struct RatingKept {
  /// False: this rater has rated the answer before, and that rating stands.
  bool counted = false;
  /// The score that stands.
  double score = 0;
  std::string feature, tenant, model, endpoint;
  /// "EXPERIMENT/ARM" or "ROLLOUT/new"; empty: none, or not known any more.
  std::string arm;
};

/// Durable when it returns. not_found for an unknown answer, invalid_input for a score that is none: then
/// nothing is kept. After `storage` and `unreachable` it may have been: rate again, it counts once. Blocks.
Result<RatingKept> rate(Node& node, const Rating& rating);
Result<RatingKept> rate(Client& client, const Rating& rating);

/// Shall somebody be asked about this answer? True for `share` of all answers, in (0, 1], drawn at random but
/// the same whenever asked. Only ratings of answers drawn so, nearly all of which are answered, tell what
/// everyone thinks: who rates by themselves does so because of what they would say. Failures as above.
/// Blocks.
Result<bool> draw_question(Node& node, const AnswerId& answer, double share, const std::string& surface = {});
Result<bool> draw_question(Client& client, const AnswerId& answer, double share,
                           const std::string& surface = {});

}  // namespace troupe
