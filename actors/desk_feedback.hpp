// The desk's word about what people think of answers: ratings kept, questions drawn, reports (K8).
#pragma once

#include "actors/desk.hpp"

namespace troupe::actors {

// An answer is named by the decision that led to it ({decision}: one of the newest 100,000), or for ever by
// {run, step}. One that is unknown, or that no model ever gave, is not_found and nothing is kept.

/// {answer, good or score in [0, 1], rater, note, surface}: kept durably, then told to the breaker of the
/// endpoint that answered. (answer, rater) counts once: the first is kept, and a later one is answered with
/// "counted": false and what was kept. Without a rater all who rate the answer are one. Answers {counted,
/// score, run, step, feature, tenant, arm, model, endpoint, node} or, when the breaker could not be told,
/// why under "breaker". {endpoint, good, answered_ms}: only the breaker is told. Blocks for a commit.
void feedback(const DeskServices& services, const Json& input, const Reply& reply);

/// {answer, share, surface}: shall somebody be asked about it? Answers {ask}. Drawn by a hash of the answer
/// with probability `share` in (0, 1], so that asking again, at any node, gives the same; what is drawn is
/// kept with its share. Blocks for a commit when drawn.
void feedback_ask(const DeskServices& services, const Json& input, const Reply& reply);

/// {by, since_ms}: `by` is of feature, tenant, arm, model, endpoint, surface, with commas. A line a group:
/// {keys, answers and shown_share (null where arm or surface is asked for), rated, response_rate, spoken,
/// asked, asked_rated, basis, estimate (null unless somebody was asked), bounds}; see
/// policy::SatisfactionReport for what each may be believed to say.
void feedback_report(const DeskServices& services, const Json& input, const Reply& reply);

}  // namespace troupe::actors
