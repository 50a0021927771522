// The desk's questions and orders about stops, flags, experiments and rollouts.
#pragma once

#include "actors/desk.hpp"

namespace troupe::actors {

// Orders need a node; a state folder alone answers `unsupported`. Each names who gives it and why.

/// {subject, name, ttl_ms, who, why}; 0: until started. not_found for a name the configuration does not have.
void control_stop(const DeskServices& services, const Json& input, const Reply& reply);
/// {subject, name, who, why}
void control_start(const DeskServices& services, const Json& input, const Reply& reply);
/// {name, percent, unit, allow, deny, who, why}
void control_flag(const DeskServices& services, const Json& input, const Reply& reply);
/// {name, action, who, why}
void control_rollout(const DeskServices& services, const Json& input, const Reply& reply);

/// What is in force.
void control_list(const DeskServices& services, const Json& input, const Reply& reply);
/// Every order since {since_ms}.
void control_audit(const DeskServices& services, const Json& input, const Reply& reply);
/// Arms, shares, units shown and the chance of such a ratio.
void control_experiments(const DeskServices& services, const Json& input, const Reply& reply);
/// What each shadow's copies have shown of its candidate.
void control_shadows(const DeskServices& services, const Json& input, const Reply& reply);

/// {dry_run}: the node reads its configuration again. Says what became new, by name; bad_config, and nothing
/// has changed, when it is unsound or asks for a restart.
void control_reload(const DeskServices& services, const Json& input, const Reply& reply);

}  // namespace troupe::actors
