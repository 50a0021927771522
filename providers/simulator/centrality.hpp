// How central each line is to the whole: a ranking over shared words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace troupe::providers::simulator {

/// TF-IDF vectors of lines, of length one, and what follows from them. Immutable once made.
class Centrality {
 public:
  /// `query` pulls the ranking toward lines that share words with it; empty: no pull.
  Centrality(const std::vector<std::vector<std::string>>& lines, const std::vector<std::string>& query);

  /// Cosine of two lines, in [0, 1].
  double similarity(std::size_t a, std::size_t b) const;
  /// Continuous LexRank (Erkan, Radev 2004: PageRank over the cosine graph, after TextRank by Mihalcea, Tarau
  /// 2004) with the query as the teleport distribution (Otterbacher, Erkan, Radev 2005), damping 0.85, at
  /// most 30 steps. 1 is the average line. Lines further apart than 200 are not compared, which bounds the
  /// work.
  const std::vector<double>& rank() const { return rank_; }

 private:
  using Vector = std::vector<std::pair<std::uint32_t, double>>;  // by term, ascending
  static double dot(const Vector& a, const Vector& b);
  void walk(const std::vector<double>& teleport);

  std::vector<Vector> vectors_;
  std::vector<double> rank_;
};

}  // namespace troupe::providers::simulator
