// When a provider says to come back: the headers it says it in, and their formats.
#pragma once

#include "runtime/http/message.hpp"

#include <troupe/time.hpp>

#include <optional>
#include <string_view>

namespace troupe::providers {

/// The first of these that can be read, clamped to [0, 1 h] (WIRE 6.1): retry-after-ms, retry-after (seconds
/// or an HTTP date, against `wall`), x-amz-retry-after (milliseconds).
std::optional<Duration> read_retry_after(const http::Headers& headers, WallTime wall);

/// x-ratelimit-reset-{requests,tokens}, clamped likewise: of the quotas reported as used up the one that
/// resets last; of all when none is. These come with every answer, so they mean something only beside a 429.
/// Values are Go durations ("6m0s"), or seconds on Azure, where -1 and 0 mean nothing (WIRE 5.3).
std::optional<Duration> read_ratelimit_reset(const http::Headers& headers);

/// Go's time.Duration text: "12ms", "6m0s", "1h2m3.5s". Absent when malformed or over a year.
std::optional<Duration> parse_go_duration(std::string_view text);

/// "Sun, 06 Nov 1994 08:49:37 GMT", the one form RFC 9110 lets senders write. Absent for anything else.
std::optional<WallTime> parse_http_date(std::string_view text);

}  // namespace troupe::providers
