// The table and the cues.
#include "agents/research/effort.hpp"

#include "agents/research/words.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace troupe::research {
namespace {

constexpr std::array kBreadthCues = {
    " list all ",    " list of all ",      " all the ",   " every ",           " each of the ",
    " overview of ", " state of the art ", " survey of ", " board members of "};
constexpr std::array kCompareCues = {
    " compare ", " comparison ",    " versus ", " vs ", " difference ", " both ",    " same ",
    " between ", " pros and cons ", " either ", " or ", " older ",      " younger ", " advantages "};
constexpr std::size_t kManyWords = 90;
constexpr std::size_t kManyQuestions = 3;
constexpr std::int64_t kTokensOfLead = 6000, kTokensOfCall = 2500;
constexpr std::int64_t kCallsWorthBeginning = 3;

// Lower-case words between single blanks, so that cues match whole words.
std::string cue_text(std::string_view question) {
  std::string out = " ";
  for (unsigned char c : question) {
    bool letter = std::isalnum(c) != 0 || c >= 0x80;
    if (letter) out += static_cast<char>(std::tolower(c));
    if (!letter && out.back() != ' ') out += ' ';
  }
  if (out.back() != ' ') out += ' ';
  return out;
}

bool has_cue(const std::string& text, auto& cues) {
  return std::ranges::any_of(cues, [&](const char* cue) { return text.find(cue) != std::string::npos; });
}

Effort table(QuestionKind kind) {
  switch (kind) {
    case QuestionKind::straightforward: return {kind, 1, 8, 10};
    case QuestionKind::depth_first: return {kind, 4, 12, 15};
    case QuestionKind::breadth_first: return {kind, kSubagentsCeiling, 12, 15};
  }
  return {};
}

}  // namespace

const char* to_string(QuestionKind kind) {
  switch (kind) {
    case QuestionKind::straightforward: return "straightforward";
    case QuestionKind::depth_first: return "depth_first";
    case QuestionKind::breadth_first: return "breadth_first";
  }
  return "straightforward";
}

QuestionKind classify(std::string_view question) {
  auto text = cue_text(question);
  auto marks = static_cast<std::size_t>(std::ranges::count(question, '?'));
  auto words = static_cast<std::size_t>(std::ranges::count(text, ' '));
  if (has_cue(text, kBreadthCues) || marks >= kManyQuestions || words > kManyWords)
    return QuestionKind::breadth_first;
  return has_cue(text, kCompareCues) ? QuestionKind::depth_first : QuestionKind::straightforward;
}

Effort effort_for(std::string_view question, const EffortWish& wish) {
  auto kind = classify(question);
  if (wish.kind == "simple") kind = QuestionKind::straightforward;
  if (wish.kind == "comparison") kind = QuestionKind::depth_first;
  if (wish.kind == "complex") kind = QuestionKind::breadth_first;
  auto out = table(kind);
  if (wish.agents_max > 0) out.agents_max = std::min(out.agents_max, wish.agents_max);
  // Calls may be raised: one agent that looks further is cheap; what it may never pass is the ceiling.
  if (wish.calls_max > 0) {
    out.calls_max = std::min(wish.calls_max, kToolCallsCeiling);
    out.calls_near = std::max<std::size_t>(1, std::min(out.calls_near, out.calls_max * 4 / 5));
  }
  return out;
}

std::int64_t tokens_for(const Effort& effort) {
  auto calls = static_cast<std::int64_t>(effort.agents_max * effort.calls_near);
  return kTokensOfLead + calls * kTokensOfCall;
}

std::optional<Effort> worth(const Effort& effort, std::int64_t tokens) {
  auto calls = (tokens - kTokensOfLead) / kTokensOfCall;
  if (calls < kCallsWorthBeginning) return std::nullopt;
  auto out = effort;
  auto near = static_cast<std::int64_t>(effort.calls_near);
  auto agents = std::max<std::int64_t>(1, calls / near);
  out.agents_max = std::min(effort.agents_max, static_cast<std::size_t>(agents));
  if (calls >= near) return out;
  out.calls_near = static_cast<std::size_t>(calls);
  out.calls_max = std::min(effort.calls_max, out.calls_near + 2);
  return out;
}

}  // namespace troupe::research
