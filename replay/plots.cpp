#include "replay/plots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe::replay {
namespace {

constexpr double kWidth = 1080, kHeight = 230, kLeft = 64, kRight = 14, kTop = 26, kBottom = 26;
constexpr double kStripHeight = 20, kStripGap = 6, kStripLeft = 190;

// From data to the picture.
struct Scale {
  double x_from = 0, x_to = 1, y_from = 0, y_to = 1, left = kLeft, height = kHeight;
  bool log = false;
  double x(double t) const { return left + (t - x_from) / (x_to - x_from) * (kWidth - left - kRight); }
  double y(double v) const {
    double part = log ? std::log(std::max(v, y_from) / y_from) / std::log(y_to / y_from)
                      : (v - y_from) / (y_to - y_from);
    return height - kBottom - std::clamp(part, 0.0, 1.0) * (height - kTop - kBottom);
  }
};

double nice_step(double span, double wanted) {
  double raw = std::max(span / wanted, 1e-12);
  double unit = std::pow(10, std::floor(std::log10(raw)));
  for (double m : {1.0, 2.0, 5.0, 10.0})
    if (m * unit >= raw) return m * unit;
  return 10 * unit;
}

double nice_time_step(double span) {
  for (double step : {1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400, 172800})
    if (span / step <= 9) return step;
  return nice_step(span, 8);
}

std::string axis_number(double value) {
  if (value >= 1e6) return fmt::format("{:g}M", value / 1e6);
  if (value >= 1e4) return fmt::format("{:g}k", value / 1e3);
  return fmt::format("{:g}", std::round(value * 1e6) / 1e6);
}

std::vector<double> value_ticks(const Scale& scale) {
  std::vector<double> ticks;
  if (scale.log) {
    for (double decade = std::pow(10, std::floor(std::log10(scale.y_from))); decade <= scale.y_to;
         decade *= 10)
      for (double m : {1.0, 3.0})
        if (m * decade >= scale.y_from && m * decade <= scale.y_to) ticks.push_back(m * decade);
    return ticks;
  }
  double step = nice_step(scale.y_to - scale.y_from, 4);
  for (double v = scale.y_from; v <= scale.y_to * 1.0001; v += step) ticks.push_back(v);
  return ticks;
}

void add_time_axis(std::string& svg, const Scale& scale) {
  double step = nice_time_step(scale.x_to - scale.x_from);
  for (double t = std::ceil(scale.x_from / step) * step; t <= scale.x_to; t += step)
    svg += fmt::format(R"(<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)",
                       scale.x(t), scale.height - 8, axis_time(t));
}

void add_bands(std::string& svg, const PlotFrame& frame, const Scale& scale) {
  for (const auto& band : frame.bands) {
    double from = scale.x(std::max(band.from, frame.from)), to = scale.x(std::min(band.to, frame.to));
    svg += fmt::format(
        R"(<rect class="band" x="{:.1f}" y="{}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>)",
        from, kTop, std::max(to - from, 1.0), scale.height - kTop - kBottom, html_escape(band.label));
  }
}

void add_value_axis(std::string& svg, const Scale& scale) {
  for (double v : value_ticks(scale))
    svg += fmt::format(
        R"(<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/><text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>)",
        kLeft, kWidth - kRight, scale.y(v), scale.y(v), kLeft - 8, scale.y(v) + 4, axis_number(v));
}

std::string opened(const PlotFrame& frame, double height) {
  return fmt::format(
      R"(<figure><figcaption>{} <span>{}</span></figcaption><svg viewBox="0 0 {} {:.0f}" role="img" aria-label="{}">)",
      html_escape(frame.title), html_escape(frame.unit), kWidth, height, html_escape(frame.title));
}

Scale scale_for(const PlotFrame& frame, double least, double most) {
  Scale scale;
  scale.x_from = frame.from;
  scale.x_to = std::max(frame.to, frame.from + 1e-9);
  scale.log = frame.log_scale;
  if (frame.log_scale) {
    scale.y_from = std::max(least, 1e-3) * 0.8;
    scale.y_to = std::max(most * 1.25, scale.y_from * 10);
  } else {
    scale.y_to = most > 0 ? most * 1.08 : 1;
  }
  return scale;
}

std::string path_of(const PlotLine& line, const Scale& scale) {
  std::string path;
  bool pen_down = false;
  for (std::size_t i = 0; i < line.values.size(); ++i) {
    if (!std::isfinite(line.values[i])) {
      pen_down = false;
      continue;
    }
    path +=
        fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", scale.x(line.times[i]), scale.y(line.values[i]));
    pen_down = true;
  }
  return path;
}

}  // namespace

std::string html_escape(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string axis_time(double seconds) {
  if (seconds == 0) return "0";
  if (seconds < 60) return fmt::format("{:g} s", seconds);
  if (seconds < 7200) return fmt::format("{:g} min", seconds / 60);
  if (seconds < 172'800) return fmt::format("{:g} h", seconds / 3600);
  return fmt::format("{:g} d", seconds / 86'400);
}

std::string line_plot(const PlotFrame& frame, const std::vector<PlotLine>& lines) {
  double least = 1e300, most = 0;
  for (const auto& line : lines)
    for (double v : line.values)
      if (std::isfinite(v)) least = std::min(least, v > 0 ? v : least), most = std::max(most, v);
  auto scale = scale_for(frame, least < 1e300 ? least : 0.1, most);
  auto svg = opened(frame, kHeight);
  add_bands(svg, frame, scale);
  add_value_axis(svg, scale);
  add_time_axis(svg, scale);
  for (const auto& line : lines)
    svg +=
        fmt::format(R"(<path class="line{}" stroke="{}" d="{}"><title>{}</title></path>)",
                    line.strong ? " strong" : "", line.colour, path_of(line, scale), html_escape(line.label));
  return svg + "</svg></figure>\n";
}

std::string stacked_plot(const PlotFrame& frame, const std::vector<PlotLine>& lines) {
  if (lines.empty()) return {};
  std::vector<double> below(lines.front().values.size(), 0), above = below;
  double most = 0;
  for (std::size_t i = 0; i < below.size(); ++i) {
    double sum = 0;
    for (const auto& line : lines) sum += line.values[i];
    most = std::max(most, sum);
  }
  auto scale = scale_for(frame, 0, most);
  auto svg = opened(frame, kHeight);
  add_bands(svg, frame, scale);
  add_value_axis(svg, scale);
  add_time_axis(svg, scale);
  for (const auto& line : lines) {
    std::string up, back;
    for (std::size_t i = 0; i < below.size(); ++i) {
      above[i] = below[i] + line.values[i];
      up += fmt::format("{}{:.1f} {:.1f}", i == 0 ? "M" : "L", scale.x(line.times[i]), scale.y(above[i]));
      back = fmt::format("L{:.1f} {:.1f}", scale.x(line.times[i]), scale.y(below[i])) + back;
    }
    svg += fmt::format(R"(<path class="area" fill="{}" d="{}{}Z"><title>{}</title></path>)", line.colour, up,
                       back, html_escape(line.label));
    below = above;
  }
  return svg + "</svg></figure>\n";
}

std::string strip_plot(const PlotFrame& frame, const std::vector<Strip>& strips) {
  Scale scale;
  scale.left = kStripLeft;
  scale.height = kTop + kBottom + static_cast<double>(strips.size()) * (kStripHeight + kStripGap);
  scale.x_from = frame.from;
  scale.x_to = std::max(frame.to, frame.from + 1e-9);
  auto svg = opened(frame, scale.height);
  double y = kTop;
  for (const auto& strip : strips) {
    svg += fmt::format(R"(<text class="strip" x="{}" y="{:.1f}" text-anchor="end">{}</text>)",
                       kStripLeft - 10, y + kStripHeight - 5, html_escape(strip.label));
    for (const auto& part : strip.parts)
      svg += fmt::format(
          R"(<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{}" fill-opacity="{:.2f}"><title>{}</title></rect>)",
          part.css_class, scale.x(part.from), y, std::max(scale.x(part.to) - scale.x(part.from), 0.6),
          kStripHeight, part.opacity, html_escape(part.hint));
    y += kStripHeight + kStripGap;
  }
  add_bands(svg, frame, scale);
  add_time_axis(svg, scale);
  return svg + "</svg></figure>\n";
}

}  // namespace troupe::replay
