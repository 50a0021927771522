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

// A note stands with its tool, so that the record of tools without any is what it always was.
std::string described(const OpenedTools& live) {
  Json list = Json::array();
  for (const auto& spec : live.box.specs()) {
    Json item{{"name", spec.name}, {"description", spec.description}, {"schema", spec.input_schema.text}};
    auto note = live.notes.find(spec.name);
    if (note != live.notes.end()) item["note"] = note->second;
    list.push_back(std::move(item));
  }
  return dump_json(list);
}

OpenedTools as_recorded(const Json& list, const Toolbox& live) {
  OpenedTools out;
  for (const auto& item : list) {
    ToolSpec spec{get_string(item, "name"), get_string(item, "description"), {get_string(item, "schema")}};
    auto tool = live.find(spec.name);
    if (auto note = get_string(item, "note"); !note.empty()) out.notes[spec.name] = std::move(note);
    // Recorded names differ, so adding cannot fail.
    auto added = out.box.add(std::make_shared<KeptTool>(std::move(spec), std::move(tool)));
    (void)added;
  }
  return out;
}

}  // namespace

std::vector<std::string> OpenedTools::told() const {
  std::vector<std::string> out;
  for (const auto& [name, note] : notes)
    if (box.find(name) != nullptr) out.push_back(note);
  return out;
}

Task<Result<OpenedTools>> keep_opened(Workflow& wf, const OpenedTools& live) {
  StepKey key{"tools.kept", ""};
  std::function<Result<JsonText>()> body = [text = described(live)]() -> Result<JsonText> {
    return JsonText{text};
  };
  auto keeping = wf.step(key, std::move(body));
  auto kept = co_await keeping;
  if (!kept) co_return std::unexpected(kept.error());
  auto list = parse_json(kept->text);
  if (!list) co_return std::unexpected(list.error());
  co_return as_recorded(*list, live.box);
}

Task<Result<Toolbox>> keep_tools(Workflow& wf, const Toolbox& live) {
  const OpenedTools opened(live);
  auto keeping = keep_opened(wf, opened);
  auto kept = co_await keeping;
  if (!kept) co_return std::unexpected(kept.error());
  co_return std::move(kept->box);
}

}  // namespace troupe::research
