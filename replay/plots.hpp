// Figures as SVG text: lines, stacked areas and strips of states over time.
#pragma once

#include <string>
#include <vector>

namespace troupe::replay {

/// A stretch of time to be shaded behind a plot.
struct PlotBand {
  double from = 0, to = 0;
  std::string label;
};
/// `values[i]` belongs to `times[i]`; not a number: a gap.
struct PlotLine {
  std::string label, colour;
  std::vector<double> times, values;
  bool strong = false;
};
struct PlotFrame {
  std::string title, unit;
  double from = 0, to = 1;
  bool log_scale = false;
  std::vector<PlotBand> bands;
};
/// Widths are in the SVG's own units, which scale with the page.
std::string line_plot(const PlotFrame& frame, const std::vector<PlotLine>& lines);
/// Lines on top of one another, the first at the bottom.
std::string stacked_plot(const PlotFrame& frame, const std::vector<PlotLine>& lines);

/// One stretch in one state.
struct StripPart {
  double from = 0, to = 0;
  std::string css_class, hint;
  double opacity = 1;
};
struct Strip {
  std::string label;
  std::vector<StripPart> parts;
};
std::string strip_plot(const PlotFrame& frame, const std::vector<Strip>& strips);

/// For text and attributes.
std::string html_escape(std::string_view text);
/// "1m30s" on an axis: "0", "10 min", "2 h".
std::string axis_time(double seconds);

}  // namespace troupe::replay
