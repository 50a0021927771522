// Counting from the newest turn backwards.
#include "agents/research/context.hpp"

#include "agents/research/words.hpp"
#include "runtime/base/characters.hpp"
#include "runtime/base/tokens.hpp"

#include <algorithm>

namespace troupe::research {
namespace {

constexpr std::size_t kFrameTokens = 16;
constexpr std::size_t kSummaryTokensMin = 20;

std::size_t tokens_of(const Turn& turn) {
  CompletionRequest probe;
  probe.messages.push_back({Role::assistant, turn.asked});
  Message results{Role::user, {}};
  for (const auto& result : turn.results) results.parts.emplace_back(result);
  probe.messages.push_back(std::move(results));
  return estimate_input_tokens(probe);
}

void show(CompletionRequest& request, const Turn& turn, std::size_t bytes_each) {
  request.messages.push_back({Role::assistant, turn.asked});
  Message results{Role::user, {}};
  for (auto result : turn.results) {
    if (result.text.size() > bytes_each) {
      cut_to(result.text, bytes_each);
      result.text += "\n(shortened)";
    }
    results.parts.emplace_back(std::move(result));
  }
  request.messages.push_back(std::move(results));
}

std::string summaries_of(std::span<const Turn> hidden, std::size_t tokens_max) {
  std::vector<std::string> lines;
  for (auto it = hidden.rbegin(); it != hidden.rend(); ++it) lines.push_back(it->summary);
  lines.resize(lines_that_fit(lines, tokens_max));
  std::string out = "\nEarlier turns, no longer shown:";
  for (auto it = lines.rbegin(); it != lines.rend(); ++it) out += "\n" + *it;
  return out;
}

// How many of the newest turns fit beside what is there.
std::size_t turns_that_fit(std::span<const Turn> turns, std::size_t room) {
  std::size_t shown = 0;
  for (auto it = turns.rbegin(); it != turns.rend(); ++it) {
    auto tokens = tokens_of(*it);
    if (tokens > room) break;
    room -= tokens;
    ++shown;
  }
  return shown;
}

std::size_t without(std::size_t all, std::size_t taken) { return all > taken ? all - taken : 0; }

}  // namespace

std::size_t lines_that_fit(std::span<const std::string> lines, std::size_t tokens_max) {
  std::size_t used = 0, count = 0;
  for (const auto& line : lines) {
    used += estimate_tokens(line) + 1;
    if (used > tokens_max) break;
    ++count;
  }
  return count;
}

void fill_context(CompletionRequest& request, const std::string& brief, std::span<const Turn> turns,
                  const ContextPolicy& policy) {
  auto fixed = estimate_input_tokens(request) + kFrameTokens;
  auto brief_tokens = estimate_tokens(brief);
  auto room = without(policy.tokens_max, fixed + (policy.keep_brief ? brief_tokens : 0));
  auto shown = turns_that_fit(turns, room);
  std::string first = brief;
  if (shown < turns.size()) {
    // The summaries need room, too: one turn more may have to go for them.
    auto for_summaries = std::max(room / 4, kSummaryTokensMin);
    shown = std::max<std::size_t>(turns_that_fit(turns, without(room, for_summaries)), 1);
    first += summaries_of(turns.first(turns.size() - shown), for_summaries);
    if (!policy.keep_brief) first = "Go on.";
  }
  request.messages.push_back({Role::user, {TextPart{.text = std::move(first)}}});
  auto visible = turns.last(shown);
  bool too_large = shown == 1 && tokens_of(visible.front()) > without(room, room / 4);
  auto results = visible.empty() ? 1 : std::max<std::size_t>(visible.front().results.size(), 1);
  auto bytes_each = too_large ? std::max<std::size_t>(room * 2 / results, 80) : std::string::npos;
  for (const auto& turn : visible) show(request, turn, bytes_each);
}

}  // namespace troupe::research
