// How much each piece of text says of what the whole is about.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::summary {

/// Lower-case words of at least three bytes that carry meaning, in order: links, numbers and the commonest
/// English words are left out; bytes above ASCII are letters, so other scripts have words too.
std::vector<std::string> meaning_words(std::string_view text);

/// Pieces as TF-IDF vectors of length one, and their rank. Immutable once made.
class Salience {
 public:
  /// A word's number and its weight, by number.
  using Vector = std::vector<std::pair<std::uint32_t, double>>;

  /// Continuous LexRank (Erkan, Radev 2004): the stationary share of a walk over the pieces by cosine,
  /// damping 0.85, 30 steps at most. The cosine matrix is never made: it is the vectors times their
  /// transpose, so a step costs the words of the text and not the square of its pieces, and no piece is too
  /// far from another to count. A query pulls the walk toward what shares its words (Otterbacher, Erkan,
  /// Radev 2005).
  Salience(const std::vector<std::vector<std::string>>& pieces, const std::vector<std::string>& query);

  /// By piece; 1 is the average. A piece without words has what the walk gives everybody.
  const std::vector<double>& rank() const { return rank_; }
  const Vector& vector(std::size_t piece) const { return vectors_[piece]; }
  std::size_t words() const { return words_; }

 private:
  void walk(const std::vector<double>& toward);

  std::vector<Vector> vectors_;
  std::vector<double> rank_;
  std::size_t words_ = 0;
};

}  // namespace troupe::summary
