#include "runtime/tools/passages.hpp"

#include "runtime/base/characters.hpp"

#include <algorithm>

namespace troupe::tools {
namespace {

constexpr std::string_view kPassageSpace = " \t\r\n\f\v";

/// Just after the last `mark` that ends in [from, to); 0 when there is none.
std::size_t after_last(std::string_view text, std::string_view mark, std::size_t from, std::size_t to) {
  auto found = text.substr(0, to).rfind(mark);
  if (found == std::string_view::npos || found + mark.size() <= from) return 0;
  return found + mark.size();
}

std::size_t end_of_passage(std::string_view text, std::size_t start, std::size_t bytes_max) {
  if (text.size() - start <= bytes_max) return text.size();
  std::size_t to = start + bytes_max, from = start + bytes_max / 2;
  for (std::string_view mark : {"\n\n", "\n", ". ", "? ", "! ", " "})
    if (auto end = after_last(text, mark, from, to)) return end;
  return std::max(whole_character(text, to), start + 1);
}

}  // namespace

std::vector<Stretch> passages_of(std::string_view text, std::size_t bytes_max) {
  bytes_max = std::max<std::size_t>(bytes_max, 16);
  std::vector<Stretch> out;
  std::size_t at = text.find_first_not_of(kPassageSpace);
  while (at != std::string_view::npos) {
    auto next = end_of_passage(text, at, bytes_max);
    auto last = text.substr(0, next).find_last_not_of(kPassageSpace);
    out.push_back({at, last + 1});
    at = text.find_first_not_of(kPassageSpace, next);
  }
  return out;
}

}  // namespace troupe::tools
