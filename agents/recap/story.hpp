// How a recap was made: the attempts and breaker changes of its run, as values the report can draw.
#pragma once

#include "runtime/json/json.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace troupe::recap {

/// One attempt of a model call. Times in milliseconds since the first event of the story.
struct StoryAttempt {
  std::string endpoint;
  /// "primary", "retry", "fallback", "spillover", "hedge", "probe", …
  std::string cause;
  std::int64_t started_ms = 0;
  std::int64_t ttft_ms = 0;
  std::int64_t total_ms = 0;
  double usd = 0;
  /// Empty when it succeeded, else an Errc name.
  std::string error;
  std::int64_t input = 0;
  std::int64_t output = 0;
};

struct StoryBreaker {
  std::string endpoint;
  std::int64_t at_ms = 0;
  std::string from, to, reason;
};

/// A breaker's state from `begin_ms` to `end_ms`.
struct StoryBand {
  std::int64_t begin_ms = 0;
  std::int64_t end_ms = 0;
  std::string state, reason;
};

struct Story {
  /// By start.
  std::vector<StoryAttempt> attempts;
  /// By time.
  std::vector<StoryBreaker> breakers;
  /// Every endpoint named, the busiest first, equals by name.
  std::vector<std::string> endpoints;
  /// From the first event to the end of the last; at least 1.
  std::int64_t span_ms = 1;
  /// Who or what answered, for people. Empty: nothing to say.
  std::string model_note;
};

/// Reads {"attempts": […], "breakers": […], "model_note"}: absolute or relative times alike, the earliest
/// becomes 0. Malformed entries are left out. Pure.
Story read_story(const Json& story);

/// The state of an endpoint's breaker over the whole story; one "closed" band when nothing was said about it.
std::vector<StoryBand> breaker_bands(const Story& story, const std::string& endpoint);

/// Sums over some of the attempts.
struct StorySum {
  std::size_t attempts = 0;
  std::size_t failed = 0;
  double usd = 0;
  std::int64_t input = 0;
  std::int64_t output = 0;
  /// Of those that succeeded; 0 when none did.
  std::int64_t ttft_p50_ms = 0;
  std::int64_t total_p50_ms = 0;
  std::int64_t total_p95_ms = 0;
  /// How often each error occurred.
  std::map<std::string, std::size_t> errors;
};
std::map<std::string, StorySum> sum_by_endpoint(const Story& story);
std::map<std::string, StorySum> sum_by_cause(const Story& story);

/// "0:07", "12:30", "1:02:03".
std::string story_clock(std::int64_t ms);

}  // namespace troupe::recap
