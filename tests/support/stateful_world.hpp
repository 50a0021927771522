// A world that agents change: a JSON database, tools that read and write it, and what became of each call.
#pragma once

#include "agents/evaluation/end_state.hpp"
#include "runtime/json/json.hpp"

#include <troupe/tool.hpp>

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe::testing {

/// What an action answers, or why the world refuses it.
using ActionOutcome = std::expected<Json, std::string>;
/// Refuses before it changes anything.
using Action = ActionOutcome (*)(Json& state, const Json& arguments);

/// Not thread-safe. It outlives the processes of those who change it.
struct StatefulWorld {
  Json state;
  /// By idempotency key: what a write answered when it was carried out.
  std::map<std::string, ToolOutput> carried_out;
  /// Writes that changed the state; writes that came again and were answered from `carried_out`.
  std::size_t writes = 0, repeats = 0;
  /// Off: a write that comes again is done again.
  bool keyed = true;
};
using WorldPtr = std::shared_ptr<StatefulWorld>;

class WorldTool final : public Tool {
 public:
  WorldTool(WorldPtr world, std::string name, bool writes, Action action)
      : world_(std::move(world)), writes_(writes), action_(action) {
    spec_.name = std::move(name);
    spec_.description = writes ? "changes the database" : "reads the database";
    spec_.input_schema = {R"({"type":"object"})"};
  }
  const ToolSpec& spec() const override { return spec_; }
  void call(const ToolContext& context, const JsonText& input,
            std::function<void(Result<ToolOutput>)> done) override {
    auto arguments = parse_json(input.text);
    if (!arguments) return done(std::unexpected(arguments.error()));
    if (!arguments->is_object()) return done(fail(Errc::invalid_input, "arguments must be an object"));
    done(writes_ ? write(context.run_id + "/" + context.step_key, *arguments) : act(*arguments));
  }

 private:
  ToolOutput act(const Json& arguments) {
    auto outcome = action_(world_->state, arguments);
    if (!outcome) return {outcome.error(), true, {}};
    return {outcome->is_string() ? outcome->get<std::string>() : dump_json(*outcome), false, {}};
  }
  ToolOutput write(const std::string& key, const Json& arguments) {
    auto before = world_->carried_out.find(key);
    if (world_->keyed && before != world_->carried_out.end()) return ++world_->repeats, before->second;
    auto output = act(arguments);
    if (output.is_error) return output;
    ++world_->writes;
    world_->carried_out[key] = output;
    return output;
  }

  WorldPtr world_;
  bool writes_;
  Action action_;
  ToolSpec spec_;
};

/// Makes the calls one after the other, each under a key of its own; what was refused and why, by index.
inline std::map<std::size_t, std::string> replay(const Toolbox& tools,
                                                 const std::vector<evaluation::ToolUse>& uses) {
  std::map<std::size_t, std::string> refused;
  for (std::size_t i = 0; i < uses.size(); ++i) {
    auto tool = tools.find(uses[i].name);
    if (!tool) {
      refused[i] = "no such tool";
      continue;
    }
    ToolContext context;
    context.step_key = uses[i].name + ":" + std::to_string(i);
    tool->call(context, {dump_json(uses[i].arguments)}, [&](Result<ToolOutput> output) {
      if (!output) refused[i] = output.error().what;
      if (output && output->is_error) refused[i] = output->text;
    });
  }
  return refused;
}

}  // namespace troupe::testing
