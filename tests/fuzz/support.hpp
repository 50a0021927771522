// What the fuzz targets share: reading an input piece by piece, cutting it, and saying what must hold.
#pragma once

#include "runtime/base/rng.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::fuzz {

/// One input against one target. Dies (abort) where a property does not hold; otherwise says nothing.
using Target = void (*)(std::string_view input);

/// A property of the code under test. Its breach ends the program, as a crash would, so that the input is
/// kept.
inline void require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", property);
  std::abort();
}

/// Reads an input from its front. Numbers are digits ('0' is 0) so that corpora can be written by hand.
class Input {
 public:
  explicit Input(std::string_view bytes) : left_(bytes) {}
  /// In [0, below); 0 when nothing is left.
  unsigned number(unsigned below) {
    if (left_.empty()) return 0;
    auto byte = static_cast<unsigned char>(left_.front());
    left_.remove_prefix(1);
    return static_cast<unsigned char>(byte - '0') % below;
  }
  /// Up to the next `end`, which is dropped; all that is left when there is none.
  std::string_view until(char end) {
    auto at = std::min(left_.find(end), left_.size());
    auto piece = left_.substr(0, at);
    left_.remove_prefix(std::min(at + 1, left_.size()));
    return piece;
  }
  std::string_view line() { return until('\n'); }
  std::string_view take(std::size_t n) {
    auto piece = left_.substr(0, n);
    left_.remove_prefix(piece.size());
    return piece;
  }
  std::string_view rest() { return take(left_.size()); }
  bool empty() const { return left_.empty(); }

 private:
  std::string_view left_;
};

/// `bytes` in pieces of random sizes, some of them empty or single bytes.
inline std::vector<std::string_view> pieces_of(std::string_view bytes, std::uint64_t seed) {
  Rng rng(seed);
  auto most = std::uint64_t{1} << rng.below(9);
  std::vector<std::string_view> pieces;
  while (!bytes.empty()) {
    pieces.push_back(bytes.substr(0, rng.below(most + 1)));
    bytes.remove_prefix(pieces.back().size());
  }
  return pieces;
}

/// No CR, LF, NUL or other control: such a text can stand in a header without making another.
inline bool is_header_safe(std::string_view text) {
  return std::ranges::none_of(text, [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; });
}

}  // namespace troupe::fuzz
