// Telling how a recap was made.
#include "agents/recap/report_made.hpp"

#include "agents/recap/html.hpp"
#include "agents/recap/report_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace troupe::recap {
namespace {

std::string count_of(std::size_t count, std::string_view thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

// Calls cost fractions of a cent; two digits that mean something are kept.
std::string dollars(double usd) {
  if (usd == 0) return "$0";
  if (std::abs(usd) >= 1) return fmt::format("${:.2f}", usd);
  auto digits = std::clamp(1 - int(std::floor(std::log10(std::abs(usd)))), 2, 9);
  return fmt::format("${:.{}f}", usd, digits);
}

std::string milliseconds(std::int64_t ms) {
  if (ms < 1000) return fmt::format("{} ms", ms);
  return fmt::format("{:.1f} s", double(ms) / 1000);
}

std::string thousands(std::int64_t number) {
  auto digits = fmt::format("{}", number);
  for (auto at = std::ssize(digits) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), "\u202f");
  return digits;
}

std::string error_list(const std::map<std::string, std::size_t>& errors) {
  std::string out;
  for (const auto& [error, count] : errors) {
    out += fmt::format("{}{}", out.empty() ? "" : ", ", fmt::format("{} × {}", count, error));
  }
  std::ranges::replace(out, '_', ' ');
  return out;
}

struct FailureWindow {
  std::int64_t first_ms = -1;
  std::int64_t last_ms = -1;
};

FailureWindow failure_window(const Story& story, const std::string& endpoint) {
  FailureWindow out;
  for (const auto& attempt : story.attempts) {
    if (attempt.endpoint != endpoint || attempt.error.empty()) continue;
    if (out.first_ms < 0) out.first_ms = attempt.started_ms;
    out.last_ms = std::max(out.last_ms, attempt.started_ms + attempt.total_ms);
  }
  return out;
}

std::string failure_sentence(const Story& story, const std::string& endpoint, const StorySum& sum) {
  auto window = failure_window(story, endpoint);
  auto from = story_clock(window.first_ms);
  auto to = story_clock(window.last_ms);
  auto when = from == to ? "at " + from : fmt::format("between {} and {}", from, to);
  return fmt::format(" On {}, {} of {} failed {} ({}).", endpoint, sum.failed,
                     count_of(sum.attempts, "attempt"), when, error_list(sum.errors));
}

std::string breaker_sentence(const Story& story, const std::string& endpoint) {
  std::int64_t opened = -1;
  std::int64_t closed = -1;
  for (const auto& change : story.breakers) {
    if (change.endpoint != endpoint) continue;
    if (change.to == "open" && opened < 0) opened = change.at_ms;
    if (change.to == "closed" && opened >= 0) closed = change.at_ms;
  }
  if (opened < 0) return {};
  auto back = closed < 0 ? std::string("had not closed again when the run ended")
                         : fmt::format("was closed again at {}", story_clock(closed));
  return fmt::format(" Its breaker opened at {}, so that calls went elsewhere, and {}.", story_clock(opened),
                     back);
}

// Everything but first tries: what the failures, and our guarding against them, made us buy besides.
std::string cost_sentence(const Story& story) {
  std::size_t extra = 0;
  double extra_usd = 0;
  double usd = 0;
  for (const auto& attempt : story.attempts) {
    usd += attempt.usd;
    bool wasted = !attempt.error.empty();
    bool again = attempt.cause == "retry" || attempt.cause == "fallback" || attempt.cause == "hedge";
    if (again) ++extra;
    if (again && attempt.cause != "hedge" && !wasted) continue;
    if (wasted || again) extra_usd += attempt.usd;
  }
  if (extra == 0) return {};
  auto share = usd > 0 ? 100 * extra_usd / usd : 0;
  auto price = extra_usd > 0 ? fmt::format("failed and doubled attempts cost {} of {} ({:.1f} %)",
                                           dollars(extra_usd), dollars(usd), share)
                             : std::string("the failed attempts were not charged");
  return fmt::format(" {} made again or elsewhere; {}.",
                     extra == 1 ? "1 attempt was" : fmt::format("{} attempts were", extra), price);
}

std::string fact(const std::string& value, std::string_view label) {
  return fmt::format("<div><b>{}</b><span>{}</span></div>", value, label);
}

std::string facts(const Json& run) {
  std::string out = "<div class=\"facts\">";
  if (const auto* calls = find(run, "calls")) out += fact(thousands(get_int(*calls, "total")), "model calls");
  if (const auto* steps = find(run, "steps")) {
    auto replayed = get_int(*steps, "replayed");
    auto label =
        replayed == 0 ? "steps" : fmt::format("steps, {} of them replayed, not paid again", replayed);
    out += fact(thousands(get_int(*steps, "total")), label);
  }
  if (find(run, "seconds") != nullptr)
    out += fact(fmt::format("{:.1f} s", get_double(run, "seconds")), "from start to end");
  if (const auto* tokens = find(run, "tokens")) {
    out += fact(thousands(get_int(*tokens, "input")), "input tokens");
    out += fact(thousands(get_int(*tokens, "output")), "output tokens");
  }
  if (find(run, "cost_usd") != nullptr) {
    out += fact(dollars(get_double(run, "cost_usd")),
                get_bool(run, "estimated") ? "partly estimated" : "in all");
  }
  return out + "</div>";
}

std::string chart_key(const Story& story) {
  std::string out = "<ul class=\"key\">";
  auto entry = [&](const std::string& css, std::string_view label) {
    fmt::format_to(std::back_inserter(out), "<li><i class=\"{}\"></i>{}</li>", css, label);
  };
  for (std::size_t i = 0; i < std::min(story.endpoints.size(), kChartColours); ++i) {
    entry(chart_class(i), escape_html(story.endpoints[i]));
  }
  if (story.endpoints.size() > kChartColours) entry("ex", "others");
  entry("failed", "failed (× below)");
  entry("closed", "breaker closed: in use");
  entry("trial", "on trial");
  entry("open", "open: passed over");
  return out + "</ul>";
}

std::string chart_figure(const Story& story) {
  // Two drawings instead of one that shrinks: text must stay readable on a phone.
  auto wide = story_chart(story, {.width = 860, .plot_height = 170, .buckets = 60});
  auto narrow = story_chart(story, {.width = 360, .plot_height = 140, .buckets = 30});
  return "<figure><figcaption>Calls by the time they started, stacked by endpoint, and below it the state of "
         "each "
         "endpoint’s breaker over the same time.</figcaption>" +
         chart_key(story) + wide + narrow + "</figure>";
}

std::string endpoint_table(const Story& story) {
  std::string out =
      "<div class=\"scroll\"><table><caption>By endpoint</caption><thead><tr><th>Endpoint</th>"
      "<th>Attempts</th><th>Failed</th><th>First token</th><th>Median</th><th>95th "
      "pct.</th><th>Cost</th></tr>"
      "</thead><tbody>";
  auto sums = sum_by_endpoint(story);
  for (std::size_t i = 0; i < story.endpoints.size(); ++i) {
    const auto& sum = sums[story.endpoints[i]];
    bool served = sum.attempts > sum.failed;
    auto time = [&](std::int64_t ms) { return served ? milliseconds(ms) : std::string("–"); };
    fmt::format_to(
        std::back_inserter(out),
        "<tr><td><i class=\"{}\"></i>{}</td><td>{}</td><td{}>{}</td><td>{}</td><td>{}</td><td>{}</td>"
        "<td>{}</td></tr>",
        chart_class(i), escape_html(story.endpoints[i]), sum.attempts, sum.failed > 0 ? " class=\"bad\"" : "",
        sum.failed, time(sum.ttft_p50_ms), time(sum.total_p50_ms), time(sum.total_p95_ms), dollars(sum.usd));
  }
  return out + "</tbody></table></div>";
}

std::string cause_table(const Story& story) {
  std::string out =
      "<div class=\"scroll\"><table><caption>By "
      "cause</caption><thead><tr><th>Cause</th><th>Attempts</th><th>Failed</th>"
      "<th>Input tokens</th><th>Output tokens</th><th>Cost</th><th>Share of cost</th></tr></thead><tbody>";
  double usd = 0;
  for (const auto& attempt : story.attempts) usd += attempt.usd;
  for (const auto& [cause, sum] : sum_by_cause(story)) {
    fmt::format_to(
        std::back_inserter(out),
        "<tr><td>{}</td><td>{}</td><td{}>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{:.1f} %</td></tr>",
        escape_html(cause), sum.attempts, sum.failed > 0 ? " class=\"bad\"" : "", sum.failed,
        thousands(sum.input), thousands(sum.output), dollars(sum.usd), usd > 0 ? 100 * sum.usd / usd : 0);
  }
  return out + "</tbody></table></div>";
}

}  // namespace

std::string told_story(const Story& story) {
  if (story.attempts.empty())
    return "No model was called: every answer came from the journal of an earlier run.";
  std::size_t failed = 0;
  for (const auto& attempt : story.attempts) failed += attempt.error.empty() ? 0 : 1;
  auto out = fmt::format("{} on {}", count_of(story.attempts.size(), "attempt"),
                         count_of(sum_by_endpoint(story).size(), "endpoint"));
  if (failed == 0) return out + ", none of which failed.";
  out += fmt::format(", of which {} failed.", failed);
  auto sums = sum_by_endpoint(story);
  for (const auto& endpoint : story.endpoints) {
    if (sums[endpoint].failed > 0) out += failure_sentence(story, endpoint, sums[endpoint]);
    out += breaker_sentence(story, endpoint);
  }
  return out + cost_sentence(story);
}

std::string made_section(const Json& run, const Story& story) {
  auto out =
      "<h2 id=\"made\">How it was made</h2><p class=\"story\">" + escape_html(told_story(story)) + "</p>";
  out += facts(run);
  if (!story.attempts.empty()) out += chart_figure(story) + endpoint_table(story) + cause_table(story);
  return out;
}

}  // namespace troupe::recap
