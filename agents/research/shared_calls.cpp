// Who asks first, and who waits for what that one is told.
#include "agents/research/shared_calls.hpp"

#include "agents/research/queries.hpp"

#include <utility>

namespace troupe::research {

class SharedTool final : public Tool {
 public:
  SharedTool(std::shared_ptr<SharedCalls> calls, ToolPtr tool)
      : calls_(std::move(calls)), tool_(std::move(tool)) {}
  const ToolSpec& spec() const override { return tool_->spec(); }
  void call(const ToolContext& context, const JsonText& input,
            std::function<void(Result<ToolOutput>)> done) override {
    calls_->call(tool_, context, input, std::move(done));
  }

 private:
  const std::shared_ptr<SharedCalls> calls_;
  const ToolPtr tool_;
};

ToolPtr SharedCalls::over(ToolPtr tool) {
  if (!tool->repeatable()) return tool;
  return std::make_shared<SharedTool>(shared_from_this(), std::move(tool));
}

Toolbox SharedCalls::over(const Toolbox& tools) {
  Toolbox out;
  for (const auto& spec : tools.specs()) {
    // Names differ already, so adding cannot fail.
    auto added = out.add(over(tools.find(spec.name)));
    (void)added;
  }
  return out;
}

// Keeps `done` where somebody else's answer will reach it, or says what to do instead.
SharedCalls::Next SharedCalls::join(const std::string& key, Done& done, ToolOutput& known) {
  std::lock_guard lock(mutex_);
  auto it = calls_.find(key);
  if (it == calls_.end() && calls_.size() == calls_max) return Next::alone;
  if (it != calls_.end() && it->second.made) {
    known = it->second.output;
    return Next::told;
  }
  calls_[key].waiting.push_back(std::move(done));
  return it == calls_.end() ? Next::first : Next::waits;
}

// Nothing is called under the lock: an answer may lead to the next call at once.
void SharedCalls::call(const ToolPtr& tool, const ToolContext& context, const JsonText& input, Done done) {
  auto json = parse_json(input.text);
  if (!json || !json->is_object()) return tool->call(context, input, std::move(done));
  auto key = call_hash(tool->spec().name, *json);
  ToolOutput known;
  switch (join(key, done, known)) {
    case Next::waits: return;
    case Next::told: return done(std::move(known));
    case Next::alone: return tool->call(context, input, std::move(done));
    case Next::first: break;
  }
  tool->call(context, input,
             [self = shared_from_this(), key](Result<ToolOutput> output) { self->ended(key, output); });
}

void SharedCalls::ended(const std::string& key, const Result<ToolOutput>& output) {
  std::vector<Done> waiting;
  {
    std::lock_guard lock(mutex_);
    auto& call = calls_[key];
    waiting = std::exchange(call.waiting, {});
    bool good = output && !output->is_error && bytes_ + output->text.size() <= bytes_max;
    if (good) {
      bytes_ += output->text.size();
      call.output = *output;
      call.made = true;
    } else {
      calls_.erase(key);
    }
  }
  for (const auto& done : waiting) done(output);
}

std::shared_ptr<SharedCalls> SharedCallsOfRuns::of(const std::string& run) {
  std::lock_guard lock(mutex_);
  std::erase_if(runs_, [](const auto& each) { return each.second.expired(); });
  auto calls = runs_[run].lock();
  if (!calls) runs_[run] = calls = std::make_shared<SharedCalls>();
  return calls;
}

}  // namespace troupe::research
