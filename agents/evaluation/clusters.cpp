// The table of overlaps, and what is read off it.
#include "agents/evaluation/clusters.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

namespace troupe::evaluation {
namespace {

using Overlaps = std::map<std::pair<std::size_t, std::size_t>, std::size_t>;
using Sizes = std::map<std::size_t, std::size_t>;

double harmonic(double a, double b) { return a + b > 0 ? 2 * a * b / (a + b) : 0; }

// The Hungarian method with potentials (Kuhn 1955, Munkres 1957; the form with one row added at a time).
// Costs are negated overlaps; rows <= columns. One object per matrix.
class Assignment {
 public:
  explicit Assignment(const std::vector<std::vector<double>>& cost)
      : cost_(cost), rows_(cost.size()), columns_(cost.empty() ? 0 : cost.front().size()) {}

  double least() {
    row_price_.assign(rows_ + 1, 0);
    column_price_.assign(columns_ + 1, 0);
    row_of_.assign(columns_ + 1, 0);
    for (std::size_t row = 1; row <= rows_; ++row) add_row(row);
    double sum = 0;
    for (std::size_t column = 1; column <= columns_; ++column)
      if (row_of_[column] != 0) sum += cost_[row_of_[column] - 1][column - 1];
    return sum;
  }

 private:
  void add_row(std::size_t row) {
    row_of_[0] = row;
    std::vector<double> slack(columns_ + 1, std::numeric_limits<double>::infinity());
    std::vector<bool> used(columns_ + 1, false);
    std::vector<std::size_t> way(columns_ + 1, 0);
    std::size_t column = 0;
    while (row_of_[column] != 0) {
      used[column] = true;
      column = advance(column, slack, used, way);
    }
    for (; column != 0; column = way[column]) row_of_[column] = row_of_[way[column]];
  }

  std::size_t advance(std::size_t from, std::vector<double>& slack, const std::vector<bool>& used,
                      std::vector<std::size_t>& way) {
    auto row = row_of_[from];
    std::size_t next = 0;
    double delta = std::numeric_limits<double>::infinity();
    for (std::size_t column = 1; column <= columns_; ++column) {
      if (used[column]) continue;
      auto reduced = cost_[row - 1][column - 1] - row_price_[row] - column_price_[column];
      if (reduced < slack[column]) {
        slack[column] = reduced;
        way[column] = from;
      }
      if (slack[column] < delta) {
        delta = slack[column];
        next = column;
      }
    }
    shift_prices(delta, slack, used);
    return next;
  }

  void shift_prices(double delta, std::vector<double>& slack, const std::vector<bool>& used) {
    for (std::size_t column = 0; column <= columns_; ++column) {
      if (used[column]) {
        row_price_[row_of_[column]] += delta;
        column_price_[column] -= delta;
      } else {
        slack[column] -= delta;
      }
    }
  }

  const std::vector<std::vector<double>>& cost_;
  std::size_t rows_, columns_;
  std::vector<double> row_price_, column_price_;
  std::vector<std::size_t> row_of_;
};

double most_agreeing(const Overlaps& overlaps, const Sizes& right, const Sizes& found) {
  std::map<std::size_t, std::size_t> row, column;
  for (const auto& [label, size] : right) row.emplace(label, row.size());
  for (const auto& [label, size] : found) column.emplace(label, column.size());
  bool turn = row.size() > column.size();
  std::vector<std::vector<double>> cost(std::min(row.size(), column.size()),
                                        std::vector<double>(std::max(row.size(), column.size()), 0));
  for (const auto& [labels, count] : overlaps) {
    auto r = row[labels.first];
    auto c = column[labels.second];
    (turn ? cost[c][r] : cost[r][c]) = -static_cast<double>(count);
  }
  return -Assignment(cost).least();
}

double scaled_vi(const Overlaps& overlaps, const Sizes& right, const Sizes& found, double items) {
  if (items < 2) return 1;
  double bits = 0;
  for (const auto& [labels, count] : overlaps) {
    auto both = static_cast<double>(count);
    auto r = static_cast<double>(right.at(labels.first));
    auto f = static_cast<double>(found.at(labels.second));
    bits -= both / items * (std::log2(both / r) + std::log2(both / f));
  }
  return 1 - bits / std::log2(items);
}

double pairs_in(std::size_t size) { return static_cast<double>(size) * (static_cast<double>(size) - 1) / 2; }

void add_exact(ClusterScores& out, const Overlaps& overlaps, const Sizes& right, const Sizes& found) {
  auto of_two = [](const auto& entry) { return entry.second > 1; };
  auto wanted = static_cast<double>(std::ranges::count_if(right, of_two));
  auto given = static_cast<double>(std::ranges::count_if(found, of_two));
  double exact = 0;
  for (const auto& [labels, count] : overlaps)
    exact += count > 1 && count == right.at(labels.first) && count == found.at(labels.second) ? 1 : 0;
  out.exact_precision = given > 0 ? exact / given : 0;
  out.exact_recall = wanted > 0 ? exact / wanted : 0;
  out.exact_f1 = harmonic(out.exact_precision, out.exact_recall);
}

}  // namespace

ClusterScores score_clusters(const Labels& right, const Labels& found) {
  ClusterScores out;
  out.items = std::min(right.size(), found.size());
  if (out.items == 0) return out;
  Overlaps overlaps;
  Sizes right_sizes, found_sizes;
  for (std::size_t i = 0; i < out.items; ++i) {
    ++overlaps[{right[i], found[i]}];
    ++right_sizes[right[i]];
    ++found_sizes[found[i]];
  }
  auto items = static_cast<double>(out.items);
  out.one_to_one = most_agreeing(overlaps, right_sizes, found_sizes) / items;
  out.vi = scaled_vi(overlaps, right_sizes, found_sizes, items);
  add_exact(out, overlaps, right_sizes, found_sizes);
  double both = 0, right_pairs = 0, found_pairs = 0;
  for (const auto& [labels, count] : overlaps) both += pairs_in(count);
  for (const auto& [label, size] : right_sizes) right_pairs += pairs_in(size);
  for (const auto& [label, size] : found_sizes) found_pairs += pairs_in(size);
  out.pair_f1 = right_pairs + found_pairs > 0 ? 2 * both / (right_pairs + found_pairs) : 1;
  return out;
}

void append_labels(Labels& all, const Labels& more) {
  auto clear = all.empty() ? 0 : *std::ranges::max_element(all) + 1;
  for (auto label : more) all.push_back(clear + label);
}

LinkScores score_links(Links right, Links found) {
  std::set<std::pair<std::size_t, std::size_t>> wanted(right.begin(), right.end());
  std::set<std::pair<std::size_t, std::size_t>> given(found.begin(), found.end());
  double both = 0;
  for (const auto& link : given) both += wanted.contains(link) ? 1 : 0;
  LinkScores out;
  if (!given.empty()) out.precision = both / static_cast<double>(given.size());
  if (!wanted.empty()) out.recall = both / static_cast<double>(wanted.size());
  out.f1 = harmonic(out.precision, out.recall);
  return out;
}

}  // namespace troupe::evaluation
