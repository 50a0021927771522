// How a summary reaches its reader while the model still writes it.
#pragma once

#include "agents/summary/marks.hpp"

#include <troupe/workflow.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::summary {

/// What an engine tells whoever watches a run about the text of its calls. All on one thread, in order, per
/// key: any number of on_text, on_restart when an attempt that had shown text is given up and another begins
/// from nothing (what was shown is void), on_end when the step has its result. Nothing is called for a
/// replayed step. An engine that drops deltas (a slow reader) must drop all that follow of that step too: the
/// result has the whole text anyway.
struct OnText {
  std::function<void(const StepKey& key, std::string_view delta)> on_text;
  std::function<void(const StepKey& key)> on_restart;
  std::function<void(const StepKey& key)> on_end;
};

/// The step whose text is for the reader, and how many sources its marks may name: known from the key alone,
/// because whoever watches may sit on another node.
struct LiveStep {
  std::size_t marks_max = 0;
};
std::optional<LiveStep> live_step(const StepKey& key);
/// `name` is one of the two: a summary's text, or the answer of a search.
inline constexpr const char* kSummaryStep = "summary";
inline constexpr const char* kAnswerStep = "answer";
StepKey live_key(std::size_t marks_max, const std::string& hash, const char* name = kSummaryStep);

/// Turns the calls of OnText into text on a terminal: LiveText of the live step, other steps unheard, and a
/// line that says so when a text begins anew. Not thread-safe; outlives the hook it gave.
class LiveSummary {
 public:
  explicit LiveSummary(std::function<void(std::string_view)> show) : show_(std::move(show)) {}
  LiveSummary(const LiveSummary&) = delete;
  LiveSummary& operator=(const LiveSummary&) = delete;

  OnText hook();
  /// Was any text shown to its end? Otherwise the result's text is still to be printed.
  bool shown() const { return shown_; }
  std::size_t withdrawn() const { return withdrawn_; }

 private:
  void on_text(const StepKey& key, std::string_view delta);
  void on_restart(const StepKey& key);
  void on_end(const StepKey& key);

  std::function<void(std::string_view)> show_;
  std::unique_ptr<LiveText> text_;
  bool shown_ = false;
  std::size_t withdrawn_ = 0;
};

}  // namespace troupe::summary
