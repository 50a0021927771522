// The desk's answer to who wants a run called off, wherever it goes.
#pragma once

#include "actors/desk.hpp"

namespace troupe::actors {

/// "runs.cancel" {id} -> {"run_id", "state", "node", "asked", "alive"}. The order is durable when this
/// answers with `asked`: the node that holds the run, or the one that takes it over, calls it off. `alive` is
/// there when this node can tell whether `node` lives. A run that is cancelled already is answered without
/// `asked`. not_found: no such run. invalid_input: it is done, or it failed and nothing of it goes.
void cancel_run(const DeskServices& services, const Json& input, const Reply& reply);

}  // namespace troupe::actors
