// What OpenAI's answers say beyond the members we know: unknown counts of a usage, and how all of it is
// written back.
#pragma once

#include "providers/extra_members.hpp"
#include "runtime/json/json.hpp"

#include <troupe/request.hpp>

namespace troupe::providers::openai {

/// The names of a usage that are read: its own, those of the objects that split the counts, and theirs.
struct UsageNames {
  UnknownMembers::Names counts, details, detail_counts;
};
/// Keeps the counts of `usage` beyond these names, under "usage". Zero counts say nothing.
void keep_usage_extra(const Json& usage, const UsageNames& known, UnknownMembers& extra);

/// Writes `extra` (a text of UnknownMembers) into `body`. What the body says already stays, zeros excepted;
/// objects are joined at any depth; "error" is never written, for it would turn an answer into a failure.
void put_extra(const JsonText& extra, Json& body);

}  // namespace troupe::providers::openai
