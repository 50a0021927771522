// What benchmarks print: one line a figure, NAME VALUE UNIT, and beside it how far the repetitions lie apart.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::bench {

/// The value below which `share` of them lie; 0 of none.
inline double quantile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  auto at = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1) + 0.5);
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(at));
  return values[at];
}
inline double median(std::vector<double> values) { return quantile(values, 0.5); }

inline void print(std::string_view name, double value, std::string_view unit) {
  fmt::print("{} {:.3f} {}\n", name, value, unit);
  std::fflush(stdout);
}

/// Median, minimum and maximum: for repetitions of one measurement.
inline void print_repeated(const std::string& name, std::vector<double> values, std::string_view unit) {
  print(name, quantile(values, 0.5), unit);
  print(name + ".min", std::ranges::min(values), unit);
  print(name + ".max", std::ranges::max(values), unit);
}

/// Median and the given quantiles, as ".p90": for many single events.
inline void print_spread(const std::string& name, std::vector<double> values, std::vector<double> shares,
                         std::string_view unit) {
  print(name, quantile(values, 0.5), unit);
  for (double share : shares)
    print(fmt::format("{}.p{:g}", name, share * 100), quantile(values, share), unit);
}

/// A mean and the 95 % interval around it, both times `times`. `Interval` has them as mean, low and high.
template <class Interval>
void print_with_interval(const std::string& name, const Interval& value, std::string_view unit,
                         double times = 1) {
  print(name, times * value.mean, unit);
  print(name + ".low95", times * value.low, unit);
  print(name + ".high95", times * value.high, unit);
}

/// Does the filter of the command line ask for the benchmark `name`? Its figures begin with that word.
inline bool wanted(int argc, char** argv, std::string_view name) {
  return argc < 2 || std::string_view(argv[1]).empty() || name.starts_with(argv[1]) ||
         std::string_view(argv[1]).starts_with(name);
}

}  // namespace troupe::bench
