// Drives a workflow coroutine by script: a function answers its calls, in the order of asking or shuffled by
// a seed, and what was answered can be replayed to a second run as a journal would.
#pragma once

#include <troupe/workflow.hpp>

#include "runtime/base/rng.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::testing {

/// Not thread-safe. Answers are given by `run` only, never inside the call that asks, as WorkflowDriver
/// promises.
class ScriptedDriver final : public WorkflowDriver {
 public:
  using Model = std::function<Result<Completion>(const StepKey&, const CompletionRequest&)>;

  explicit ScriptedDriver(Model model, std::optional<std::uint64_t> shuffle_seed = {})
      : model_(std::move(model)), shuffled_(shuffle_seed.has_value()), rng_(shuffle_seed.value_or(0)) {}

  void complete(const StepKey& key, CompletionRequest request, OnUnknown,
                std::function<void(Result<Answer>)> done) override {
    asked.push_back(key);
    pending_.push_back(
        [this, key, request = std::move(request), done = std::move(done)] { done(answer(key, request)); });
    in_flight_max = std::max(in_flight_max, pending_.size());
  }
  void step(const StepKey& key, std::function<Result<JsonText>()> body,
            std::function<void(Result<JsonText>)> done) override {
    pending_.push_back([this, key, body = std::move(body), done = std::move(done)] {
      auto known = recorded_steps.find(key.str());
      if (known == recorded_steps.end()) {
        auto result = body();
        if (!result) return done(std::move(result));
        known = recorded_steps.emplace(key.str(), *result).first;
      }
      done(known->second);
    });
  }
  void tool(const StepKey& key, ToolPtr tool, JsonText input, RetryPolicy,
            std::function<void(Result<ToolOutput>)> done) override {
    pending_.push_back([this, key, tool, input = std::move(input), done = std::move(done)] {
      auto known = recorded_tools.find(key.str());
      if (known != recorded_tools.end()) return done(known->second);
      tools_used.push_back(key);
      ToolContext context;
      context.step_key = key.str();
      tool->call(context, input, [this, key, done](Result<ToolOutput> output) {
        if (output) recorded_tools[key.str()] = *output;
        done(std::move(output));
      });
    });
  }
  void child(const StepKey& key, ChildSpec spec, std::function<void(Result<ChildEnd>)> done) override {
    children.push_back(spec);
    pending_.push_back([this, key, spec = std::move(spec), done = std::move(done)]() mutable {
      if (!child_workflow) return done(fail(Errc::not_found, "no child workflow is scripted"));
      done(child_workflow(key, std::move(spec)));
    });
  }
  void signal_child(const StepKey& child, std::string name, JsonText json,
                    std::function<void(Result<void>)> done) override {
    pending_.push_back([this, child, name = std::move(name), json = std::move(json), done = std::move(done)] {
      signals_sent.emplace_back(child.str() + ":" + name, json);
      done({});
    });
  }
  void snapshot(JsonText state, std::function<void(Result<void>)> done) override {
    pending_.push_back([this, state = std::move(state), done = std::move(done)] {
      snapshots.push_back(state);
      done({});
    });
  }
  std::optional<JsonText> restored() const override { return restored_state; }
  void abandon(const StepKey& key) override { abandoned.push_back(key); }
  BudgetView budget() const override { return budget_view; }
  void sleep_until(const StepKey&, WallTime when, std::function<void(Result<void>)> done) override {
    pending_.push_back([this, when, done = std::move(done)] {
      clock = std::max(clock, when);
      done({});
    });
  }
  void signal(const StepKey& key, std::function<void(Result<JsonText>)> done) override {
    pending_.push_back([this, key, done = std::move(done)] { done(signals[key.name]); });
  }
  WallTime now() const override { return clock; }
  void plan(std::size_t steps_total) override { planned.push_back(steps_total); }

  /// Answers until nothing is asked any more or `answers_max` were given; returns how many were.
  std::size_t run(std::size_t answers_max = SIZE_MAX) {
    std::size_t given = 0;
    for (; given < answers_max && !pending_.empty(); ++given) {
      auto which = shuffled_ ? static_cast<std::ptrdiff_t>(rng_.below(pending_.size())) : 0;
      auto next = std::move(pending_[static_cast<std::size_t>(which)]);
      pending_.erase(pending_.begin() + which);
      next();
    }
    return given;
  }

  /// Every call the workflow made, replayed ones included, in the order of asking.
  std::vector<StepKey> asked;
  /// The calls that were bought: the model was asked.
  std::vector<StepKey> bought;
  std::vector<CompletionRequest> bought_requests;
  /// Answers by key. Copy them into another driver's to resume there.
  std::map<std::string, Completion> recorded;
  std::map<std::string, JsonText> recorded_steps;
  /// Those that were taken; and the one a run goes on from.
  std::vector<JsonText> snapshots;
  std::optional<JsonText> restored_state;
  std::map<std::string, JsonText> signals;
  std::map<std::string, ToolOutput> recorded_tools;
  std::vector<StepKey> tools_used, abandoned;
  /// What a child answers; it may run a workflow on a driver of its own.
  std::function<Result<ChildEnd>(const StepKey&, ChildSpec)> child_workflow;
  std::vector<ChildSpec> children;
  std::vector<std::pair<std::string, JsonText>> signals_sent;
  /// Told with each answer.
  std::vector<AttemptRecord> attempts;
  BudgetView budget_view;
  std::vector<std::size_t> planned;
  std::size_t in_flight_max = 0;
  WallTime clock{1'700'000'000'000};

 private:
  Result<Answer> answer(const StepKey& key, const CompletionRequest& request) {
    Answer out;
    out.attempts = attempts;
    if (auto known = recorded.find(key.str()); known != recorded.end()) {
      out.completion = known->second;
      out.replayed = true;
      return out;
    }
    bought.push_back(key);
    bought_requests.push_back(request);
    auto completion = model_(key, request);
    if (!completion) return std::unexpected(completion.error());
    recorded[key.str()] = *completion;
    out.completion = std::move(*completion);
    return out;
  }

  Model model_;
  bool shuffled_;
  Rng rng_;
  std::deque<std::function<void()>> pending_;
};

/// Runs `task` to its end on `driver`. Empty when the driver ran dry first.
template <class T>
std::optional<T> drive(ScriptedDriver& driver, Task<T> task) {
  std::optional<T> out;
  task.start([&](T value) { out.emplace(std::move(value)); });
  driver.run();
  return out;
}

/// A whole answer holding this text.
inline Completion text_completion(std::string text) {
  Completion completion;
  completion.parts.push_back(TextPart{.text = std::move(text)});
  return completion;
}

}  // namespace troupe::testing
