#include "providers/simulator/judge_answers.hpp"

#include "providers/simulator/source_lines.hpp"
#include "runtime/json/json.hpp"

#include <set>

namespace troupe::providers::simulator {
namespace {

std::set<std::string> telling_words(std::string_view text) {
  auto words = content_words(text);
  return {words.begin(), words.end()};
}

double share_of_words(const std::set<std::string>& wanted, std::string_view text) {
  if (wanted.empty()) return 0;
  auto held = telling_words(text);
  std::size_t both = 0;
  for (const auto& word : wanted) both += held.contains(word) ? 1 : 0;
  return static_cast<double>(both) / static_cast<double>(wanted.size());
}

}  // namespace

std::optional<std::string> judge_answer(const CompletionRequest& request, const JudgeRules& rules) {
  if (!request.response_schema || request.response_schema->name != "pair_verdict") return std::nullopt;
  if (request.messages.empty() || request.messages.back().parts.empty()) return std::nullopt;
  const auto* text = std::get_if<TextPart>(&request.messages.back().parts.front());
  auto pair = text != nullptr ? parse_json(text->text) : fail(Errc::invalid_input, "no text");
  if (!pair || !pair->is_object()) return std::nullopt;
  auto wanted = telling_words(get_string(*pair, "request"));
  auto more = share_of_words(wanted, get_string(*pair, "first")) -
              share_of_words(wanted, get_string(*pair, "second"));
  const char* better = "tie";
  if (more > rules.more_min) better = "first";
  if (more < -rules.more_min) better = "second";
  return dump_json(Json{{"pair", get_string(*pair, "pair")},
                        {"evidence", "Words of the request counted by rule; no language model has judged."},
                        {"better", better}});
}

}  // namespace troupe::providers::simulator
