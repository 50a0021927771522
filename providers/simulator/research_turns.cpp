// From a prompt to the next queries.
#include "providers/simulator/research_turns.hpp"

#include "providers/simulator/source_lines.hpp"
#include "providers/simulator/tool_choice.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace troupe::providers::simulator {
namespace {

constexpr std::size_t kTurnsMax = 4;
constexpr std::size_t kQueriesOfTurn = 3;
constexpr std::size_t kWideWords = 8;
constexpr std::size_t kSentencesFollowed = 5;
constexpr std::size_t kHopWords = 3;
constexpr double kCertain = 0.95;

std::vector<std::string> split_at(std::string_view text, std::string_view mark) {
  std::vector<std::string> out;
  while (!text.empty()) {
    auto end = text.find(mark);
    auto part = text.substr(0, end);
    if (!part.empty()) out.emplace_back(part);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + mark.size());
  }
  return out;
}

std::string after(std::string_view line, std::string_view name) {
  return std::string(line.substr(name.size()));
}

void read_line(std::string_view line, ResearchPrompt& out) {
  if (line.starts_with("Question: ") && out.question.empty()) out.question = after(line, "Question: ");
  if (line.starts_with("Objective: ") && out.objective.empty()) out.objective = after(line, "Objective: ");
  if (line.starts_with("Kind, by its words: ")) out.kind = after(line, "Kind, by its words: ");
  if (line.starts_with("Starts: ")) out.starts = split_at(line.substr(8), " | ");
  if (line.starts_with("- ") && line.find(": ") != std::string_view::npos)
    out.tools.emplace_back(line.substr(2, line.find(": ") - 2));
  if (line.starts_with('(') && line.find(") ") < 6) out.claims.emplace_back(line.substr(line.find(") ") + 2));
  if (line.starts_with("Report as JSON: ")) {
    auto json = parse_json(line.substr(16));
    if (json && json->is_string()) out.report = json->get<std::string>();
  }
}

// Lines of sources are never read as the prompt's own.
void read_user_text(std::string_view text, ResearchPrompt& out) {
  for (auto& source : numbered_sources(text)) out.sources.push_back(std::move(source));
  bool inside = false;
  for (const auto& line : split_at(text, "\n")) {
    if (line == "<sources>") inside = true;
    if (!inside) read_line(line, out);
    if (line == "</sources>") inside = false;
  }
}

void read_call(const ToolUsePart& use, ResearchPrompt& out) {
  auto input = parse_json(use.input.text);
  if (!input || !input->is_object()) return;
  for (const auto& argument : *input)
    if (argument.is_string()) out.asked.push_back(argument.get<std::string>());
}

void take_sources(std::string_view text, ResearchPrompt& out) {
  for (auto& source : numbered_sources(text)) {
    // Shown again without its text: the first showing counts.
    bool known = std::ranges::any_of(out.sources, [&](const auto& other) { return other.id == source.id; });
    if (!known && source.text != "(shown before)") out.sources.push_back(std::move(source));
  }
}

std::string key_of(std::string_view query) {
  auto words = reading_words(query);
  std::set<std::string> sorted(words.begin(), words.end());
  return fmt::format("{}", fmt::join(sorted, " "));
}

/// The queries of one turn: none twice, none that was asked.
class NextQueries {
 public:
  explicit NextQueries(const std::vector<std::string>& asked) {
    for (const auto& query : asked) known_.insert(key_of(query));
  }
  void add(const std::string& query) {
    if (queries_.size() == kQueriesOfTurn || key_of(query).empty()) return;
    if (known_.insert(key_of(query)).second) queries_.push_back(query);
  }
  const std::vector<std::string>& queries() const { return queries_; }

 private:
  std::set<std::string> known_;
  std::vector<std::string> queries_;
};

// As written, without the words that say nothing: what a searcher would type.
std::string content_query(std::string_view text, std::size_t words_max) {
  std::string out;
  std::size_t count = 0;
  for (const auto& word : content_words(text)) {
    if (count++ == words_max) break;
    out += (out.empty() ? "" : " ") + word;
  }
  return out;
}

void look_wide(const ResearchPrompt& prompt, NextQueries& next) {
  for (const auto& start : prompt.starts) next.add(start);
  next.add(content_query(prompt.objective, kWideWords));
  for (const auto& name : names_in(prompt.objective)) next.add(name);
}

// What the question says and the sentence does not.
std::string not_covered(const std::string& question, const std::string& sentence) {
  auto words = reading_words(sentence);
  std::set<std::string> held(words.begin(), words.end());
  std::string out;
  std::size_t count = 0;
  for (const auto& word : content_words(question)) {
    auto stems = reading_words(word);
    if (stems.empty() || held.contains(stems.front())) continue;
    if (count++ == kHopWords) break;
    out += " " + word;
  }
  return out;
}

bool in_question(const std::string& name, const std::set<std::string>& asked) {
  auto words = reading_words(name);
  return std::ranges::all_of(words, [&](const std::string& word) { return asked.contains(word); });
}

// Names met in the best sentences lead on.
void follow(const ResearchPrompt& prompt, NextQueries& next) {
  auto wanted = reading_words(prompt.question + " " + prompt.objective);
  std::set<std::string> asked(wanted.begin(), wanted.end());
  auto ranked = rank_sentences(prompt.question, prompt.sources);
  for (std::size_t i = 0; i < ranked.size() && i < kSentencesFollowed; ++i) {
    auto missing = not_covered(prompt.question, ranked[i].text);
    auto names = names_in(ranked[i].text);
    names.insert(names.begin(), prompt.sources[ranked[i].source].title);
    for (const auto& name : names)
      if (!in_question(name, asked)) next.add(name + missing);
  }
}

bool certain(const ResearchPrompt& prompt) {
  auto ranked = rank_sentences(prompt.question, prompt.sources);
  return !ranked.empty() && ranked.front().score >= kCertain;
}

// The name of the one argument that must be given, if it is a text that words can be said in.
std::string only_text_wanted(const Json& schema, const Json& properties) {
  const auto* required = find(schema, "required");
  if (required == nullptr || !required->is_array() || required->size() != 1 || !(*required)[0].is_string())
    return {};
  auto name = (*required)[0].get<std::string>();
  constexpr std::array said = {"q", "text", "message", "question", "topic", "words", "search"};
  bool words = std::ranges::any_of(said, [&](const char* one) { return name == one; });
  const auto* property = find(properties, name.c_str());
  bool text = property != nullptr && get_string(*property, "type") == "string";
  return words && text ? name : std::string();
}

}  // namespace

ResearchPrompt read_research_prompt(const CompletionRequest& request) {
  ResearchPrompt out;
  for (const auto& message : request.messages) {
    if (message.role == Role::system) continue;
    for (const auto& part : message.parts) {
      if (const auto* use = std::get_if<ToolUsePart>(&part)) read_call(*use, out);
      if (const auto* result = std::get_if<ToolResultPart>(&part)) take_sources(result->text, out);
      const auto* text = std::get_if<TextPart>(&part);
      if (text != nullptr && message.role == Role::user) read_user_text(text->text, out);
    }
    out.turns += message.role == Role::assistant ? 1 : 0;
  }
  return out;
}

SearchTool search_tool(const CompletionRequest& request, std::string_view objective) {
  if (request.tool_choice == ToolChoice::none || !request.forced_tool.empty()) return {};
  SearchTool other;
  // Which of several that take a query is the objective's, by their descriptions.
  for (const auto& fit : fitting_tools(request.tools, objective)) {
    const auto& tool = request.tools[fit.tool];
    auto schema = parse_json(tool.input_schema.text);
    const auto* properties = schema ? find(*schema, "properties") : nullptr;
    if (properties == nullptr) continue;
    if (find(*properties, "query") != nullptr) return {&tool, "query"};
    auto only = only_text_wanted(*schema, *properties);
    if (other.tool == nullptr && !only.empty()) other = {&tool, only};
  }
  return other;
}

std::vector<Part> search_turn(const CompletionRequest& request, const ResearchPrompt& prompt,
                              const SearchTool& search) {
  NextQueries next(prompt.asked);
  if (prompt.turns == 0) look_wide(prompt, next);
  if (prompt.turns == 1) next.add(content_query(prompt.question, 40));
  if (prompt.turns >= 1 && prompt.turns < kTurnsMax && !certain(prompt)) follow(prompt, next);
  std::vector<Part> out;
  for (const auto& query : next.queries()) {
    if (!request.parallel_tools && !out.empty()) break;
    auto id = fmt::format("call_{:08x}", stable_hash(query, prompt.turns) & 0xffffffff);
    out.emplace_back(ToolUsePart{id, search.tool->name, {dump_json(Json{{search.argument, query}})}, {}});
  }
  if (out.empty()) out.emplace_back(TextPart{.text = "Nothing further to look for."});
  return out;
}

}  // namespace troupe::providers::simulator
