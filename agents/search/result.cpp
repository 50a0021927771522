// Writing what a search has to say.
#include "agents/search/result.hpp"

#include "agents/research/words.hpp"
#include "agents/text/inert.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace troupe::search {
namespace {

constexpr std::size_t kNotesMax = 20;
constexpr std::size_t kAddressBytesMax = 2000;

// What CommonMark takes as it is between ( and ), and nothing that runs or reads files.
bool plain_address(const std::string& url) {
  static constexpr std::string_view plain = "-._~:/?#@!$&'*+,;=%";
  if (!url.starts_with("https://") && !url.starts_with("http://")) return false;
  return url.size() <= kAddressBytesMax && std::ranges::all_of(url, [](unsigned char c) {
           bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
           return letter || plain.find(static_cast<char>(c)) != std::string_view::npos;
         });
}

std::string link_to(const std::string& title, const std::string& doc, const std::string& url) {
  auto name = text::inert_line(title.empty() ? doc : title);
  if (plain_address(url)) return fmt::format("[{}]({})", name, url);
  return title.empty() || title == doc ? name : fmt::format("{} ({})", name, text::inert_line(doc));
}

std::string numbers_of(const GroundedClaim& claim) {
  std::string out;
  for (const auto& citation : claim.citations) out += fmt::format("[{}]", citation.number);
  return out;
}

Json claims_json(const SearchResult& result) {
  Json out = Json::array();
  for (const auto& claim : result.grounding.claims) {
    Json citations = Json::array();
    for (const auto& citation : claim.citations)
      citations.push_back(
          Json{{"doc", citation.span.doc}, {"start", citation.span.start}, {"end", citation.span.end}});
    out.push_back(Json{{"text", claim.text}, {"citations", std::move(citations)}});
  }
  return out;
}

std::set<std::size_t> cited_numbers(const SearchResult& result) {
  std::set<std::size_t> out;
  for (const auto& claim : result.grounding.claims)
    for (const auto& citation : claim.citations) out.insert(citation.number);
  return out;
}

Json sources_json(const SearchResult& result) {
  Json out = Json::array();
  for (auto number : cited_numbers(result)) {
    const auto& source = result.sources[number - 1];
    out.push_back(
        Json{{"number", number}, {"doc", source.span.doc}, {"title", source.title}, {"url", source.url}});
  }
  return out;
}

Json results_json(const SearchResult& result) {
  Json out = Json::array();
  for (const auto& each : result.results)
    out.push_back(Json{{"doc", each.doc}, {"title", each.title}, {"url", each.url}, {"score", each.score}});
  return out;
}

Json checks_json(const SearchResult& result) {
  const auto& check = result.grounding.check;
  return Json{{"withdrawn", result.grounding.withdrawn},
              {"fake_citations", check.fake},
              {"unsupported_citations", check.unsupported},
              {"added_citations", check.added},
              {"unresolved_citations", result.unresolved}};
}

}  // namespace

void SearchResult::note(std::string text) {
  if (notes.size() < kNotesMax) notes.push_back(std::move(text));
}

bool SearchResult::found() const {
  if (served == "answer") return !grounding.claims.empty();
  return served == "links" && links_wanted && !results.empty();
}

std::string SearchResult::answer() const {
  std::string out;
  for (const auto& claim : grounding.claims)
    out += fmt::format("{}{} {}", out.empty() ? "" : "\n", claim.text, numbers_of(claim));
  return out;
}

Json search_json(const SearchInput& input, const SearchResult& result) {
  const auto& spend = result.spend;
  const auto& intent = result.intent;
  return Json{
      {"question", input.question},
      {"answer", result.answer()},
      {"found", result.found()},
      {"served", result.served},
      {"intent", {{"kind", to_string(intent.kind)}, {"confidence", intent.confidence}, {"by", intent.by}}},
      {"understanding", to_json(result.understood)},
      {"results", results_json(result)},
      {"claims", claims_json(result)},
      {"sources", sources_json(result)},
      {"calls", spend.calls},
      {"tool_calls", spend.tool_calls},
      {"tokens", spend.input + spend.output + spend.cached},
      {"usage", research::to_json(spend)},
      {"cost", spend.usd},
      {"checks", checks_json(result)},
      {"model", result.model},
      {"notes", result.notes},
      {"report", search_markdown(input, result)}};
}

std::string search_markdown(const SearchInput& input, const SearchResult& result) {
  auto out = "# " + text::inert_line(input.question) + "\n\n";
  for (const auto& claim : result.grounding.claims)
    out += fmt::format("- {} {}\n", text::inert_line(claim.text), text::inert_line(numbers_of(claim)));
  if (result.grounding.claims.empty() && result.served != "links")
    out += "**Not found.** The documents that could be read do not answer this.\n";
  auto cited = cited_numbers(result);
  if (!cited.empty()) out += "\n## Sources\n\n";
  for (auto number : cited) {
    const auto& source = result.sources[number - 1];
    out += fmt::format("- \\[{}\\] {}\n", number, link_to(source.title, source.span.doc, source.url));
  }
  if (!result.results.empty()) out += "\n## Links\n\n";
  for (const auto& each : result.results) out += "- " + link_to(each.title, each.doc, each.url) + "\n";
  if (result.notes.empty()) return out;
  out += "\n## Notes\n\n";
  for (const auto& note : result.notes) out += "- " + text::inert_line(note) + "\n";
  return out;
}

}  // namespace troupe::search
