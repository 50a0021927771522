// When Anthropic says to come back, beyond retry-after: RFC 3339 resets of its limits, and dates in texts.
#pragma once

#include "runtime/http/message.hpp"

#include <troupe/time.hpp>

#include <optional>
#include <string_view>

namespace troupe::providers::anthropic {

/// "2026-12-01T00:00:00Z", with optional fractions of a second (dropped) and "+hh:mm" offsets. Absent for
/// anything else.
std::optional<WallTime> parse_rfc3339(std::string_view text);

/// anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-reset and
/// anthropic-priority-{input,output}-tokens-reset, against `wall`, clamped to [0, 1 h]: of the limits
/// reported as used up the one that resets last; of all when none is, since remaining tokens are rounded
/// (WIRE 5.4).
std::optional<Duration> read_limit_reset(const http::Headers& headers, WallTime wall);

/// "… You will regain access on 2026-12-01 at 00:00 UTC." against `wall`, clamped to [0, 1 h].
std::optional<Duration> read_regain_date(std::string_view message, WallTime wall);

}  // namespace troupe::providers::anthropic
