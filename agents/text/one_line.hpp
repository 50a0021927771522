// Text as one line of at most so many bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe::text {

/// White space and control bytes folded to single blanks, cut to `bytes_max` at a character.
std::string one_line(std::string_view text, std::size_t bytes_max = 4096);

}  // namespace troupe::text
