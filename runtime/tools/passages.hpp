// Cuts a text into passages short enough to quote.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace troupe::tools {

/// Bytes [start, end) of a text.
struct Stretch {
  std::size_t start = 0, end = 0;
  friend bool operator==(const Stretch&, const Stretch&) = default;
};

/// Consecutive stretches of at most `bytes_max` (at least 16), which together hold all of the text but white
/// space between them; none is empty. Each ends at a paragraph, a line, a sentence or a word, whichever comes
/// first in this order in the second half of its room, and always on a whole character.
std::vector<Stretch> passages_of(std::string_view text, std::size_t bytes_max);

}  // namespace troupe::tools
