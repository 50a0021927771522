#include "runtime/policy/difficulty_fit.hpp"

#include "runtime/base/rng.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::policy {
namespace {

constexpr std::size_t kTextsMin = 100;
constexpr std::size_t kWeights = text_figure_count + 1;
using Weights = std::array<double, kWeights>;

/// The figures standardised, behind a 1 for the intercept; the outcome.
struct FitRow {
  Weights x;
  bool hard = false;
};

struct NewtonStep {
  Weights gradient{};
  std::array<Weights, kWeights> curvature{};
};

void standardise(std::vector<FitRow>& rows, DifficultyModel& model) {
  auto n = static_cast<double>(rows.size());
  for (std::size_t i = 0; i < text_figure_count; ++i) {
    double sum = 0, squares = 0;
    for (const auto& row : rows) sum += row.x[i + 1];
    auto& term = model.terms[i];
    term.mean = sum / n;
    for (const auto& row : rows) squares += (row.x[i + 1] - term.mean) * (row.x[i + 1] - term.mean);
    term.deviation = std::sqrt(squares / n);
    // A figure that is the same in all texts says nothing.
    if (!(term.deviation > 1e-9)) term.deviation = 1;
    for (auto& row : rows) row.x[i + 1] = (row.x[i + 1] - term.mean) / term.deviation;
  }
}

NewtonStep newton_step(const std::vector<FitRow>& rows, const Weights& weights, double ridge) {
  NewtonStep step;
  for (const auto& row : rows) {
    double odds = 0;
    for (std::size_t i = 0; i < kWeights; ++i) odds += weights[i] * row.x[i];
    double chance = 1 / (1 + std::exp(-std::clamp(odds, -30.0, 30.0)));
    double off = (row.hard ? 1 : 0) - chance, spread = chance * (1 - chance) + 1e-9;
    for (std::size_t i = 0; i < kWeights; ++i) {
      step.gradient[i] += off * row.x[i];
      for (std::size_t j = 0; j < kWeights; ++j) step.curvature[i][j] += spread * row.x[i] * row.x[j];
    }
  }
  for (std::size_t i = 1; i < kWeights; ++i) {
    step.gradient[i] -= ridge * weights[i];
    step.curvature[i][i] += ridge;
  }
  return step;
}

// Gauss without pivoting: the matrix is symmetric and positive, by the ridge beyond doubt.
Weights solved(NewtonStep step) {
  auto& a = step.curvature;
  auto& b = step.gradient;
  for (std::size_t i = 0; i < kWeights; ++i)
    for (std::size_t row = i + 1; row < kWeights; ++row) {
      double factor = a[row][i] / a[i][i];
      for (std::size_t j = i; j < kWeights; ++j) a[row][j] -= factor * a[i][j];
      b[row] -= factor * b[i];
    }
  Weights out{};
  for (std::size_t i = kWeights; i-- > 0;) {
    double rest = b[i];
    for (std::size_t j = i + 1; j < kWeights; ++j) rest -= a[i][j] * out[j];
    out[i] = rest / a[i][i];
  }
  return out;
}

std::vector<FitRow> fit_rows(std::span<const JudgedText> texts) {
  std::vector<FitRow> rows;
  for (const auto& each : texts) {
    auto figures = text_figures(each.text);
    FitRow row{{1}, each.strong_right && !each.weak_right};
    std::ranges::copy(figures, row.x.begin() + 1);
    rows.push_back(row);
  }
  return rows;
}

Weights fitted(const std::vector<FitRow>& rows, double ridge) {
  constexpr int steps_max = 50;
  Weights weights{};
  for (int i = 0; i < steps_max; ++i) {
    auto step = solved(newton_step(rows, weights, ridge));
    double largest = 0;
    for (std::size_t k = 0; k < kWeights; ++k) {
      weights[k] += step[k];
      largest = std::max(largest, std::abs(step[k]));
    }
    if (largest < 1e-9) break;
  }
  return weights;
}

void set_quantiles(DifficultyModel& model, std::span<const JudgedText> texts) {
  std::vector<double> all;
  for (const auto& each : texts) all.push_back(difficulty_of(model, each.text));
  std::ranges::sort(all);
  for (std::size_t i = 0; i <= 100; ++i)
    model.quantiles.push_back(all[std::min(i * all.size() / 100, all.size() - 1)]);
}

template <class Figure>
Interval interval_of(double estimate, std::size_t n, const Resampling& by, const Figure& figure) {
  Rng rng(by.seed);
  std::vector<double> values;
  std::vector<std::uint32_t> counts(n);
  // One without a gap is drawn again, though not for ever.
  for (std::uint64_t tries = 0; values.size() < by.resamples && tries < 2ULL * by.resamples; ++tries) {
    std::ranges::fill(counts, 0);
    for (std::size_t i = 0; i < n; ++i) ++counts[rng.below(n)];
    if (auto value = figure(counts)) values.push_back(*value);
  }
  if (values.empty()) return {estimate, -1, 1};
  std::ranges::sort(values);
  auto quantile = [&](double p) {
    return values[static_cast<std::size_t>(p * static_cast<double>(values.size() - 1))];
  };
  return {estimate, quantile(0.025), quantile(0.975)};
}

double gain_of(const JudgedChoice& each) { return (each.strong_right ? 1 : 0) - (each.weak_right ? 1 : 0); }

}  // namespace

Result<DifficultyModel> fit_difficulty(std::span<const JudgedText> texts, double ridge) {
  auto rows = fit_rows(texts);
  auto hard = static_cast<std::size_t>(std::ranges::count(rows, true, &FitRow::hard));
  if (rows.size() < kTextsMin || hard == 0 || hard == rows.size())
    return fail(Errc::invalid_input,
                "a model needs at least 100 judged texts, with and without need of the strong model");
  DifficultyModel model;
  standardise(rows, model);
  auto weights = fitted(rows, ridge);
  model.intercept = weights[0];
  for (std::size_t i = 0; i < text_figure_count; ++i) model.terms[i].weight = weights[i + 1];
  set_quantiles(model, texts);
  return model;
}

ChoiceCurve::ChoiceCurve(std::vector<JudgedChoice> choices) {
  for (std::size_t i = 0; i < choices.size(); ++i) choices_.push_back({choices[i], i});
  std::ranges::stable_sort(
      choices_, [](const Placed& a, const Placed& b) { return a.choice.difficulty > b.choice.difficulty; });
  resample({});
}

bool ChoiceCurve::resample(std::span<const std::uint32_t> counts) {
  auto count_of = [&](const Placed& each) { return counts.empty() ? 1U : counts[each.given]; };
  curve_.assign(1, 0);
  double gained = 0;
  for (auto it = choices_.begin(); it != choices_.end();) {
    // Those of equal difficulty, as one.
    double gain = 0, alike = it->choice.difficulty;
    std::uint32_t calls = 0;
    for (; it != choices_.end() && it->choice.difficulty == alike; ++it) {
      gain += gain_of(it->choice) * count_of(*it);
      calls += count_of(*it);
    }
    for (std::uint32_t k = 1; k <= calls; ++k) curve_.push_back(gained + gain * k / calls);
    gained += gain;
  }
  if (gained == 0) return false;
  for (double& each : curve_) each /= gained;
  return true;
}

double ChoiceCurve::recovered(double strong_share) const {
  double place = std::clamp(strong_share, 0.0, 1.0) * static_cast<double>(curve_.size() - 1);
  auto below = static_cast<std::size_t>(place);
  auto above = std::min(below + 1, curve_.size() - 1);
  return curve_[below] + (curve_[above] - curve_[below]) * (place - static_cast<double>(below));
}

double ChoiceCurve::area() const {
  double sum = 0;
  for (std::size_t i = 1; i < curve_.size(); ++i) sum += (curve_[i - 1] + curve_[i]) / 2;
  return sum / static_cast<double>(curve_.size() - 1);
}

double ChoiceCurve::share_for(double part) const {
  for (std::size_t i = 0; i < curve_.size(); ++i)
    if (curve_[i] >= part) return static_cast<double>(i) / static_cast<double>(curve_.size() - 1);
  return 1;
}

double oracle_recovered(std::span<const JudgedChoice> choices, double strong_share) {
  double gap = 0;
  std::size_t needed = 0;
  for (const auto& each : choices) {
    gap += gain_of(each);
    needed += each.strong_right && !each.weak_right ? 1 : 0;
  }
  auto calls = strong_share * static_cast<double>(choices.size());
  return std::min(calls, static_cast<double>(needed)) / gap;
}

Interval bootstrap_choice(const ChoiceCurve& curve, CurveFigure figure, double at, Resampling by) {
  auto drawn = curve;
  return interval_of(figure(curve, at), curve.size(), by, [&](std::span<const std::uint32_t> counts) {
    return drawn.resample(counts) ? std::optional(figure(drawn, at)) : std::nullopt;
  });
}

Interval bootstrap_difference(const ChoiceCurve& a, const ChoiceCurve& b, CurveFigure figure, double at,
                              Resampling by) {
  auto drawn_a = a, drawn_b = b;
  auto estimate = figure(a, at) - figure(b, at);
  return interval_of(estimate, a.size(), by, [&](std::span<const std::uint32_t> counts) {
    bool gap = drawn_a.resample(counts) && drawn_b.resample(counts);
    return gap ? std::optional(figure(drawn_a, at) - figure(drawn_b, at)) : std::nullopt;
  });
}

}  // namespace troupe::policy
