// A tool that passes on everything but whom it is called for.
#include "agents/research/principal.hpp"

#include <memory>
#include <utility>

namespace troupe::research {
namespace {

class PrincipalTool final : public Tool {
 public:
  PrincipalTool(ToolPtr tool, std::string principal)
      : tool_(std::move(tool)), principal_(std::move(principal)) {}
  const ToolSpec& spec() const override { return tool_->spec(); }
  bool repeatable() const override { return tool_->repeatable(); }
  void call(const ToolContext& context, const JsonText& input,
            std::function<void(Result<ToolOutput>)> done) override {
    auto mine = context;
    mine.principal = principal_;
    tool_->call(mine, input, std::move(done));
  }

 private:
  ToolPtr tool_;
  std::string principal_;
};

}  // namespace

Toolbox on_behalf_of(const Toolbox& tools, const std::string& principal) {
  if (principal.empty()) return tools;
  Toolbox out;
  for (const auto& spec : tools.specs()) {
    // Names differ already, so adding cannot fail.
    auto added = out.add(std::make_shared<PrincipalTool>(tools.find(spec.name), principal));
    (void)added;
  }
  return out;
}

}  // namespace troupe::research
