// Recorded descriptions over live tools.
#include "agents/research/kept_tools.hpp"

#include "runtime/json/json.hpp"

#include <memory>
#include <utility>

namespace troupe::research {
namespace {

// Described as it was; carried out by what is there now, if anything is.
class KeptTool final : public Tool {
 public:
  KeptTool(ToolSpec spec, ToolPtr live) : spec_(std::move(spec)), live_(std::move(live)) {}
  const ToolSpec& spec() const override { return spec_; }
  bool repeatable() const override { return !live_ || live_->repeatable(); }
  void call(const ToolContext& context, const JsonText& input,
            std::function<void(Result<ToolOutput>)> done) override {
    if (live_) return live_->call(context, input, std::move(done));
    done(ToolOutput{.text = "This tool is not there any more.", .is_error = true});
  }

 private:
  const ToolSpec spec_;
  const ToolPtr live_;
};

std::string described(const Toolbox& live) {
  Json list = Json::array();
  for (const auto& spec : live.specs())
    list.push_back(
        Json{{"name", spec.name}, {"description", spec.description}, {"schema", spec.input_schema.text}});
  return dump_json(list);
}

Toolbox as_recorded(const Json& list, const Toolbox& live) {
  Toolbox out;
  for (const auto& item : list) {
    ToolSpec spec{get_string(item, "name"), get_string(item, "description"), {get_string(item, "schema")}};
    auto tool = live.find(spec.name);
    // Recorded names differ, so adding cannot fail.
    auto added = out.add(std::make_shared<KeptTool>(std::move(spec), std::move(tool)));
    (void)added;
  }
  return out;
}

}  // namespace

Task<Result<Toolbox>> keep_tools(Workflow& wf, const Toolbox& live) {
  StepKey key{"tools.kept", ""};
  std::function<Result<JsonText>()> body = [text = described(live)]() -> Result<JsonText> {
    return JsonText{text};
  };
  auto keeping = wf.step(key, std::move(body));
  auto kept = co_await keeping;
  if (!kept) co_return std::unexpected(kept.error());
  auto list = parse_json(kept->text);
  if (!list) co_return std::unexpected(list.error());
  co_return as_recorded(*list, live);
}

}  // namespace troupe::research
