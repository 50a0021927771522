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
  /// A first look at a long transcript: worth reading until the text itself begins, and not kept.
  bool first_look = false;
};
std::optional<LiveStep> live_step(const StepKey& key);
/// `name` is one of these: a summary's text, the first look at it, or the answer of a search.
inline constexpr const char* kSummaryStep = "summary";
inline constexpr const char* kFirstLookStep = "first_look";
inline constexpr const char* kAnswerStep = "answer";
StepKey live_key(std::size_t marks_max, const std::string& hash, const char* name = kSummaryStep);

/// Turns the calls of OnText into text on a terminal: LiveText of the live step, other steps unheard, and a
/// line that says so when a text begins anew. A first look has a heading and no marks, since its sources are
/// not printed, and ends when the text itself begins. Not thread-safe; outlives the hook it gave.
class LiveSummary {
 public:
  explicit LiveSummary(std::function<void(std::string_view)> show) : show_(std::move(show)) {}
  LiveSummary(const LiveSummary&) = delete;
  LiveSummary& operator=(const LiveSummary&) = delete;

  OnText hook();
  /// Was the text itself shown to its end? Otherwise the result's text is still to be printed.
  bool shown() const { return shown_; }
  /// What tells the text itself from the first look above it; empty when there was none.
  std::string_view heading() const;
  std::size_t withdrawn() const { return withdrawn_; }

 private:
  void on_text(const StepKey& key, std::string_view delta);
  void on_restart(const StepKey& key);
  void on_end(const StepKey& key);
  std::unique_ptr<LiveText>& text_of(const LiveStep& step) { return step.first_look ? look_ : text_; }
  LiveText* begun(const LiveStep& step);

  std::function<void(std::string_view)> show_;
  std::unique_ptr<LiveText> look_, text_;
  bool looked_ = false, begun_ = false, shown_ = false;
  std::size_t withdrawn_ = 0;
};

}  // namespace troupe::summary
