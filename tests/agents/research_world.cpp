// The queue of events, and the driver each run sees.
#include "tests/agents/research_world.hpp"

#include <algorithm>

namespace troupe::research_test {

/// Answers one run's requests through the world's queue.
class ResearchWorld::Driver final : public WorkflowDriver {
 public:
  Driver(ResearchWorld& world, std::string run) : world_(world), run_(std::move(run)) {}

  void complete(const StepKey& key, CompletionRequest request, OnUnknown,
                std::function<void(Result<Answer>)> done) override {
    auto id = name(key);
    auto known = world_.journal.answers.contains(id);
    auto wait = known ? 0 : world_.latency(run_, "model");
    world_.at(world_.now_ms + wait, run_, key.str(), [this, id, known, request = std::move(request), done] {
      Answer out;
      out.replayed = known;
      if (!known) {
        world_.asked.emplace_back(run_, request);
        auto completion = world_.model_(run_, request);
        if (!completion) return done(std::unexpected(completion.error()));
        world_.journal.answers[id] = std::move(*completion);
      }
      out.completion = world_.journal.answers[id];
      done(std::move(out));
    });
  }
  void step(const StepKey& key, std::function<Result<JsonText>()> body,
            std::function<void(Result<JsonText>)> done) override {
    auto id = name(key);
    world_.at(world_.now_ms, run_, key.str(), [this, id, body = std::move(body), done] {
      auto known = world_.journal.steps.find(id);
      if (known == world_.journal.steps.end()) {
        auto result = body();
        if (!result) return done(std::move(result));
        known = world_.journal.steps.emplace(id, std::move(*result)).first;
      }
      done(known->second);
    });
  }
  void tool(const StepKey& key, ToolPtr tool, JsonText input, RetryPolicy retry,
            std::function<void(Result<ToolOutput>)> done) override {
    auto id = name(key);
    if (auto known = world_.journal.tools.find(id); known != world_.journal.tools.end()) {
      world_.at(world_.now_ms, run_, key.str(), [output = known->second, done] { done(output); });
      return;
    }
    world_.tools_at_once_max = std::max(world_.tools_at_once_max, ++world_.tools_open_);
    auto wait = world_.latency(run_, tool->spec().name);
    auto act = [this, id, key, tool, input = std::move(input), retry, done] {
      --world_.tools_open_;
      done(use(id, key, *tool, input, retry));
    };
    world_.at(world_.now_ms + wait, run_, key.str(), std::move(act));
  }
  void child(const StepKey& key, ChildSpec spec, std::function<void(Result<ChildEnd>)> done) override {
    auto id = run_ + "/" + key.str();
    world_.slices.push_back(spec.slice);
    if (auto known = world_.journal.children.find(id); known != world_.journal.children.end()) {
      ChildEnd end{.output = known->second, .spent = {}, .replayed = true};
      world_.at(world_.now_ms, run_, key.str(), [end, done] { done(end); });
      return;
    }
    world_.children.push_back(id);
    world_.open_children_.insert(id);
    world_.children_at_once_max = std::max(world_.children_at_once_max, world_.open_children_.size());
    auto ended = [this, id, key, done](Result<JsonText> output) {
      world_.open_children_.erase(id);
      if (output) world_.journal.children[id] = *output;
      world_.at(world_.now_ms, run_, key.str(), [output, done] {
        if (!output) return done(std::unexpected(output.error()));
        ChildEnd end;
        end.output = *output;
        done(std::move(end));
      });
    };
    world_.at(world_.now_ms, run_, key.str(), [this, id, spec = std::move(spec), ended] {
      world_.open(id, spec.workflow, spec.input, ended);
    });
  }
  void signal_child(const StepKey& child, std::string name, JsonText json,
                    std::function<void(Result<void>)> done) override {
    auto id = run_ + "/" + child.str();
    world_.at(world_.now_ms, run_, "", [this, id, name, json, done] {
      if (!world_.open_children_.contains(id)) return done(fail(Errc::not_found, "it does not run"));
      world_.deliver(id, name, json);
      done({});
    });
  }
  void sleep_until(const StepKey& key, WallTime when, std::function<void(Result<void>)> done) override {
    world_.at(std::max(when.ms, world_.now_ms), run_, key.str(), [done] { done({}); });
  }
  void signal(const StepKey& key, std::function<void(Result<JsonText>)> done) override {
    auto box = run_ + ":" + key.name;
    auto& mail = world_.mail_[box];
    if (mail.empty()) {
      world_.waiting_[box] = {key.str(), std::move(done)};
      return;
    }
    auto json = mail.front();
    mail.erase(mail.begin());
    world_.at(world_.now_ms, run_, key.str(), [json, done] { done(json); });
  }
  void abandon(const StepKey& key) override { world_.drop(run_, key.str()); }
  BudgetView budget() const override { return world_.budget(run_); }
  WallTime now() const override { return WallTime{world_.journal.started_ms.at(run_)}; }
  void plan(std::size_t) override {}

 private:
  std::string name(const StepKey& key) const { return run_ + "|" + key.str(); }

  Result<ToolOutput> use(const std::string& id, const StepKey& key, Tool& tool, const JsonText& input,
                         const RetryPolicy& retry) {
    Result<ToolOutput> out = fail(Errc::unreachable, "never tried");
    for (int i = 0; i < retry.attempts_max && !out; ++i) {
      auto broken = world_.fault ? world_.fault(run_, tool.spec().name) : std::nullopt;
      if (broken) {
        out = std::unexpected(*broken);
        continue;
      }
      world_.carried_out.push_back({run_, tool.spec().name, input.text});
      ToolContext context;
      context.run_id = run_;
      context.step_key = key.str();
      tool.call(context, input, [&](Result<ToolOutput> given) { out = std::move(given); });
    }
    if (out) world_.journal.tools[id] = *out;
    return out;
  }

  ResearchWorld& world_;
  std::string run_;
};

struct ResearchWorld::Run {
  Run(ResearchWorld& world, const std::string& id) : driver(world, id), wf(driver) {}
  Driver driver;
  Workflow wf;
  std::optional<Task<Result<JsonText>>> task;
};

ResearchWorld::ResearchWorld(Model model, research::ToolSource tools)
    : model_(std::move(model)), source_(std::move(tools)) {
  workflows_[std::string(research::kResearchName)] = research::make_research(source_, clock_);
  workflows_[std::string(research::kAgentName)] = research::make_research_agent(source_);
}

ResearchWorld::~ResearchWorld() {
  while (!runs_.empty()) close(runs_.begin()->first);
}

void ResearchWorld::at(std::int64_t when, std::string run, std::string key, std::function<void()> act) {
  queue_[{when, number_++}] = {std::move(run), std::move(key), std::move(act)};
}

ResearchWorld::Run& ResearchWorld::open(const std::string& id, const std::string& workflow, JsonText input,
                                        std::function<void(Result<JsonText>)> done) {
  journal.started_ms.try_emplace(id, now_ms);
  auto& run = runs_[id];
  run = std::make_unique<Run>(*this, id);
  run->task.emplace(workflows_.at(workflow)(run->wf, std::move(input)));
  run->task->start(std::move(done));
  return *run;
}

// The task goes first: what it waited for is abandoned through a driver that still stands.
void ResearchWorld::close(const std::string& id) {
  auto it = runs_.find(id);
  if (it == runs_.end()) return;
  auto run = std::move(it->second);
  runs_.erase(it);
  run->task.reset();
  std::erase_if(queue_, [&](const auto& entry) { return entry.second.run == id; });
  std::erase_if(waiting_, [&](const auto& entry) { return entry.first.starts_with(id + ":"); });
}

void ResearchWorld::drop(const std::string& run, const std::string& key) {
  std::erase_if(queue_,
                [&](const auto& entry) { return entry.second.run == run && entry.second.key == key; });
  std::erase_if(waiting_, [&](const auto& entry) {
    return entry.first.starts_with(run + ":") && entry.second.first == key;
  });
  auto child = run + "/" + key;
  if (open_children_.erase(child) == 0) return;
  cancelled.push_back(child);
  close(child);
}

void ResearchWorld::deliver(const std::string& child, const std::string& name, const JsonText& json) {
  auto box = child + ":" + name;
  auto waiting = waiting_.find(box);
  if (waiting == waiting_.end()) {
    mail_[box].push_back(json);
    return;
  }
  auto [key, done] = std::move(waiting->second);
  waiting_.erase(waiting);
  at(now_ms, child, key, [done, json] { done(json); });
}

std::optional<Result<JsonText>> ResearchWorld::run(const Json& input, std::size_t events_max) {
  std::optional<Result<JsonText>> out;
  open("run", std::string(research::kResearchName), JsonText{dump_json(input)},
       [&](Result<JsonText> result) { out.emplace(std::move(result)); });
  while (!out && !queue_.empty() && events < events_max) {
    auto first = queue_.begin();
    now_ms = std::max(now_ms, first->first.first);
    auto event = std::move(first->second);
    queue_.erase(first);
    ++events;
    event.act();
  }
  while (!runs_.empty()) close(runs_.begin()->first);
  return out;
}

}  // namespace troupe::research_test
