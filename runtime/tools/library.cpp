// Putting a corpus' name before its documents' ids, and taking it off again.
#include "runtime/tools/library.hpp"

#include "runtime/json/json.hpp"
#include "runtime/tools/arguments.hpp"

#include <fmt/format.h>

#include <utility>

namespace troupe::tools {
namespace {

using ToolDone = std::function<void(Result<ToolOutput>)>;

std::string shelf_mark(const std::string& name) { return name.empty() ? "" : "corpus:" + name + "/"; }

void mark_documents(Json& value, const std::string& mark) {
  if (auto doc = get_string(value, "doc"); !doc.empty()) value["doc"] = mark + doc;
  if (!value.contains("hits")) return;
  for (auto& hit : value["hits"]) hit["doc"] = mark + get_string(hit, "doc");
}

Result<ToolOutput> with_marks(Result<ToolOutput> output, const std::string& mark) {
  if (!output || output->is_error || mark.empty()) return output;
  auto json = parse_json(output->text);
  if (!json || !json->is_object()) return output;
  mark_documents(*json, mark);
  output->text = dump_json(*json);
  for (auto& span : output->sources) span.doc = mark + span.doc;
  return output;
}

class NamedSearch final : public Tool {
 public:
  NamedSearch(const NamedCorpus& corpus, ToolPtr search)
      : mark_(shelf_mark(corpus.name)), search_(std::move(search)), spec_(search_->spec()) {
    spec_.name = "search_" + corpus.name;
    spec_.description = fmt::format("The documents of {}: {}", corpus.name, spec_.description);
  }
  const ToolSpec& spec() const override { return spec_; }
  void call(const ToolContext& context, const JsonText& input, ToolDone done) override {
    search_->call(context, input, [mark = mark_, done = std::move(done)](Result<ToolOutput> output) {
      done(with_marks(std::move(output), mark));
    });
  }

 private:
  const std::string mark_;
  const ToolPtr search_;
  ToolSpec spec_;
};

class LibraryOpen final : public Tool {
 public:
  explicit LibraryOpen(const std::vector<NamedCorpus>& corpora) {
    for (const auto& each : corpora) shelves_.push_back({shelf_mark(each.name), make_open_tool(each.corpus)});
  }
  const ToolSpec& spec() const override { return shelves_.front().open->spec(); }
  void call(const ToolContext& context, const JsonText& input, ToolDone done) override {
    auto asked = parse_json(input.text);
    auto doc = asked && asked->is_object() ? get_string(*asked, "doc") : std::string();
    const auto* shelf = shelf_of(doc);
    if (shelf == nullptr)
      return done(tool_error("There is no such document. Use an id that search has shown."));
    // What is no document's name at all is refused by the tool itself, in its own words.
    if (!doc.empty()) (*asked)["doc"] = doc.substr(shelf->mark.size());
    auto passed_on = doc.empty() ? input : JsonText{dump_json(*asked)};
    shelf->open->call(context, passed_on,
                      [mark = shelf->mark, done = std::move(done)](Result<ToolOutput> output) {
                        done(with_marks(std::move(output), mark));
                      });
  }

 private:
  struct Shelf {
    std::string mark;
    ToolPtr open;
  };
  // A mark in full is a named corpus' even if a nameless document is called so.
  const Shelf* shelf_of(const std::string& doc) const {
    const Shelf* nameless = nullptr;
    for (const auto& shelf : shelves_) {
      if (shelf.mark.empty()) nameless = &shelf;
      if (!shelf.mark.empty() && doc.starts_with(shelf.mark)) return &shelf;
    }
    return nameless != nullptr || !doc.empty() ? nameless : &shelves_.front();
  }

  std::vector<Shelf> shelves_;
};

}  // namespace

std::vector<ToolPtr> make_library_tools(std::vector<NamedCorpus> corpora, bool filtering) {
  std::vector<ToolPtr> out;
  for (const auto& each : corpora) {
    auto search = filtering ? make_filtering_search_tool(each.corpus) : make_search_tool(each.corpus);
    out.push_back(each.name.empty() ? search : std::make_shared<NamedSearch>(each, std::move(search)));
  }
  if (!corpora.empty()) out.push_back(std::make_shared<LibraryOpen>(corpora));
  return out;
}

}  // namespace troupe::tools
