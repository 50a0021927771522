#include "runtime/tools/near_copies.hpp"

#include "runtime/tools/words.hpp"

#include <algorithm>
#include <cstdint>
#include <unordered_set>

namespace troupe::tools {
namespace {

// Two passages of the research set that are not copies share less than a tenth of their shingles.
constexpr double kCopyOverlapMin = 0.4;
constexpr double kAuthorityGap = 0.1, kStuffingGap = 0.05;

struct Shape {
  Likeness of;
  std::vector<std::uint64_t> shingles;
  std::size_t query_words = 0;
};

/// Is there a reason to prefer `b` to its near copy `a`?
bool clearly_better(const Shape& b, const Shape& a) {
  if (b.of.authority - a.of.authority >= kAuthorityGap) return true;
  if (a.of.authority - b.of.authority >= kAuthorityGap) return false;
  if (a.of.stuffing - b.of.stuffing >= kStuffingGap) return true;
  if (b.of.stuffing - a.of.stuffing >= kStuffingGap) return false;
  return a.query_words >= b.query_words + b.query_words / 2 + 2;
}

Shape shape_of(const Likeness& text, const std::unordered_set<std::string_view>& query) {
  auto words = words_of(text.text);
  Shape out{text, shingles(words), 0};
  auto asked = [&](const std::string& word) { return query.contains(word); };
  out.query_words = static_cast<std::size_t>(std::ranges::count_if(words, asked));
  for (const auto& word : words_of(text.title)) out.query_words += asked(word);
  return out;
}

}  // namespace

std::vector<bool> inferior_copies(const std::vector<Likeness>& texts, std::size_t judged,
                                  const std::vector<std::string>& query) {
  std::unordered_set<std::string_view> asked(query.begin(), query.end());
  std::vector<Shape> shapes;
  for (const auto& text : texts) shapes.push_back(shape_of(text, asked));
  std::vector<bool> out(judged, false);
  for (std::size_t a = 0; a < judged; ++a)
    out[a] = std::ranges::any_of(shapes, [&](const Shape& b) {
      return &b != &shapes[a] && clearly_better(b, shapes[a]) &&
             overlap(shapes[a].shingles, b.shingles) >= kCopyOverlapMin;
    });
  return out;
}

}  // namespace troupe::tools
