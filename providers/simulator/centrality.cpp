// TF-IDF vectors and the power method over their cosine graph.
#include "providers/simulator/centrality.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <unordered_map>

namespace troupe::providers::simulator {
namespace {

constexpr std::size_t kReach = 200;
constexpr double kDamping = 0.85;
constexpr double kEdgeMin = 0.05;
constexpr int kStepsMax = 30;
constexpr double kChangeMax = 1e-6;

struct Edge {
  std::uint32_t from, to;
  double weight;
};

void make_unit(std::vector<std::pair<std::uint32_t, double>>& vector) {
  double square = 0;
  for (const auto& [term, weight] : vector) square += weight * weight;
  for (auto& [term, weight] : vector) weight /= std::sqrt(square);
}

// Only pairs that share a word are touched: each line adds its weights along the postings of its words.
std::vector<Edge> edges_within_reach(
    const std::vector<std::vector<std::pair<std::uint32_t, double>>>& vectors) {
  std::vector<Edge> edges;
  std::unordered_map<std::uint32_t, std::deque<std::pair<std::uint32_t, double>>> postings;
  std::vector<double> sums(vectors.size(), 0.0);
  std::vector<std::uint32_t> touched;
  for (std::uint32_t i = 0; i < vectors.size(); ++i) {
    touched.clear();
    for (const auto& [term, weight] : vectors[i]) {
      auto& lines = postings[term];
      while (!lines.empty() && i - lines.front().first > kReach) lines.pop_front();
      for (const auto& [j, other] : lines) {
        if (sums[j] == 0) touched.push_back(j);
        sums[j] += weight * other;
      }
      lines.emplace_back(i, weight);
    }
    std::ranges::sort(touched);
    for (auto j : touched) {
      if (sums[j] >= kEdgeMin) edges.push_back({j, i, sums[j]});
      sums[j] = 0;
    }
  }
  return edges;
}

}  // namespace

Centrality::Centrality(const std::vector<std::vector<std::string>>& lines,
                       const std::vector<std::string>& query) {
  std::unordered_map<std::string, std::uint32_t> terms;
  std::vector<std::map<std::uint32_t, int>> counts(lines.size());
  std::vector<int> lines_with;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    for (const auto& word : lines[i]) {
      auto term = terms.try_emplace(word, static_cast<std::uint32_t>(terms.size())).first->second;
      if (term == lines_with.size()) lines_with.push_back(0);
      if (++counts[i][term] == 1) ++lines_with[term];
    }
  }
  auto idf = [&](std::uint32_t term) {
    return std::log(1.0 + static_cast<double>(lines.size()) / lines_with[term]);
  };
  vectors_.resize(lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    for (auto [term, count] : counts[i]) vectors_[i].emplace_back(term, (1 + std::log(count)) * idf(term));
    make_unit(vectors_[i]);
  }
  std::map<std::uint32_t, double> asked;
  for (const auto& word : query) {
    if (auto it = terms.find(word); it != terms.end()) asked[it->second] = idf(it->second);
  }
  Vector wanted(asked.begin(), asked.end());
  make_unit(wanted);
  std::vector<double> teleport(lines.size(), 1.0);
  for (std::size_t i = 0; i < lines.size(); ++i) teleport[i] += 20 * dot(vectors_[i], wanted);
  walk(teleport);
}

double Centrality::dot(const Vector& a, const Vector& b) {
  double sum = 0;
  auto x = a.begin();
  auto y = b.begin();
  while (x != a.end() && y != b.end()) {
    if (x->first == y->first) sum += x->second * y->second;
    bool step_x = x->first <= y->first;
    bool step_y = y->first <= x->first;
    if (step_x) ++x;
    if (step_y) ++y;
  }
  return sum;
}

double Centrality::similarity(std::size_t a, std::size_t b) const { return dot(vectors_[a], vectors_[b]); }

void Centrality::walk(const std::vector<double>& teleport) {
  auto n = vectors_.size();
  auto edges = edges_within_reach(vectors_);
  std::vector<double> out_weight(n, 0.0);
  for (const auto& edge : edges) {
    out_weight[edge.from] += edge.weight;
    out_weight[edge.to] += edge.weight;
  }
  double total = 0;
  for (double share : teleport) total += share;
  rank_.assign(n, 1.0);
  for (int step = 0; step < kStepsMax; ++step) {
    std::vector<double> next(n, 0.0);
    for (const auto& edge : edges) {
      next[edge.to] += rank_[edge.from] * edge.weight / out_weight[edge.from];
      next[edge.from] += rank_[edge.to] * edge.weight / out_weight[edge.to];
    }
    double change = 0;
    for (std::size_t i = 0; i < n; ++i) {
      next[i] = kDamping * next[i] + (1 - kDamping) * teleport[i] / total * static_cast<double>(n);
      change = std::max(change, std::abs(next[i] - rank_[i]));
    }
    rank_ = std::move(next);
    if (change < kChangeMax) break;
  }
}

}  // namespace troupe::providers::simulator
