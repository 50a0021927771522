// From what several queries found to one list: fused by ranks, titles weighed, copies left out.
#pragma once

#include "agents/research/evidence.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace troupe::search {

/// Chosen on one half of a public set of questions (bench/search_bench.cpp): what of the query stands in a
/// document says more there than where each query ranks it.
struct RankPolicy {
  /// Reciprocal rank fusion (Cormack, Clarke and Büttcher 2009): a list adds weight / (k + rank).
  double k = 5;
  /// Of the lists of variants; the core's list has weight 1.
  double variant_weight = 0.75;
  /// What a document whose title (or address) holds all of the query's words gains, ranks adding up to at
  /// most 1; and one whose passage does.
  double title_weight = 3.2, address_weight = 3.2, text_weight = 6.4;
  /// A passage that shares more than this of its words and pairs of words with a better one is its copy; 1:
  /// none ever is.
  double copy_min = 0.8;
};

/// Documents that each query may bring.
inline constexpr int kFoundByQuery = 40;

/// What one query found, best first: positions among the passages.
struct FoundList {
  std::string query;
  bool core = false;
  std::vector<std::size_t> passages;
};

/// One document, with the passages of it that were found (the best first, at most three).
struct RankedDocument {
  std::string doc;
  double score = 0;
  std::vector<std::size_t> passages;
};

/// Documents best first, at most `documents_max`; ties go to what was found first. Word weights are
/// estimated from what was found, so only from what the asker may read. Pure.
std::vector<RankedDocument> rank_found(std::span<const FoundList> lists,
                                       std::span<const research::Passage> passages, const RankPolicy& policy,
                                       std::size_t documents_max);

}  // namespace troupe::search
