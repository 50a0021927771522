// Conversations first, then the pre-pass, then cutting.
#include "agents/summary/plan.hpp"

#include "agents/recap/chunk.hpp"
#include "agents/summary/disentangle.hpp"
#include "agents/summary/prepass.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::summary {
namespace {

constexpr std::size_t kLineTokens = 12;

bool can_be_parted(const Window& window) {
  return std::ranges::any_of(window.lines, [](const Line& line) {
    return line.at.has_value() || !line.thread.empty() || !line.reply_to.empty();
  });
}

Disentangled as_one(const Window& window) {
  Disentangled out;
  out.conversation.assign(window.lines.size(), 0);
  out.conversations = 1;
  return out;
}

void show_lines(ShowPlan& plan, const Prepass& cut, const Disentangled& found, std::size_t line_tokens_max) {
  std::vector<const KeptLine*> kept(found.conversation.size(), nullptr);
  for (const auto& line : cut.kept) kept[line.line] = &line;
  std::size_t conversation = SIZE_MAX;
  for (auto line : by_conversation(found)) {
    if (kept[line] == nullptr) continue;
    ShownLine shown{line, recap::cut_text(kept[line]->text, line_tokens_max), {}};
    if (found.conversations > 1 && found.conversation[line] != conversation) {
      conversation = found.conversation[line];
      shown.heading = fmt::format("conversation {}", conversation + 1);
    }
    plan.shown.push_back(std::move(shown));
  }
}

void cut_into_chunks(ShowPlan& plan, const SummaryInput& input) {
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < plan.shown.size(); ++i) {
    auto cost = recap::estimate_tokens(plan.shown[i].text) + kLineTokens;
    if (plan.chunks.empty() || tokens + cost > input.chunk_tokens_max) {
      plan.chunks.push_back({i, i});
      tokens = 0;
    }
    tokens += cost;
    plan.chunks.back().end = i + 1;
  }
}

}  // namespace

ShowPlan plan_window(const Window& window, const SummaryInput& input, std::size_t tokens_max) {
  ShowPlan plan;
  auto parted = input.disentangle && can_be_parted(window);
  auto found = parted ? disentangle(window.lines, input.conversations) : as_one(window);
  plan.conversations = found.conversations;
  PrepassPolicy policy{.tokens_max = tokens_max == 0 ? SIZE_MAX : tokens_max, .line_tokens = kLineTokens};
  auto cut = prepass(window.lines, input.query, policy);
  plan.tokens_before = cut.tokens_before;
  plan.tokens = cut.tokens;
  plan.coverage = cut.coverage;
  show_lines(plan, cut, found, input.line_tokens_max);
  cut_into_chunks(plan, input);
  return plan;
}

std::vector<recap::SourceLine> source_lines(const Window& window, const ShowPlan& plan, ShownRange range) {
  std::vector<recap::SourceLine> out;
  for (auto i = range.begin; i < range.end; ++i) {
    const auto& shown = plan.shown[i];
    out.push_back({.id = fmt::format("{}", i + 1),
                   .who = window.lines[shown.line].who,
                   .text = shown.text,
                   .heading = shown.heading});
  }
  return out;
}

}  // namespace troupe::summary
