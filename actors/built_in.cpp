#include "actors/built_in.hpp"

#include "agents/recap/recap.hpp"
#include "agents/research/research.hpp"
#include "agents/summary/summary.hpp"
#include "runtime/json/json.hpp"
#include "runtime/tools/calculator.hpp"
#include "runtime/tools/corpus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>

namespace troupe::actors {
namespace {

// Of a folder the newest of all its files, since a file that is written to leaves the folder's own time
// alone.
std::string edition_of(const std::filesystem::path& path) {
  std::error_code error;
  auto newest = std::filesystem::last_write_time(path, error);
  std::size_t files = 0;
  std::filesystem::recursive_directory_iterator at(path, error), end;
  for (; !error && at != end; at.increment(error), ++files) {
    std::error_code gone;
    newest = std::max(newest, at->last_write_time(gone));
  }
  return fmt::format("{}@{}/{}", path.string(), newest.time_since_epoch().count(), files);
}

// Corpora stay open while somebody uses them: a lead and its subagents search the same one.
class OpenCorpora {
 public:
  Result<std::shared_ptr<tools::Corpus>> open(const std::string& path) {
    auto name = edition_of(path);
    std::lock_guard lock(mutex_);
    std::erase_if(open_, [](const auto& each) { return each.second.expired(); });
    if (auto open = open_[name].lock()) return open;
    auto opened = tools::open_corpus(path);
    if (!opened) return std::unexpected(opened.error());
    open_[name] = *opened;
    // One is kept for the next run of a series.
    last_ = *opened;
    return *opened;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<tools::Corpus>> open_;
  std::shared_ptr<tools::Corpus> last_;
};

// Reads with the rights of one principal, whoever calls (J4).
class BoundTool final : public Tool {
 public:
  BoundTool(ToolPtr tool, std::string principal) : tool_(std::move(tool)), principal_(std::move(principal)) {}
  const ToolSpec& spec() const override { return tool_->spec(); }
  bool repeatable() const override { return tool_->repeatable(); }
  void call(const ToolContext& context, const JsonText& input,
            std::function<void(Result<ToolOutput>)> done) override {
    auto bound = context;
    bound.principal = principal_;
    tool_->call(bound, input, std::move(done));
  }

 private:
  ToolPtr tool_;
  std::string principal_;
};

research::ToolSource corpus_tools() {
  return [corpora = std::make_shared<OpenCorpora>()](const JsonText& input) -> Result<Toolbox> {
    auto asked = parse_json(input.text);
    if (!asked) return std::unexpected(asked.error());
    auto path = get_string(*asked, "input");
    if (path.empty())
      return fail(Errc::input_missing, "research needs a corpus: a JSON Lines file or a folder of texts");
    auto corpus = corpora->open(path);
    if (!corpus) return std::unexpected(corpus.error());
    Toolbox box;
    auto principal = get_string(*asked, "principal");
    for (auto& tool :
         {tools::make_search_tool(*corpus), tools::make_open_tool(*corpus), tools::make_calculator()})
      if (auto added = box.add(std::make_shared<BoundTool>(tool, principal)); !added)
        return std::unexpected(added.error());
    return box;
  };
}

}  // namespace

std::vector<WorkflowType> built_in_workflows() {
  auto source = corpus_tools();
  std::vector<WorkflowType> out;
  out.push_back({"recap", recap::recap, {}, {}});
  out.push_back({"summary", summary::summarise, {}, {}});
  out.push_back({std::string(research::kResearchName), research::make_research(source), {}, {}});
  out.push_back({std::string(research::kAgentName), research::make_research_agent(source), {}, {}});
  return out;
}

}  // namespace troupe::actors
