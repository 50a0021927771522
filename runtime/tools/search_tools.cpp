// The tools over a corpus: search it, and read one document of it.
#include "runtime/base/characters.hpp"
#include "runtime/tools/arguments.hpp"
#include "runtime/tools/corpus.hpp"
#include "runtime/tools/passages.hpp"

#include <algorithm>
#include <utility>

namespace troupe::tools {
namespace {

Json source_of(std::string_view doc, const std::string& title, const std::string& url) {
  Json out = {{"doc", doc}, {"title", title}};
  if (!url.empty()) out["url"] = url;
  return out;
}

constexpr const char* kSearchSays =
    "Finds passages of the documents at hand by their words. Answers the best passages with the document's "
    "id, "
    "and the bytes [start, end) of its text that are shown. Use few, telling words.";
constexpr const char* kSearchTakes =
    R"({"type":"object","properties":{"query":{"type":"string","description":"words to look for"},)"
    R"("limit":{"type":"integer","minimum":1,"maximum":50,"description":"documents to show; 10 unless said"}},)"
    R"("required":["query"],"additionalProperties":false})";
constexpr const char* kFilteringTakes =
    R"({"type":"object","properties":{"query":{"type":"string","description":"words to look for"},)"
    R"("limit":{"type":"integer","minimum":1,"maximum":50,"description":"documents to show; 10 unless said"},)"
    R"("from":{"type":"string","description":"YYYY-MM-DD"},"to":{"type":"string","description":"YYYY-MM-DD"},)"
    R"("types":{"type":"string","description":"kinds of documents, by comma"},)"
    R"("people":{"type":"string","description":"whose documents, by comma"}},)"
    R"("required":["query"],"additionalProperties":false})";

std::vector<std::string> by_comma(const std::string& list) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < list.size();) {
    auto end = std::min(list.find(',', at), list.size());
    if (end > at) out.push_back(list.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

class SearchTool final : public Tool {
 public:
  SearchTool(std::shared_ptr<const Corpus> corpus, bool filters)
      : corpus_(std::move(corpus)),
        filters_(filters),
        spec_{"search", kSearchSays, {filters ? kFilteringTakes : kSearchTakes}} {}
  const ToolSpec& spec() const override { return spec_; }

  void call(const ToolContext& context, const JsonText& input,
            std::function<void(Result<ToolOutput>)> done) override {
    Arguments arguments(input);
    auto query = arguments.text("query");
    auto limit = arguments.integer_or("limit", 10, 1, 50);
    auto filter = filters_ ? filter_of(arguments) : DocumentFilter{};
    if (auto fits = arguments.check(); !fits) return done(std::unexpected(fits.error()));
    auto hits = corpus_->search(query, context.principal, static_cast<std::size_t>(limit), filter);
    if (!hits) return done(std::unexpected(hits.error()));
    done(shown(*hits));
  }

 private:
  static DocumentFilter filter_of(Arguments& arguments) {
    DocumentFilter out;
    out.from = arguments.text_or_none("from");
    out.to = arguments.text_or_none("to");
    out.types = by_comma(arguments.text_or_none("types"));
    out.people = by_comma(arguments.text_or_none("people"));
    return out;
  }
  static ToolOutput shown(const std::vector<Hit>& hits) {
    ToolOutput out;
    Json list = Json::array();
    for (const auto& hit : hits) {
      auto entry = source_of(hit.doc, hit.title, hit.url);
      entry["start"] = hit.span.start;
      entry["end"] = hit.span.end;
      entry["text"] = hit.snippet;
      list.push_back(std::move(entry));
      out.sources.push_back(hit.span);
    }
    out.text = dump_json(Json{{"hits", std::move(list)}});
    return out;
  }

  std::shared_ptr<const Corpus> corpus_;
  const bool filters_;
  const ToolSpec spec_;
};

class OpenTool final : public Tool {
 public:
  explicit OpenTool(std::shared_ptr<const Corpus> corpus) : corpus_(std::move(corpus)) {}
  const ToolSpec& spec() const override { return spec_; }

  void call(const ToolContext& context, const JsonText& input,
            std::function<void(Result<ToolOutput>)> done) override {
    Arguments arguments(input);
    auto doc = arguments.text("doc");
    auto start = arguments.integer_or("start", 0, 0, INT64_MAX);
    auto length = arguments.integer_or("length", bytes_max, 1, bytes_max);
    if (auto fits = arguments.check(); !fits) return done(std::unexpected(fits.error()));
    const auto* document = corpus_->find(doc, context.principal);
    if (!document) return done(tool_error("There is no such document. Use an id that search has shown."));
    done(shown(*document, static_cast<std::size_t>(start), static_cast<std::size_t>(length)));
  }

 private:
  static constexpr std::int64_t bytes_max = 16 * 1024;

  static ToolOutput shown(const Document& document, std::size_t start, std::size_t length) {
    const auto& text = document.text;
    if (start >= text.size()) return tool_error("The document ends before that.");
    start = whole_character(text, start);
    auto end = whole_character(text, std::min(start + length, text.size()));
    // A length of less than one character still shows one.
    while (end <= start) end = whole_character(text, std::min(start + ++length, text.size()));
    auto out = source_of(document.id, document.title, document.url);
    out["start"] = start;
    out["end"] = end;
    out["bytes"] = text.size();
    out["text"] = text.substr(start, end - start);
    return {.text = dump_json(out), .sources = {{document.id, start, end}}};
  }

  std::shared_ptr<const Corpus> corpus_;
  const ToolSpec spec_{
      "open_document",
      "Shows a document by its id: the bytes [start, start+length) of its text, at most 16384 at once.",
      {R"({"type":"object","properties":{"doc":{"type":"string","description":"the document's id"},)"
       R"("start":{"type":"integer","minimum":0},"length":{"type":"integer","minimum":1,"maximum":16384}},)"
       R"("required":["doc"],"additionalProperties":false})"}};
};

}  // namespace

ToolPtr make_search_tool(std::shared_ptr<const Corpus> corpus) {
  return std::make_shared<SearchTool>(std::move(corpus), false);
}
ToolPtr make_filtering_search_tool(std::shared_ptr<const Corpus> corpus) {
  return std::make_shared<SearchTool>(std::move(corpus), true);
}
ToolPtr make_open_tool(std::shared_ptr<const Corpus> corpus) {
  return std::make_shared<OpenTool>(std::move(corpus));
}

}  // namespace troupe::tools
