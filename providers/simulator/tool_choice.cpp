// Counting shared words, among tools and among tasks.
#include "providers/simulator/tool_choice.hpp"

#include "providers/simulator/reading.hpp"
#include "providers/simulator/schema_fill.hpp"
#include "providers/simulator/source_lines.hpp"
#include "runtime/base/characters.hpp"
#include "runtime/base/lines.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace troupe::providers::simulator {
namespace {

constexpr std::size_t kToolsLookedAt = 128;
constexpr std::size_t kToolBytesRead = 4096;
constexpr std::size_t kTaskBytesMax = 400;
constexpr std::size_t kResultsBytesMax = 4000;
constexpr std::size_t kWordsProposed = 16;
constexpr std::size_t kTaskLinesMax = 1000;
constexpr std::string_view kTaskLine = "Task: ";

using Stems = std::set<std::string>;

Stems stems_in(std::string text) {
  std::ranges::replace(text, '_', ' ');
  std::ranges::replace(text, '-', ' ');
  auto words = reading_words(text);
  return {words.begin(), words.end()};
}

// Name, description, and what the arguments are called and said to be.
Stems words_of_tool(const ToolSpec& tool) {
  auto text = tool.name + " " + std::string(cut_to(tool.description, kToolBytesRead));
  auto schema = parse_json(tool.input_schema.text);
  const auto* properties = schema ? find(*schema, "properties") : nullptr;
  if (properties != nullptr && properties->is_object()) {
    for (const auto& [name, property] : properties->items())
      text += " " + name + " " + get_string(property, "description");
  }
  cut_to(text, 2 * kToolBytesRead);
  return stems_in(std::move(text));
}

std::string line_after(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    auto line = take_line(text);
    if (line.starts_with(name)) return std::string(line.substr(name.size()));
  }
  return {};
}

std::string user_texts(const CompletionRequest& request) {
  std::string out;
  for (const auto& message : request.messages) {
    if (message.role != Role::user) continue;
    for (const auto& part : message.parts)
      if (const auto* text = std::get_if<TextPart>(&part)) out += text->text + "\n";
  }
  return out;
}

Stems tried_tools(const CompletionRequest& request) {
  Stems out;
  for (const auto& message : request.messages)
    for (const auto& part : message.parts)
      if (const auto* use = std::get_if<ToolUsePart>(&part)) out.insert(use->name);
  return out;
}

std::string good_results(const CompletionRequest& request) {
  std::string out;
  for (const auto& part : request.messages.back().parts) {
    const auto* result = std::get_if<ToolResultPart>(&part);
    if (result != nullptr && !result->is_error) out += result->text + "\n";
  }
  cut_to(out, kResultsBytesMax);
  return out;
}

Part call_for_task(const ToolSpec& tool, const std::string& task) {
  ExtractedPoint point{.kind = LineKind::topic,
                       .text = readable_sentence(task, LineKind::topic, kTaskBytesMax)};
  auto schema = parse_json(tool.input_schema.text);
  auto input = schema ? fill_schema(*schema, {point}) : Json::object();
  auto id = fmt::format("call_{:08x}", stable_hash(task + tool.name) & 0xffffffff);
  return ToolUsePart{id, tool.name, {dump_json(input)}, {}};
}

/// What a prompt for a better description says of one tool.
struct DescribedTool {
  std::string description;
  std::vector<std::string> parameters, needed, wrong, failures;
};

std::vector<std::string> names_by_comma(const std::string& list) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < list.size();) {
    auto end = std::min(list.find(", ", at), list.size());
    if (end > at) out.push_back(list.substr(at, end - at));
    at = end + 2;
  }
  return out;
}

// What stands behind `name` on the lines that begin with it.
std::vector<std::string> lines_after(std::string_view text, std::string_view name) {
  std::vector<std::string> out;
  while (!text.empty() && out.size() < kTaskLinesMax) {
    auto line = take_line(text);
    if (line.starts_with(name)) out.emplace_back(line.substr(name.size()));
  }
  return out;
}

DescribedTool read_described(const std::string& text) {
  DescribedTool out;
  out.needed = lines_after(text, "Needed: ");
  out.wrong = lines_after(text, "Wrongly chosen: ");
  out.failures = lines_after(text, "Failure: ");
  out.description = line_after(text, "Description: ");
  out.parameters = names_by_comma(line_after(text, "Arguments: "));
  return out;
}

/// By stem: the share of texts that hold it.
std::map<std::string, double> shares_of(const std::vector<std::string>& texts) {
  std::map<std::string, double> out;
  for (const auto& text : texts)
    for (const auto& stem : stems_in(text)) out[stem] += 1.0 / static_cast<double>(texts.size());
  return out;
}

struct Telling {
  std::string word;
  double weight = 0;
};

// As first written, heaviest first; a word of one task among several says nothing of the next task.
std::vector<std::string> telling_of(const DescribedTool& tool) {
  auto needed = shares_of(tool.needed), wrong = shares_of(tool.wrong);
  auto twice = tool.needed.size() < 4 ? 0.0 : 1.5 / static_cast<double>(tool.needed.size());
  std::vector<Telling> found;
  Stems seen;
  for (const auto& text : tool.needed) {
    for (const auto& word : content_words(text)) {
      auto stems = reading_words(word);
      if (stems.empty() || !seen.insert(stems.front()).second) continue;
      auto share = needed[stems.front()], weight = share - wrong[stems.front()];
      if (share >= twice && weight > 0) found.push_back({word, weight});
    }
  }
  std::ranges::stable_sort(found, [](const auto& a, const auto& b) { return a.weight > b.weight; });
  if (found.size() > kWordsProposed) found.resize(kWordsProposed);
  std::vector<std::string> out;
  for (auto& one : found) out.push_back(std::move(one.word));
  return out;
}

std::vector<std::string> arguments_first_failed(const DescribedTool& tool) {
  auto failed = [&](const std::string& name) {
    return std::ranges::any_of(tool.failures,
                               [&](const auto& text) { return text.find(name) != std::string::npos; });
  };
  auto out = tool.parameters;
  std::ranges::stable_partition(out, failed);
  return out;
}

}  // namespace

std::vector<ToolFit> fitting_tools(const std::vector<ToolSpec>& tools, std::string_view task) {
  std::vector<Stems> words;
  std::map<std::string, std::size_t> holders;
  for (const auto& tool : tools) {
    if (words.size() == kToolsLookedAt) break;
    words.push_back(words_of_tool(tool));
    for (const auto& word : words.back()) ++holders[word];
  }
  std::vector<ToolFit> out(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) out[i].tool = i;
  for (const auto& word : stems_in(std::string(task))) {
    if (!holders.contains(word)) continue;
    auto weight = std::log(1 + static_cast<double>(words.size()) / static_cast<double>(holders[word]));
    for (auto& fit : out)
      if (words[fit.tool].contains(word)) fit.score += weight;
  }
  std::ranges::stable_sort(out, [](const auto& a, const auto& b) { return a.score > b.score; });
  return out;
}

std::optional<std::vector<Part>> tool_task_turn(const CompletionRequest& request) {
  bool free = request.tool_choice == ToolChoice::automatic && request.forced_tool.empty();
  if (request.tools.empty() || request.response_schema || !free) return std::nullopt;
  auto task = line_after(user_texts(request), kTaskLine);
  if (task.empty()) return std::nullopt;
  if (auto results = good_results(request); !results.empty())
    return std::vector<Part>{TextPart{.text = std::move(results)}};
  auto tried = tried_tools(request);
  for (const auto& fit : fitting_tools(request.tools, task)) {
    const auto& tool = request.tools[fit.tool];
    if (!tried.contains(tool.name)) return std::vector<Part>{call_for_task(tool, task)};
  }
  return std::vector<Part>{TextPart{.text = "None of the tools could do it."}};
}

std::optional<std::string> tool_description_answer(const CompletionRequest& request) {
  if (!request.response_schema || request.response_schema->name != "tool_description") return std::nullopt;
  auto tool = read_described(user_texts(request));
  auto words = telling_of(tool);
  auto text = tool.description;
  if (!words.empty()) text = fmt::format("For tasks about {}.", fmt::join(words, ", "));
  if (!words.empty() && !tool.parameters.empty())
    text += fmt::format(" Takes {}.", fmt::join(arguments_first_failed(tool), ", "));
  return dump_json(Json{{"description", text}, {"why", "words of the tasks that needed it"}});
}

}  // namespace troupe::providers::simulator
