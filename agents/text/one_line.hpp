// Text as one line of at most so many bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe::text {

/// White space and control bytes folded to single blanks, cut to `bytes_max` at a character.
std::string one_line(std::string_view text, std::size_t bytes_max = 4096);

/// Cut at so much above a bound, a text that exceeds the bound still does: a character has at most four
/// bytes.
inline constexpr std::size_t kOverBound = 4;

}  // namespace troupe::text
