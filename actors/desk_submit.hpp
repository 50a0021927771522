// The desk's word about runs that begin: troupe submit.
#pragma once

#include "actors/desk.hpp"

namespace troupe::actors {

/// {workflow, run_id?, tenant?, input, budget?, durability?, join?}: begins a run, or takes up again the one
/// of that id. Answers {run_id, note?}; the note says what of the question does not count. A run that goes
/// already is refused, or with `join` answered as if it had begun now; one of another workflow is
/// invalid_input.
void submit_run(const DeskServices& services, const Json& input, const Reply& reply);

}  // namespace troupe::actors
