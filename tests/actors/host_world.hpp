// A node's runs over a journal in memory: parents and children, and what is left when the process dies.
#pragma once

#include "actors/run_host.hpp"
#include "tests/actors/run_world.hpp"

namespace troupe::actors::testing {

class HostTest : public RunTest {
 protected:
  HostTest() { new_process(); }
  ~HostTest() override { end_process(); }
  void TearDown() override {
    end_process();
    RunTest::TearDown();
  }

  /// The process dies with all it held in memory, and another begins on the same journal.
  void new_process() {
    end_process();
    host_ = std::make_unique<RunHost>();
    RunHostParts parts{&system_, &clock_,     &journal_,  "n1",        queues_,
                       price_,   park_after_, retention_, durability_, power_safe_};
    host_->start(std::move(parts));
    for (const auto& type : types_) host_->add(type);
  }
  void end_process() {
    if (!host_) return;
    journal_.crash();
    host_->kill();
    run();
    journal_.crash();
    host_.reset();
    held_.clear();
  }
  void add(const std::string& name, WorkflowFunction function, std::string version = {},
           std::function<bool(const std::string&)> migrates = {}) {
    WorkflowType type{name, std::move(function), std::move(version), std::move(migrates)};
    std::erase_if(types_, [&](const WorkflowType& each) { return each.name == name; });
    types_.push_back(type);
    host_->add(std::move(type));
  }
  void submit(const std::string& workflow, const std::string& run_id = "run-1", Budget budget = {},
              const std::string& input = "{}") {
    RunSpec spec{workflow, {input}, run_id, "default", budget, {}};
    RunHost::Watch watch{{}, [this](RunReport report) { reports_.push_back(std::move(report)); }};
    auto id = host_->submit(std::move(spec), std::move(watch));
    ASSERT_TRUE(id) << id.error().what;
    run();
  }
  /// Time passes for all runs, and what becomes durable does.
  void wait(Duration span) {
    for (Duration left = span; left > Duration::zero(); left -= 100ms) {
      clock_.pass(std::min<Duration>(100ms, left));
      host_->tick();
      settle();
    }
  }
  std::vector<std::string> told(const std::string& prefix) const {
    std::vector<std::string> out;
    for (const auto& line : journal_.story)
      if (line.starts_with(prefix)) out.push_back(line);
    return out;
  }

  Duration park_after_{}, retention_{};
  std::map<std::string, Durability> durability_;
  bool power_safe_ = true;
  std::function<double(const CompletionRequest&, const Usage&)> price_;
  std::vector<WorkflowType> types_;
  std::unique_ptr<RunHost> host_;
};

/// Counts its uses and answers by script; by default with its input.
class ScriptedTool final : public Tool {
 public:
  using Script = std::function<Result<ToolOutput>(int use, const JsonText& input)>;
  explicit ScriptedTool(Script script = {}, bool repeatable = true)
      : script_(std::move(script)), repeatable_(repeatable) {}
  const ToolSpec& spec() const override { return spec_; }
  bool repeatable() const override { return repeatable_; }
  void call(const ToolContext& context, const JsonText& input,
            std::function<void(Result<ToolOutput>)> done) override {
    contexts.push_back(context);
    if (!script_) return done(ToolOutput{input.text, false, {}});
    done(script_(static_cast<int>(contexts.size()), input));
  }
  std::vector<ToolContext> contexts;

 private:
  ToolSpec spec_{"lookup", "looks something up", {"{}"}};
  Script script_;
  bool repeatable_;
};

}  // namespace troupe::actors::testing
