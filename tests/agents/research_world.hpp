// A research run in virtual time: the lead and its child runs on one queue of events, with a journal that
// outlives a crash.
#pragma once

#include "agents/research/research.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/json/json.hpp"

#include <troupe/workflow.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe::research_test {

/// What survives a crash: everything recorded, by run and key.
struct WorldJournal {
  std::map<std::string, Completion> answers;
  std::map<std::string, JsonText> steps, children, signals;
  std::map<std::string, ToolOutput> tools;
  /// When each run began: all that `now` tells it, as the real driver does.
  std::map<std::string, std::int64_t> started_ms;
};

/// One call of a tool that was really carried out.
struct CarriedOut {
  std::string run, tool, input;
  friend auto operator<=>(const CarriedOut&, const CarriedOut&) = default;
};

/// Not thread-safe. The same inputs give the same history.
class ResearchWorld {
 public:
  using Model = std::function<Result<Completion>(const std::string& run, const CompletionRequest&)>;
  /// How long a call of a model ("model"), tool (its name) or step takes, in milliseconds.
  using Latency = std::function<std::int64_t(const std::string& run, const std::string& what)>;

  ResearchWorld(Model model, research::ToolSource tools);
  ~ResearchWorld();
  ResearchWorld(const ResearchWorld&) = delete;
  ResearchWorld& operator=(const ResearchWorld&) = delete;

  /// Runs to the end, or until `events_max` events have happened (a crash then: nothing when it had not
  /// ended).
  std::optional<Result<JsonText>> run(const Json& input, std::size_t events_max = SIZE_MAX);

  Latency latency = [](const std::string&, const std::string&) { return std::int64_t{10}; };
  /// What a run's budget looks like; asked each time.
  std::function<BudgetView(const std::string& run)> budget = [](const std::string&) { return BudgetView{}; };
  /// May turn a tool's answer into a failure.
  std::function<std::optional<Error>(const std::string& run, const std::string& tool)> fault;

  WorldJournal journal;
  std::vector<CarriedOut> carried_out;
  /// Requests the model was asked, with the run that asked.
  std::vector<std::pair<std::string, CompletionRequest>> asked;
  std::vector<std::string> children, cancelled;
  std::vector<Budget> slices;
  std::size_t children_at_once_max = 0, tools_at_once_max = 0, events = 0;
  std::int64_t now_ms = 1'700'000'000'000;

 private:
  /// The world's own time.
  class WorldClock final : public Clock {
   public:
    explicit WorldClock(const ResearchWorld& world) : world_(world) {}
    Instant now() const override { return Instant(std::chrono::milliseconds(world_.now_ms)); }
    WallTime wall() const override { return {world_.now_ms}; }

   private:
    const ResearchWorld& world_;
  };
  class Driver;
  struct Run;
  struct Event {
    std::string run, key;
    std::function<void()> act;
  };

  void at(std::int64_t when, std::string run, std::string key, std::function<void()> act);
  Run& open(const std::string& id, const std::string& workflow, JsonText input,
            std::function<void(Result<JsonText>)> done);
  void close(const std::string& id);
  void drop(const std::string& run, const std::string& key);
  void deliver(const std::string& child, const std::string& name, const JsonText& json);

  WorldClock clock_{*this};
  Model model_;
  research::ToolSource source_;
  std::map<std::string, WorkflowFunction> workflows_;
  std::map<std::pair<std::int64_t, std::uint64_t>, Event> queue_;
  std::map<std::string, std::unique_ptr<Run>> runs_;
  /// Signals nobody has waited for yet, and those who wait, by run and name.
  std::map<std::string, std::vector<JsonText>> mail_;
  std::map<std::string, std::pair<std::string, std::function<void(Result<JsonText>)>>> waiting_;
  std::uint64_t number_ = 0;
  std::set<std::string> open_children_;
  std::size_t tools_open_ = 0;
};

}  // namespace troupe::research_test
