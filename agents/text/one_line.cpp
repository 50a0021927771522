#include "agents/text/one_line.hpp"

#include "runtime/base/characters.hpp"

namespace troupe::text {

std::string one_line(std::string_view text, std::size_t bytes_max) {
  std::string out;
  for (unsigned char c : text) {
    bool space = c <= 0x20 || c == 0x7f;
    if (space && (out.empty() || out.back() == ' ')) continue;
    out += space ? ' ' : static_cast<char>(c);
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  cut_to(out, bytes_max);
  return out;
}

}  // namespace troupe::text
