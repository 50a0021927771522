// A tool of one's own: what a model may call it with, what it answers, and a workflow that uses it.
//
// Usage: example_03_own_tool [FOLDER for the journal, default .troupe]
#include <troupe/node.hpp>
#include <troupe/tool.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace {

// Knows when the tide is high. `call` may come from several threads at once: this one keeps no state.
class TideTable final : public troupe::Tool {
 public:
  const troupe::ToolSpec& spec() const override { return spec_; }

  void call(const troupe::ToolContext&, const troupe::JsonText& input,
            std::function<void(troupe::Result<troupe::ToolOutput>)> done) override {
    // Something the model can put right is an observation for it, not an error of ours.
    if (input.text.find("\"Skerry\"") == std::string::npos)
      return done(troupe::ToolOutput{.text = "The only harbour in the table is Skerry.", .is_error = true});
    done(troupe::ToolOutput{.text = "High water at 04:10 and 16:35."});
  }

 private:
  const troupe::ToolSpec spec_{
      "tide_table",
      "High water at a harbour, today.",
      {R"({"type":"object","properties":{"harbour":{"type":"string"}},"required":["harbour"]})"}};
};

// The answer is recorded: a run that is taken up again does not call the tool a second time.
troupe::Task<troupe::Result<troupe::JsonText>> sail(troupe::Workflow& wf, troupe::JsonText) {
  troupe::ToolPtr tides = std::make_shared<TideTable>();
  troupe::StepKey wrong{"tides", "Atlantis"}, right{"tides", "Skerry"};
  troupe::JsonText atlantis{R"({"harbour":"Atlantis"})"}, skerry{R"({"harbour":"Skerry"})"};
  auto refused = co_await wf.tool(wrong, tides, std::move(atlantis));
  if (!refused) co_return std::unexpected(refused.error());
  std::printf("told: %s\n", refused->text.c_str());
  auto told = co_await wf.tool(right, tides, std::move(skerry));
  if (!told) co_return std::unexpected(told.error());
  co_return troupe::JsonText{"\"" + told->text + "\""};
}

}  // namespace

int main(int argc, char** argv) {
  auto node = troupe::Node::start(troupe::Config::demo().with_state_dir(argc > 1 ? argv[1] : ".troupe"));
  if (!node) {
    std::fprintf(stderr, "%s\n", node.error().what.c_str());
    return 1;
  }
  (*node)->add_workflow("sail", sail);
  auto report = (*node)->run({"sail", {"null"}, "", "example"});
  if (report.error) {
    std::fprintf(stderr, "%s: %s\n", troupe::to_string(report.error->code), report.error->what.c_str());
    return 1;
  }
  std::printf("answered: %s\n", report.output.text.c_str());
}
