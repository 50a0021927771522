// The times that JSON and headers carry.
#pragma once

#include <troupe/time.hpp>

#include <optional>
#include <string_view>

namespace troupe::providers {

/// "2015-08-30T18:36:00Z", offsets and fractions included (RFC 3339); a fraction is dropped. Absent for
/// anything else.
std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace troupe::providers
