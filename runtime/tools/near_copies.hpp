// Finds hits that are near copies of a better one, so that a stuffed copy does not stand for its original
// (M8).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::tools {

/// A hit as its likeness to others is judged.
struct Likeness {
  std::string_view title, text;
  double authority = 0.5, stuffing = 0;
};

/// For each of the first `judged` texts: is it a near copy of another of them all that there is a reason to
/// prefer? The reasons: clearly more trusted, clearly less stuffed, or naming the query's words clearly less
/// often for the same content. Without a reason both stay: a copy cannot push its original out. Takes
/// judged x texts.
std::vector<bool> inferior_copies(const std::vector<Likeness>& texts, std::size_t judged,
                                  const std::vector<std::string>& query);

}  // namespace troupe::tools
