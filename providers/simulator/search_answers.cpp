// One rule for each of the prompts of search.
#include "providers/simulator/search_answers.hpp"

#include "providers/simulator/reading.hpp"
#include "providers/simulator/source_lines.hpp"
#include "runtime/base/lines.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace troupe::providers::simulator {
namespace {

constexpr std::size_t kStatementsGiven = 3;
constexpr std::size_t kSentenceGivenMax = 600;
constexpr std::size_t kClauseWordsMin = 2;
constexpr std::array kTypeWords = {"pdf",   "slides", "spreadsheet", "presentation", "wiki",
                                   "email", "image",  "video",       "ticket"};
constexpr std::array kPlaces = {"page",      "site",   "form",     "folder",
                                "dashboard", "portal", "handbook", "template"};
constexpr std::array<std::string_view, 4> kAuthorSigns = {"written by ", "posted by ", "sent by ",
                                                          "authored by "};
constexpr std::array<std::string_view, 6> kClauseEnds = {", and ", " and ",         ", ",
                                                         "; ",     " compared to ", " when "};

struct SearchPrompt {
  std::string question, today;
  std::size_t variants = 3, statements = 3;
};

std::string user_text_of(const CompletionRequest& request) {
  std::string out;
  if (request.messages.empty() || request.messages.back().role != Role::user) return out;
  for (const auto& part : request.messages.back().parts)
    if (const auto* text = std::get_if<TextPart>(&part)) out += text->text;
  return out;
}

std::size_t count_after(std::string_view line, std::string_view name, std::size_t otherwise) {
  auto digits = line.substr(name.size());
  std::size_t out = otherwise;
  std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return out;
}

// The lines before the sources; those of sources are never read as the prompt's own.
SearchPrompt read_search_prompt(std::string_view text) {
  SearchPrompt out;
  while (!text.empty() && !text.starts_with("<sources>")) {
    auto line = take_line(text);
    if (line.starts_with("Search question: ")) out.question = line.substr(17);
    if (line.starts_with("Today: ")) out.today = line.substr(7);
    if (line.starts_with("Variants: ")) out.variants = count_after(line, "Variants: ", out.variants);
    if (line.starts_with("Statements: ")) out.statements = count_after(line, "Statements: ", out.statements);
  }
  return out;
}

std::string joined_words(std::string_view text) {
  return fmt::format("{}", fmt::join(content_words(text), " "));
}

std::string low_text(std::string_view text) {
  std::string out(text);
  for (auto& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::vector<std::string_view> clauses_of(std::string_view question) {
  std::vector<std::string_view> out;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < question.size(); ++i) {
    auto rest = question.substr(i);
    auto end =
        std::ranges::find_if(kClauseEnds, [&](std::string_view each) { return rest.starts_with(each); });
    if (end == kClauseEnds.end()) continue;
    out.push_back(question.substr(begin, i - begin));
    begin = i + end->size();
    i = begin - 1;
  }
  if (begin > 0) out.push_back(question.substr(std::min(begin, question.size())));
  return out;
}

void add_query(std::vector<std::string>& out, std::string query, const std::string& core, std::size_t max) {
  bool known = query.empty() || query == core || std::ranges::find(out, query) != out.end();
  if (!known && out.size() < max) out.push_back(std::move(query));
}

bool has_word(const std::vector<std::string>& words, const char* word) {
  return std::ranges::find(words, word) != words.end();
}

std::vector<std::string> types_in(const std::vector<std::string>& words) {
  std::vector<std::string> out;
  for (const char* type : kTypeWords)
    if (has_word(words, type)) out.emplace_back(type);
  return out;
}

// "YYYY-MM-DD" wherever it stands: "since 2024-03-01", "from … to …".
std::vector<std::string> days_in(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i + 10 <= text.size(); ++i) {
    auto day = text.substr(i, 10);
    bool fits = day[4] == '-' && day[7] == '-';
    for (std::size_t j = 0; j < 10 && fits; ++j)
      fits = j == 4 || j == 7 || std::isdigit(static_cast<unsigned char>(day[j])) != 0;
    if (fits) out.emplace_back(day);
  }
  return out;
}

Json time_range_of(const std::string& question) {
  auto days = days_in(question);
  auto low = low_text(question);
  if (days.size() >= 2) return Json{{"from", days[0]}, {"to", days[1]}};
  if (days.empty()) return Json{{"from", ""}, {"to", ""}};
  bool until = low.find("before ") != std::string::npos || low.find("until ") != std::string::npos;
  bool since = low.find("since ") != std::string::npos || low.find("after ") != std::string::npos;
  return Json{{"from", until ? "" : days[0]}, {"to", since ? "" : days[0]}};
}

std::vector<std::string> authors_in(const std::string& question) {
  auto low = low_text(question);
  for (auto sign : kAuthorSigns) {
    auto at = low.find(sign);
    if (at == std::string::npos) continue;
    // With a word before it, a lone name does not pass for a sentence's first word.
    auto names = names_in("by " + question.substr(at + sign.size()));
    if (!names.empty()) return {names.front()};
  }
  return {};
}

std::string understanding_answer(const SearchPrompt& prompt) {
  auto words = search_words(prompt.question, prompt.variants);
  auto all = content_words(prompt.question);
  bool place = std::ranges::any_of(kPlaces, [&](const char* each) { return has_word(all, each); });
  return dump_json(Json{{"intent", place && all.size() <= 5 ? "navigational" : "informational"},
                        {"core", words.core},
                        {"variants", words.variants},
                        {"time_range", time_range_of(prompt.question)},
                        {"content_types", types_in(all)},
                        {"people", authors_in(prompt.question)}});
}

// Brackets would read as marks.
std::string statement_of(const std::string& sentence) {
  auto out = sentence.substr(0, sentence.size() <= kSentenceGivenMax ? sentence.size() : 0);
  std::ranges::replace(out, '[', '(');
  std::ranges::replace(out, ']', ')');
  return out;
}

std::string marked_answer(const SearchPrompt& prompt, const std::vector<NumberedSource>& sources,
                          const SearchRules& rules) {
  std::string out;
  std::size_t given = 0;
  for (const auto& sentence : rank_sentences(prompt.question, sources)) {
    if (given == std::min(prompt.statements, kStatementsGiven)) break;
    if (sentence.score < (given == 0 ? rules.found_min : rules.also_min)) break;
    auto text = statement_of(sentence.text);
    if (content_words(text).size() < kClauseWordsMin) continue;
    out += fmt::format("{}- {} [{}]", given == 0 ? "" : "\n", text, sources[sentence.source].id);
    ++given;
  }
  return out.empty() ? "NOT FOUND" : out;
}

}  // namespace

SearchWords search_words(std::string_view question, std::size_t variants_max) {
  SearchWords out;
  out.core = joined_words(question);
  if (out.core.empty()) out.core = question;
  for (auto clause : clauses_of(question)) {
    auto words = content_words(clause);
    if (words.size() >= kClauseWordsMin)
      add_query(out.variants, joined_words(clause), out.core, variants_max);
  }
  auto names = names_in(question);
  add_query(out.variants, fmt::format("{}", fmt::join(names, " ")), out.core, variants_max);
  return out;
}

std::optional<std::string> search_answer(const CompletionRequest& request, const SearchRules& rules) {
  auto text = user_text_of(request);
  if (!text.starts_with("Search question: ")) return std::nullopt;
  auto prompt = read_search_prompt(text);
  if (request.response_schema) {
    if (request.response_schema->name != "search_understanding") return std::nullopt;
    return understanding_answer(prompt);
  }
  if (!request.tools.empty() || text.find("\n<sources>\n") == std::string::npos) return std::nullopt;
  return marked_answer(prompt, numbered_sources(text), rules);
}

}  // namespace troupe::providers::simulator
