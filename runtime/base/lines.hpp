// A text line by line.
#pragma once

#include <algorithm>
#include <string_view>

namespace troupe {

/// The first line of `rest` without its end; `rest` is then what follows. For loops that end when it is
/// empty.
inline std::string_view take_line(std::string_view& rest) {
  auto line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  return line;
}

}  // namespace troupe
