// What answers say of the provider's own limits: the headers it stands in, and their formats.
#pragma once

#include "runtime/http/message.hpp"
#include "runtime/policy/quota_hints.hpp"

#include <troupe/time.hpp>

namespace troupe::providers {

/// Reads, whatever the dialect (WIRE 5.3 to 5.5):
///   x-ratelimit-{limit,remaining,reset}-{requests,tokens}: OpenAI with Go durations, Azure with seconds,
///     where -1 and 0 mean nothing;
///   anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset} with RFC 3339
///     times, and anthropic-priority-{input,output}-tokens-* likewise.
/// Times count from the answer's own Date when it has one, so that a clock of ours that is wrong does no
/// harm; else from `wall`. What cannot be read is left out; resets are clamped to [0, 24 h]. Bedrock and
/// Vertex send nothing of the kind (WIRE 1.8, 4.5).
policy::QuotaHints read_rate_limits(const http::Headers& headers, WallTime wall);

}  // namespace troupe::providers
