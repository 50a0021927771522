// replay.html: what happened, for people.
#include "replay/plots.hpp"
#include "replay/report.hpp"
#include "runtime/base/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace troupe::replay {
namespace {

constexpr std::array kColours{"#2563eb", "#e8590c", "#2b8a3e", "#9c36b5", "#c92a2a", "#0b7285",
                              "#b08900", "#5f3dc4", "#868e96", "#d6336c", "#37b24d", "#1098ad"};
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kSplitPoliciesMax = 6;

constexpr const char* kPageStyle = R"(
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#5b6570;--line:#dfe3e8;--back:#fff;--card:#f7f8fa;
--band:#f0b4291f;--good:#2b8a3e}
@media(prefers-color-scheme:dark){:root{--ink:#e6e8eb;--soft:#98a2ad;--line:#333a42;--back:#14171a;
--card:#1c2024;--band:#f0b42926;--good:#51cf66}}
body{font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;color:var(--ink);
background:var(--back);max-width:1120px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:25px;margin:0 0 2px;letter-spacing:-.01em}h2{font-size:18px;margin:38px 0 6px}p,.facts{
color:var(--soft);margin:2px 0 12px;max-width:86ch}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:14px}th{
font-weight:600;color:var(--soft);text-align:right;border-bottom:1px solid var(--line)}
td{text-align:right;border-bottom:1px solid var(--line)}th,td{padding:5px 9px;white-space:nowrap}
th:first-child,td:first-child{text-align:left}.wide{overflow-x:auto}
td.bad{color:#e03131;font-weight:600}figure{margin:14px 0 20px;background:var(--card);
border-radius:10px;padding:12px 14px 6px}
figcaption{font-weight:600}figcaption span{color:var(--soft);font-weight:400}svg{width:100%;height:auto;
display:block}
.grid{stroke:var(--line);stroke-width:1}.tick{fill:var(--soft);font-size:12px}.strip{fill:var(--ink);
font-size:12.5px}.band{fill:var(--band)}
.line{fill:none;stroke-width:1.4;stroke-opacity:.75;stroke-linejoin:round}.strong{stroke-width:2.4;
stroke-opacity:1}.area{fill-opacity:.85}
.closed{fill:var(--good)}.open{fill:#e03131}.partial{fill:#f08c00}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;margin:8px 0 0;color:var(--soft);font-size:14px}
.legend i{display:inline-block;width:14px;height:4px;border-radius:2px;margin-right:6px;
vertical-align:middle}
.legend i.box{height:11px}footer{color:var(--soft);font-size:13px;margin-top:44px;
border-top:1px solid var(--line);padding-top:10px}
)";

std::string colour_of(std::size_t i) { return kColours[i % kColours.size()]; }

std::string html_table(const std::vector<std::vector<std::string>>& rows,
                       const std::vector<std::size_t>& alarming) {
  std::string out = "<div class=\"wide\"><table>";
  for (std::size_t r = 0; r < rows.size(); ++r) {
    out += "<tr>";
    for (std::size_t c = 0; c < rows[r].size(); ++c) {
      bool bad = r > 0 && rows[r][c] != "0" && std::ranges::find(alarming, c) != alarming.end();
      out += fmt::format("<{0}{2}>{1}</{0}>", r == 0 ? "th" : "td", html_escape(rows[r][c]),
                         bad ? " class=\"bad\"" : "");
    }
    out += "</tr>";
  }
  return out + "</table></div>";
}

std::string policy_legend(const ReplayReport& report) {
  std::string out = "<div class=\"legend\">";
  for (std::size_t i = 0; i < report.policies.size(); ++i)
    out += fmt::format(R"(<span><i style="background:{}"></i>{}</span>)", colour_of(i),
                       html_escape(report.policies[i].policy));
  return out + "</div>";
}

std::string endpoint_legend(const ReplayReport& report) {
  std::string out = "<div class=\"legend\">";
  const auto& list = report.clouds.config.endpoints.list;
  for (std::size_t i = 0; i < list.size(); ++i)
    out += fmt::format(R"(<span><i class="box" style="background:{}"></i>{}</span>)", colour_of(i),
                       html_escape(list[i].id));
  return out + "</div>";
}

PlotFrame frame_of(const ReplayReport& report, std::string title, std::string unit) {
  PlotFrame frame;
  frame.title = std::move(title);
  frame.unit = std::move(unit);
  for (const auto& result : report.policies) frame.to = std::max(frame.to, result.virtual_seconds);
  for (const auto& incident : report.clouds.incidents) {
    double to = incident.to == Duration{} ? frame.to : seconds(incident.to);
    frame.bands.push_back({seconds(incident.from), to, incident.label});
  }
  return frame;
}

template <class Value>
PlotLine line_of(const PolicyResult& result, std::size_t index, Value&& value) {
  PlotLine line;
  line.label = result.policy;
  line.colour = colour_of(index);
  line.strong = result.policy == "troupe";
  for (const auto& point : result.series) {
    line.times.push_back(point.at);
    line.values.push_back(value(point));
  }
  return line;
}

template <class Value>
std::vector<PlotLine> lines_of(const ReplayReport& report, Value&& value) {
  std::vector<PlotLine> lines;
  for (std::size_t i = 0; i < report.policies.size(); ++i)
    lines.push_back(line_of(report.policies[i], i, value));
  // The one that is asked about lies on top.
  std::ranges::stable_sort(lines, {}, &PlotLine::strong);
  return lines;
}

double or_none(double value) { return value > 0 ? value : kNone; }

std::string latency_plots(const ReplayReport& report) {
  auto frame =
      frame_of(report, "Time to first token, p99", "seconds, from the caller's arrival; logarithmic");
  frame.log_scale = true;
  auto out = line_plot(frame, lines_of(report, [](const SeriesPoint& p) { return or_none(p.ttft.p99); }));
  frame.title = "Time to first token, p50";
  out += line_plot(frame, lines_of(report, [](const SeriesPoint& p) { return or_none(p.ttft.p50); }));
  frame.title = "Whole answer, p99";
  return out + line_plot(frame, lines_of(report, [](const SeriesPoint& p) { return or_none(p.total.p99); }));
}

std::string harm_plots(const ReplayReport& report) {
  auto frame =
      frame_of(report, "Calls the user did not get", "failed, refused or expired, per stretch of time");
  auto lost = [](const SeriesPoint& p) { return static_cast<double>(p.failed + p.refused + p.expired); };
  auto out = line_plot(frame, lines_of(report, lost));
  frame.title = "Calls that were slow";
  frame.unit = "served, but later than twice the healthy first endpoint's time plus a second";
  return out +
         line_plot(frame, lines_of(report, [](const SeriesPoint& p) { return static_cast<double>(p.slow); }));
}

std::string spill_and_cost(const ReplayReport& report) {
  auto frame =
      frame_of(report, "Spilled", "calls served by on-demand capacity because reserved capacity was full");
  auto out =
      line_plot(frame, lines_of(report, [](const SeriesPoint& p) { return static_cast<double>(p.spilled); }));
  std::vector<PlotLine> costs;
  for (std::size_t i = 0; i < report.policies.size(); ++i) {
    double sum = 0;
    costs.push_back(line_of(report.policies[i], i, [&](const SeriesPoint& p) { return sum += p.usd; }));
  }
  frame.title = "Cost so far";
  frame.unit = "USD for tokens; reserved capacity is paid by the hour and not in it";
  return out + line_plot(frame, costs);
}

std::string split_plots(const ReplayReport& report) {
  std::string out = endpoint_legend(report);
  const auto& list = report.clouds.config.endpoints.list;
  for (std::size_t i = 0; i < std::min(report.policies.size(), kSplitPoliciesMax); ++i) {
    std::vector<PlotLine> lines;
    for (std::size_t e = 0; e < list.size(); ++e) {
      lines.push_back(line_of(report.policies[i], e, [e](const SeriesPoint& p) {
        return static_cast<double>(p.endpoints[e].attempts);
      }));
      lines.back().label = list[e].id;
    }
    out += stacked_plot(frame_of(report, report.policies[i].policy, "attempts by endpoint"), lines);
  }
  return out;
}

std::vector<Strip> strips_of(const ReplayReport& report, const PolicyResult& result, double end) {
  std::vector<Strip> strips;
  const auto& list = report.clouds.config.endpoints.list;
  for (std::uint32_t e = 0; e < list.size(); ++e) {
    Strip strip{list[e].id, {{0, end, "closed", "closed", 0.35}}};
    for (const auto& move : result.moves) {
      if (move.endpoint != e) continue;
      double at = seconds(move.at - replay_start);
      strip.parts.back().to = at;
      bool closed = move.to == policy::BreakerState::closed, open = move.to == policy::BreakerState::open;
      auto hint = fmt::format("{} at {:.1f} s ({}), share {:g}: {}", policy::to_string(move.to), at,
                              policy::to_string(move.reason), move.share, move.detail);
      double opacity = closed ? 0.35 : open ? 0.95 : 0.45 + 0.5 * (1 - move.share);
      strip.parts.push_back({at, end, policy::to_string(move.to), std::move(hint), opacity});
    }
    strips.push_back(std::move(strip));
  }
  return strips;
}

std::string breaker_plots(const ReplayReport& report) {
  std::string out;
  for (const auto& result : report.policies) {
    if (result.moves.empty()) continue;
    auto frame = frame_of(report, result.policy, "breaker of each endpoint");
    out += strip_plot(frame, strips_of(report, result, frame.to));
  }
  if (out.empty()) return "<p>No breaker moved.</p>";
  return R"(<div class="legend">
<span><i class="box" style="background:var(--good);opacity:.5"></i>closed: all traffic</span>
<span><i class="box" style="background:#e03131"></i>open: none</span>
<span><i class="box" style="background:#f08c00"></i>partial: a growing trickle (paler: more)</span></div>)" +
         out;
}

std::string facts_line(const ReplayReport& report) {
  return fmt::format("{} · {} requests in {} · scale {:g} · seed {}", html_escape(report.trace),
                     report.facts.requests, to_human(report.facts.length), report.scale, report.seed);
}

std::string sentences(const ReplayReport& report) {
  std::string out = "<div class=\"wide\"><table>";
  for (const auto& result : report.policies)
    for (const auto& name : policy_names())
      if (name.name == result.policy)
        out += fmt::format("<tr><td>{}</td><td style=\"text-align:left;white-space:normal\">{}</td></tr>",
                           html_escape(name.name), html_escape(name.sentence));
  return out + "</table></div>";
}

}  // namespace

std::string report_page(const ReplayReport& report) {
  std::string out =
      "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\"><title>Replay</title><style>";
  out += kPageStyle;
  out += fmt::format("</style><body><h1>Replay</h1><div class=\"facts\">{}</div>", facts_line(report));
  out += html_table(report_rows(report), {3, 4, 5});
  auto incidents = incident_rows(report);
  if (!incidents.empty()) out += "<h2>What was planned to go wrong</h2>" + html_table(incidents, {3, 8});
  out += "<h2>Latency</h2>" + policy_legend(report) + latency_plots(report);
  out += "<h2>Harm</h2>" + policy_legend(report) + harm_plots(report);
  out += "<h2>Breakers</h2>" + breaker_plots(report);
  out += "<h2>Where the calls went</h2>" + split_plots(report);
  out += "<h2>Spill and cost</h2>" + policy_legend(report) + spill_and_cost(report);
  out += "<h2>The policies</h2>" + sentences(report);
  out +=
      "<footer>A simulation: the live routing code on a virtual clock, against modelled clouds whose "
      "latencies, "
      "limits and faults come from the configuration. Same seed, same arrivals and the same luck per request "
      "for "
      "every policy. Shaded: planned faults. Figures are the model's, not any "
      "provider's.</footer></body></html>\n";
  return out;
}

}  // namespace troupe::replay
