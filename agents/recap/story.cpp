// Reading and summing a run's story.
#include "agents/recap/story.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>

namespace troupe::recap {
namespace {

// Hostile or broken numbers must not overflow a sum of times.
constexpr std::int64_t kTimeMax = std::int64_t{1} << 52;

std::int64_t read_ms(const Json& entry, const char* key) {
  auto value = get_double(entry, key);
  return std::int64_t(std::clamp(value, 0.0, double(kTimeMax)));
}

StoryAttempt read_attempt(const Json& entry) {
  return {.endpoint = get_string(entry, "endpoint"),
          .cause = get_string(entry, "cause", "primary"),
          .started_ms = read_ms(entry, "started_ms"),
          .ttft_ms = read_ms(entry, "ttft_ms"),
          .total_ms = read_ms(entry, "total_ms"),
          .usd = get_double(entry, "usd"),
          .error = get_string(entry, "error"),
          .input = read_ms(entry, "input"),
          .output = read_ms(entry, "output")};
}

StoryBreaker read_breaker(const Json& entry) {
  return {.endpoint = get_string(entry, "endpoint"),
          .at_ms = read_ms(entry, "at_ms"),
          .from = get_string(entry, "from"),
          .to = get_string(entry, "to"),
          .reason = get_string(entry, "reason")};
}

template <class T>
std::vector<T> read_entries(const Json& story, const char* key, T (*read)(const Json&)) {
  std::vector<T> out;
  const auto* list = find(story, key);
  if (list == nullptr || !list->is_array()) return out;
  for (const auto& entry : *list) {
    if (auto value = read(entry); !value.endpoint.empty()) out.push_back(std::move(value));
  }
  return out;
}

void start_at_zero(Story& story) {
  auto first = std::numeric_limits<std::int64_t>::max();
  for (const auto& attempt : story.attempts) first = std::min(first, attempt.started_ms);
  for (const auto& change : story.breakers) first = std::min(first, change.at_ms);
  for (auto& attempt : story.attempts) {
    attempt.started_ms -= first;
    story.span_ms = std::max(story.span_ms, attempt.started_ms + attempt.total_ms);
  }
  for (auto& change : story.breakers) {
    change.at_ms -= first;
    story.span_ms = std::max(story.span_ms, change.at_ms);
  }
}

void name_endpoints(Story& story) {
  std::map<std::string, std::size_t> calls;
  for (const auto& attempt : story.attempts) ++calls[attempt.endpoint];
  for (const auto& change : story.breakers) calls.try_emplace(change.endpoint, 0);
  for (const auto& [name, count] : calls) story.endpoints.push_back(name);
  std::ranges::stable_sort(story.endpoints, std::greater{}, [&](const auto& name) { return calls[name]; });
}

std::int64_t quantile(std::vector<std::int64_t> values, double q) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(q * double(values.size() - 1) + 0.5)];
}

struct SumParts {
  StorySum sum;
  std::vector<std::int64_t> ttft, total;
};

std::map<std::string, StorySum> sum_by(const Story& story, std::string StoryAttempt::*key) {
  std::map<std::string, SumParts> parts;
  for (const auto& attempt : story.attempts) {
    auto& part = parts[attempt.*key];
    ++part.sum.attempts;
    part.sum.usd += attempt.usd;
    part.sum.input += attempt.input;
    part.sum.output += attempt.output;
    if (!attempt.error.empty()) {
      ++part.sum.failed;
      ++part.sum.errors[attempt.error];
      continue;
    }
    part.ttft.push_back(attempt.ttft_ms);
    part.total.push_back(attempt.total_ms);
  }
  std::map<std::string, StorySum> out;
  for (auto& [name, part] : parts) {
    part.sum.ttft_p50_ms = quantile(part.ttft, 0.5);
    part.sum.total_p50_ms = quantile(part.total, 0.5);
    part.sum.total_p95_ms = quantile(part.total, 0.95);
    out[name] = std::move(part.sum);
  }
  return out;
}

}  // namespace

Story read_story(const Json& story) {
  Story out;
  out.attempts = read_entries(story, "attempts", read_attempt);
  out.breakers = read_entries(story, "breakers", read_breaker);
  out.model_note = get_string(story, "model_note");
  start_at_zero(out);
  std::ranges::stable_sort(out.attempts, {}, &StoryAttempt::started_ms);
  std::ranges::stable_sort(out.breakers, {}, &StoryBreaker::at_ms);
  name_endpoints(out);
  return out;
}

std::vector<StoryBand> breaker_bands(const Story& story, const std::string& endpoint) {
  std::vector<StoryBand> out;
  for (const auto& change : story.breakers) {
    if (change.endpoint != endpoint) continue;
    if (out.empty()) out.push_back({0, 0, change.from.empty() ? "closed" : change.from, {}});
    out.back().end_ms = change.at_ms;
    out.push_back({change.at_ms, story.span_ms, change.to, change.reason});
  }
  if (out.empty()) out.push_back({0, story.span_ms, "closed", {}});
  std::erase_if(out, [](const StoryBand& band) { return band.begin_ms >= band.end_ms; });
  return out;
}

std::map<std::string, StorySum> sum_by_endpoint(const Story& story) {
  return sum_by(story, &StoryAttempt::endpoint);
}
std::map<std::string, StorySum> sum_by_cause(const Story& story) {
  return sum_by(story, &StoryAttempt::cause);
}

std::string story_clock(std::int64_t ms) {
  auto s = ms / 1000;
  if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

}  // namespace troupe::recap
