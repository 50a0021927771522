// Reading the input document.
#include "agents/search/input.hpp"

#include "agents/research/settings.hpp"
#include "agents/research/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace troupe::search {
namespace {

constexpr std::size_t kQuestionMax = 2000;
constexpr std::size_t kNamesMax = 10;

std::vector<std::string> names_by_comma(const std::string& list) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < list.size() && out.size() < kNamesMax;) {
    auto end = std::min(list.find(',', at), list.size());
    auto name = research::one_line(list.substr(at, end - at), 200);
    if (!name.empty()) out.push_back(std::move(name));
    at = end + 1;
  }
  return out;
}

void read_filters(research::Settings& settings, Filters& out) {
  std::string types, people;
  settings.text("from", out.from);
  settings.text("to", out.to);
  settings.text("types", types);
  settings.text("people", people);
  if (!out.from.empty() && !is_day(out.from)) settings.wrong("from", "a day as YYYY-MM-DD");
  if (!out.to.empty() && !is_day(out.to)) settings.wrong("to", "a day as YYYY-MM-DD");
  out.types = names_by_comma(types);
  out.people = names_by_comma(people);
}

void read_intent(research::Settings& settings, SearchInput& out) {
  std::string word = "auto";
  settings.text("intent", word);
  if (word.empty() || word == "auto") return;
  auto kind = intent_from(word, IntentKind::other);
  if (kind == IntentKind::other) return settings.wrong("intent", "auto, navigational or informational");
  out.intent = kind;
}

}  // namespace

bool is_day(const std::string& text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  for (std::size_t i : {0, 1, 2, 3, 5, 6, 8, 9})
    if (std::isdigit(static_cast<unsigned char>(text[i])) == 0) return false;
  auto month = (text[5] - '0') * 10 + text[6] - '0', day = (text[8] - '0') * 10 + text[9] - '0';
  if (month < 1 || month > 12 || day < 1) return false;
  bool short_month = month == 4 || month == 6 || month == 9 || month == 11;
  return day <= (month == 2 ? 29 : short_month ? 30 : 31);
}

Result<SearchInput> read_search_input(const JsonText& input) {
  auto json = parse_json(input.text);
  if (!json) return std::unexpected(json.error());
  SearchInput out;
  out.given = input;
  out.question =
      to_valid_utf8(research::one_line(get_string(*json, "question"), kQuestionMax + text::kOverBound));
  if (out.question.empty() || out.question.size() > kQuestionMax)
    return fail(Errc::invalid_input, fmt::format("question: expected 1 to {} bytes of text", kQuestionMax));
  research::Settings settings(*json);
  settings.text("tenant", out.tenant);
  settings.text("principal", out.principal);
  read_intent(settings, out);
  read_filters(settings, out.filters);
  settings.number("results_max", out.results_max, {1, 50});
  settings.number("sources_max", out.sources_max, {1, 20});
  settings.number("statements_max", out.statements_max, {1, 20});
  settings.number("variants_max", out.variants_max, {0, 8});
  settings.seconds("deadline_s", out.deadline, {1, 600});
  if (settings.problem()) return std::unexpected(*settings.problem());
  return out;
}

}  // namespace troupe::search
