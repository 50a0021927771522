// Whose rights a question is asked with: those of the key it came under, never those its text claims (J4).
#pragma once

#include "runtime/config/config.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/json/json.hpp"

#include <optional>
#include <string>

namespace troupe::actors {

/// Who a connection ("client:<first 12 characters of its key>#…") stands for by cluster.clients; nothing: a
/// peer, or a client that is trusted to say for whom it asks.
std::optional<std::string> principal_of(const config::ClusterConfig& cluster, const std::string& peer);

/// The question as it may be put for `principal`. "submit" gets its rights; an input that names another is
/// `invalid_input`, and so is the id of a run that is somebody else's. Of runs it may see, call off and
/// signal those it submitted; another's is not_found, as if it were not there. What is not recorded may be
/// asked about, but not called off or signalled. Everything else is `refused`. Blocks on the journal.
Result<Json> asked_by(const std::string& principal, const std::string& verb, Json question,
                      journal::Journal& journal);

}  // namespace troupe::actors
