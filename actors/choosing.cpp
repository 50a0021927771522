#include "actors/choosing.hpp"

#include <algorithm>
#include <ranges>

namespace troupe::actors {

std::string asked_text(const CompletionRequest& request) {
  auto backwards = std::views::reverse(request.messages);
  auto last = std::ranges::find(backwards, Role::user, &Message::role);
  std::string out;
  if (last == backwards.end()) return out;
  for (const auto& part : last->parts) {
    const auto* text = std::get_if<TextPart>(&part);
    if (text == nullptr || out.size() >= policy::difficulty_text_max) continue;
    if (!out.empty()) out += '\n';
    out += text->text.substr(0, policy::difficulty_text_max - out.size());
  }
  return out;
}

std::optional<policy::Choice> choose_lead(const std::optional<policy::ChoiceRule>& rule,
                                          const CompletionRequest& request, policy::CallFacts& facts) {
  if (!rule) return std::nullopt;
  auto choice = policy::choose(*rule, asked_text(request));
  choice.overruled = facts.lead.has_value();
  if (!choice.overruled) facts.lead = choice.lead();
  return choice;
}

Json choice_json(const policy::Choice& choice, const std::vector<std::string>& hierarchy) {
  auto name = [&](std::size_t place) {
    return place < hierarchy.size() ? hierarchy[place] : std::string("?");
  };
  return {{"weak", name(choice.weak)},     {"strong", name(choice.strong)}, {"difficulty", choice.difficulty},
          {"threshold", choice.threshold}, {"overruled", choice.overruled}, {"leads", name(choice.lead())}};
}

}  // namespace troupe::actors
