// Printing what search.json says.
#include "agents/search/printed.hpp"

#include "agents/research/words.hpp"

#include <fmt/format.h>

namespace troupe::search {
namespace {

constexpr std::size_t kShownBytesMax = 300;

std::string title_and_address(const Json& item) {
  auto title = research::one_line(get_string(item, "title"), kShownBytesMax);
  auto url = research::one_line(get_string(item, "url"), kShownBytesMax);
  if (url.empty()) url = research::one_line(get_string(item, "doc"), kShownBytesMax);
  return title.empty() || title == url ? url : title + ", " + url;
}

}  // namespace

std::string printed_links(const Json& search) {
  std::string out;
  const auto* sources = find(search, "sources");
  if (sources != nullptr && sources->is_array())
    for (const auto& source : *sources)
      out += fmt::format("[{}] {}\n", get_int(source, "number"), title_and_address(source));
  const auto* results = find(search, "results");
  bool links = results != nullptr && results->is_array() && get_string(search, "served") != "answer";
  if (links)
    for (const auto& result : *results) out += "- " + title_and_address(result) + "\n";
  return out;
}

std::string printed_notes(const Json& search) {
  std::string out;
  const auto* checks = find(search, "checks");
  if (auto withdrawn = checks == nullptr ? 0 : get_int(*checks, "withdrawn"); withdrawn > 0)
    out += fmt::format("statements withdrawn because no source shows them: {}\n", withdrawn);
  if (const auto* notes = find(search, "notes"); notes != nullptr && notes->is_array())
    for (const auto& note : *notes)
      if (note.is_string()) out += note.get<std::string>() + "\n";
  return out;
}

void SearchPrinter::finish(const Json& search) {
  const auto* checks = find(search, "checks");
  bool withdrawn = checks != nullptr && (get_int(*checks, "withdrawn") > 0 || live_.withdrawn() > 0);
  auto answer = get_string(search, "answer");
  bool answers = get_string(search, "served") != "links";
  if (answers && (!live_.shown() || withdrawn || answer.empty())) {
    if (live_.shown() && withdrawn) out_("\nWhat stands of it:\n");
    out_(answer.empty() ? "Not found: the documents that could be read do not answer this.\n"
                        : answer + "\n");
  }
  if (auto links = printed_links(search); !links.empty()) out_(answers ? "\n" + links : links);
  if (auto notes = printed_notes(search); !notes.empty()) notes_(notes);
}

}  // namespace troupe::search
