// A tool of your own: used once, its result recorded, whatever happens to the process.
//
// Usage: example_04_tool [FOLDER for the journal, default .troupe]
#include <troupe/node.hpp>

#include <atomic>
#include <cstdio>

namespace {

// Looks up when the tide is high. `context` names the call for ever: a tool with effects would pass it on.
class TideTable final : public troupe::Tool {
 public:
  const troupe::ToolSpec& spec() const override { return spec_; }
  void call(const troupe::ToolContext& context, const troupe::JsonText& input,
            std::function<void(troupe::Result<troupe::ToolOutput>)> done) override {
    ++calls;
    std::printf("called by step %s with %s\n", context.step_key.c_str(), input.text.c_str());
    done(troupe::ToolOutput{"high water 06:12 and 18:40", false, {}});
  }
  std::atomic<int> calls = 0;

 private:
  troupe::ToolSpec spec_{"tide_table",
                         "When the tide is high at a harbour",
                         {R"({"type":"object","properties":{"harbour":{"type":"string"}}})"}};
};

troupe::Task<troupe::Result<troupe::JsonText>> look_up(troupe::Workflow& wf, troupe::ToolPtr tides) {
  troupe::StepKey key{"tides", "harbour"};
  troupe::JsonText input{R"({"harbour":"north"})"};
  auto output = co_await wf.tool(key, tides, input);
  if (!output) co_return std::unexpected(output.error());
  co_return troupe::JsonText{"\"" + output->text + "\""};
}

}  // namespace

int main(int argc, char** argv) {
  auto node = troupe::Node::start(troupe::Config::demo().with_state_dir(argc > 1 ? argv[1] : ".troupe"));
  if (!node) return std::fprintf(stderr, "%s\n", node.error().what.c_str()), 1;
  auto tides = std::make_shared<TideTable>();
  (*node)->add_workflow("look_up",
                        [tides](troupe::Workflow& wf, troupe::JsonText) { return look_up(wf, tides); });
  auto first = (*node)->run({"look_up", {"null"}, "", "example", {}, {}});
  if (first.error) return std::fprintf(stderr, "%s\n", first.error->what.c_str()), 1;
  // Resumed: the recorded output is given again, the tool is not used.
  auto again = (*node)->run({"look_up", {"null"}, first.run_id, "example", {}, {}});
  std::printf("%s\nused %d time\n", again.output.text.c_str(), tides->calls.load());
}
