// Drawing the story as SVG.
#include "agents/recap/report_chart.hpp"

#include "agents/recap/html.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace troupe::recap {
namespace {

constexpr int kLeft = 34;
constexpr int kRight = 10;
constexpr int kTop = 12;
constexpr int kAxisHeight = 24;
constexpr int kLaneHeight = 38;

struct Frame {
  const Story& story;
  ChartShape shape;
  std::size_t calls_max = 1;

  double plot_width() const { return shape.width - kLeft - kRight; }
  double x(std::int64_t ms) const { return kLeft + plot_width() * double(ms) / double(story.span_ms); }
  double y(std::size_t calls) const {
    return kTop + shape.plot_height * (1.0 - double(calls) / double(calls_max));
  }
  double base() const { return kTop + shape.plot_height; }
  double lanes_top() const { return base() + kAxisHeight + 6; }
};

// The smallest of 1, 2 and 5 times a power of ten that is at least `least`.
std::int64_t round_step(double least) {
  std::int64_t power = 1;
  while (double(power) * 10 <= least) power *= 10;
  for (std::int64_t factor : {1, 2, 5}) {
    if (double(power * factor) >= least) return power * factor;
  }
  return power * 10;
}

// Steps people read off a clock.
std::int64_t time_step_ms(std::int64_t span_ms, int ticks) {
  for (std::int64_t s : {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600}) {
    if (s * 1000 * ticks >= span_ms) return s * 1000;
  }
  return span_ms / ticks + 1;
}

std::string seconds_text(std::int64_t ms) { return fmt::format("{:.1f} s", double(ms) / 1000); }

std::string grid(const Frame& frame) {
  std::string out;
  auto step = static_cast<std::size_t>(round_step(std::max(1.0, double(frame.calls_max) / 4)));
  for (std::size_t calls = 0; calls <= frame.calls_max; calls += step) {
    auto y = frame.y(calls);
    fmt::format_to(
        std::back_inserter(out),
        R"(<line class="{}" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/><text class="tick" x="{}" y="{:.1f}" )"
        R"(text-anchor="end">{}</text>)",
        calls == 0 ? "axis" : "grid", kLeft, frame.shape.width - kRight, y, y, kLeft - 7, y + 4, calls);
  }
  auto step_ms = time_step_ms(frame.story.span_ms, frame.shape.width > 500 ? 9 : 4);
  for (std::int64_t ms = 0; ms <= frame.story.span_ms; ms += step_ms) {
    // The last label would leave the picture.
    bool fits = frame.x(ms) < frame.shape.width - kRight - 12;
    fmt::format_to(std::back_inserter(out),
                   R"(<line class="axis" x1="{0:.1f}" x2="{0:.1f}" y1="{1:.1f}" y2="{2:.1f}"/>)"
                   R"(<text class="tick" x="{0:.1f}" y="{3:.1f}" text-anchor="middle">{4}</text>)",
                   frame.x(ms), frame.base(), frame.base() + 4, frame.base() + 17,
                   fits ? story_clock(ms) : "");
  }
  return out;
}

struct Stretch {
  std::int64_t begin_ms;
  std::int64_t end_ms;
};

std::string bar_piece(const Frame& frame, Stretch stretch, std::size_t below, std::size_t count,
                      const std::string& css, const std::string& title) {
  // Two units of surface between bars, one between the pieces of a bar.
  auto width = std::max(1.5, frame.x(stretch.end_ms) - frame.x(stretch.begin_ms) - 2);
  auto top = frame.y(below + count);
  auto height = std::max(1.0, frame.y(below) - top - (below == 0 ? 0.0 : 1.0));
  return fmt::format(R"-(<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="1">)-"
                     R"-(<title>{}</title></rect>)-",
                     css, frame.x(stretch.begin_ms) + 1, top, width, height, title);
}

std::string bar(const Frame& frame, const ChartBucket& bucket, Stretch stretch) {
  std::string out;
  auto when = fmt::format("from {} to {}", seconds_text(stretch.begin_ms), seconds_text(stretch.end_ms));
  std::size_t below = 0;
  for (std::size_t i = 0; i < bucket.served.size(); ++i) {
    if (bucket.served[i] == 0) continue;
    auto title =
        fmt::format("{}: {} served, {}", escape_html(frame.story.endpoints[i]), bucket.served[i], when);
    out += bar_piece(frame, stretch, below, bucket.served[i], chart_class(i), title);
    below += bucket.served[i];
  }
  if (bucket.failed == 0) return out;
  out += bar_piece(frame, stretch, below, bucket.failed, "failed",
                   fmt::format("{} failed, {}", bucket.failed, when));
  return out;
}

std::string state_class(const std::string& state) {
  if (state == "closed") return "closed";
  return state == "open" ? "open" : "trial";
}

std::string band(const Frame& frame, const StoryBand& band, double top) {
  auto left = frame.x(band.begin_ms);
  auto width = std::max(1.5, frame.x(band.end_ms) - left);
  auto state = state_class(band.state);
  auto label = escape_html(band.state);
  std::ranges::replace(label, '_', ' ');
  auto reason = band.reason.empty() ? "" : ": " + escape_html(band.reason);
  auto title = fmt::format("{} from {} to {}{}", label, seconds_text(band.begin_ms),
                           seconds_text(band.end_ms), reason);
  auto out = fmt::format(
      R"-(<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="10" rx="2"><title>{}</title></rect>)-",
      state, left, top, width, title);
  bool room = width > double(label.size()) * 6.2 + 8;
  if (state == "closed" || !room) return out;
  return out + fmt::format(R"(<text class="in {}" x="{:.1f}" y="{:.1f}">{}</text>)", state, left + 5,
                           top + 8.3, label);
}

// A tick per failed call, on the lane of the endpoint that failed.
std::string failure_ticks(const Frame& frame, const std::string& endpoint, double top) {
  std::string out;
  for (const auto& attempt : frame.story.attempts) {
    if (attempt.endpoint != endpoint || attempt.error.empty()) continue;
    fmt::format_to(std::back_inserter(out),
                   R"(<path class="cross" d="M{:.1f} {:.1f}l5 5m0 -5l-5 5"><title>{} at {}</title></path>)",
                   frame.x(attempt.started_ms) - 2.5, top + 12.5, escape_html(attempt.error),
                   seconds_text(attempt.started_ms));
  }
  return out;
}

std::string lane(const Frame& frame, std::size_t endpoint) {
  const auto& name = frame.story.endpoints[endpoint];
  auto top = frame.lanes_top() + double(endpoint) * kLaneHeight;
  auto out = fmt::format(R"(<rect class="{}" x="{}" y="{:.1f}" width="8" height="8" rx="2"/>)"
                         R"(<text class="name" x="{}" y="{:.1f}">{}</text>)",
                         chart_class(endpoint), kLeft, top + 1, kLeft + 13, top + 9, escape_html(name));
  top += 13;
  for (const auto& b : breaker_bands(frame.story, name)) out += band(frame, b, top);
  return out + failure_ticks(frame, name, top);
}

constexpr std::string_view kHatch =
    R"-(<defs><pattern id="hatch{0}" width="5" height="5" patternUnits="userSpaceOnUse" )-"
    R"-(patternTransform="rotate(45)"><rect class="hatch-ground" width="5" height="5"/>)-"
    R"-(<rect class="hatch-line" width="2.4" height="5"/></pattern></defs>)-"
    R"-(<style>.w{0} .failed{{fill:url(#hatch{0})}}</style>)-";

}  // namespace

std::vector<ChartBucket> chart_buckets(const Story& story, std::size_t count) {
  std::vector<ChartBucket> out(std::max<std::size_t>(count, 1));
  for (auto& bucket : out) bucket.served.resize(story.endpoints.size());
  for (const auto& attempt : story.attempts) {
    auto share = double(attempt.started_ms) / double(story.span_ms);
    auto& bucket = out[std::min(out.size() - 1, static_cast<std::size_t>(share * double(out.size())))];
    ++bucket.total;
    if (!attempt.error.empty()) {
      ++bucket.failed;
      continue;
    }
    auto endpoint = std::ranges::find(story.endpoints, attempt.endpoint) - story.endpoints.begin();
    ++bucket.served[static_cast<std::size_t>(endpoint)];
  }
  return out;
}

std::string chart_class(std::size_t endpoint) {
  return endpoint < kChartColours ? fmt::format("e{}", endpoint) : "ex";
}

std::string story_chart(const Story& story, const ChartShape& shape) {
  Frame frame{.story = story, .shape = shape};
  auto buckets = chart_buckets(story, shape.buckets);
  for (const auto& bucket : buckets) frame.calls_max = std::max(frame.calls_max, bucket.total);
  auto height = int(frame.lanes_top()) + int(story.endpoints.size()) * kLaneHeight;
  auto out = fmt::format(R"(<svg class="chart w{0}" viewBox="0 0 {0} {1}" role="img" )"
                         R"(aria-label="Calls over time by endpoint, and the state of each breaker">)",
                         shape.width, height);
  out += fmt::format(kHatch, shape.width);
  out += grid(frame);
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    auto at = [&](std::size_t k) { return story.span_ms * std::int64_t(k) / std::int64_t(buckets.size()); };
    if (buckets[i].total > 0) out += bar(frame, buckets[i], {at(i), at(i + 1)});
  }
  for (std::size_t i = 0; i < story.endpoints.size(); ++i) out += lane(frame, i);
  return out + "</svg>";
}

}  // namespace troupe::recap
