// Cutting UTF-8 without halving a character.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace troupe {

/// The largest position <= `at` that begins a character of valid UTF-8, or the end.
inline std::size_t whole_character(std::string_view text, std::size_t at) {
  at = std::min(at, text.size());
  while (at > 0 && at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) --at;
  return at;
}

/// The whole characters of its first `bytes_max` bytes.
inline std::string_view cut_to(std::string_view text, std::size_t bytes_max) {
  return text.substr(0, whole_character(text, bytes_max));
}
inline void cut_to(std::string& text, std::size_t bytes_max) {
  text.resize(whole_character(text, bytes_max));
}

}  // namespace troupe
