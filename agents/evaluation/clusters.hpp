// How well a grouping agrees with the right one: the scores of the disentanglement literature.
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace troupe::evaluation {

/// Which group each item is in, by item; the numbers mean nothing else.
using Labels = std::vector<std::size_t>;

struct ClusterScores {
  std::size_t items = 0;
  /// The share of items that agree when every found group is paired with at most one right group so that the
  /// most agree (Elsner, Charniak 2008: "one-to-one"). In [0, 1].
  double one_to_one = 0;
  /// 1 - VI / log2(items), VI being the variation of information in bits (Meila 2007), scaled as Kummerfeld
  /// et al. 2019 print it. In [0, 1], 1 is equal.
  double vi = 0;
  /// Groups found exactly, among those of at least two items (Kummerfeld et al. 2019).
  double exact_precision = 0, exact_recall = 0, exact_f1 = 0;
  /// Pairs of items that share a group on both sides.
  double pair_f1 = 0;
};

/// Both sides label the same items. All zero for none. The pairing takes time cubic in the number of groups:
/// a few hundred groups take some tens of milliseconds. Pure.
ClusterScores score_clusters(const Labels& right, const Labels& found);

/// Two files with items of their own as one: the labels of `more` are moved clear of those of `all`. The
/// one-to-one pairing of a whole cannot cross files, so its parts may be scored apart and added.
void append_labels(Labels& all, const Labels& more);

/// A link says "this item answers that one"; the later item first. A link to itself begins something.
using Links = std::vector<std::pair<std::size_t, std::size_t>>;
struct LinkScores {
  double precision = 0, recall = 0, f1 = 0;
};
LinkScores score_links(Links right, Links found);

}  // namespace troupe::evaluation
