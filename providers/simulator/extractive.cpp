// Choosing the points, and fitting the answer into what it may cost.
#include "providers/simulator/extractive.hpp"

#include "providers/simulator/centrality.hpp"
#include "providers/simulator/judge_answers.hpp"
#include "providers/simulator/research_answers.hpp"
#include "providers/simulator/schema_fill.hpp"
#include "providers/simulator/search_answers.hpp"
#include "providers/simulator/source_lines.hpp"
#include "providers/simulator/tool_answers.hpp"
#include "providers/simulator/tool_choice.hpp"
#include "runtime/base/characters.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

namespace troupe::providers::simulator {
namespace {

constexpr std::size_t kLinesPerPoint = 8;
// Points being merged were chosen once already: most are kept.
constexpr double kPointsKept = 0.6;
constexpr std::size_t kPointsMax = 8;
constexpr std::size_t kSentenceBytesMax = 220;
constexpr std::size_t kCompanionsMax = 2;
constexpr std::size_t kCompanionReach = 12;
constexpr double kSameThing = 0.45;
constexpr double kCompanionMin = 0.12;

std::string last_user_text(const CompletionRequest& request) {
  for (auto it = request.messages.rbegin(); it != request.messages.rend(); ++it) {
    if (it->role != Role::user) continue;
    std::string text;
    for (const auto& part : it->parts) {
      if (const auto* piece = std::get_if<TextPart>(&part)) text += piece->text + "\n";
    }
    if (!text.empty()) return text;
  }
  return {};
}

// What a reader looks for first counts more; a line of two words says little however central it is.
double worth(const SourceEntry& entry, double rank, std::size_t words) {
  double weight = 1;
  if (entry.kind == LineKind::decision) weight = 2.5;
  if (entry.kind == LineKind::action) weight = 1.4;
  if (entry.kind == LineKind::question) weight = 1.4;
  double substance = words == 0 ? 0.01 : std::min(1.0, static_cast<double>(words) / 8);
  return rank * weight * substance;
}

class Extraction {
 public:
  Extraction(std::vector<SourceEntry> entries, const std::vector<std::string>& query)
      : entries_(std::move(entries)), words_(words_of(entries_)), centrality_(words_, query) {}

  std::vector<ExtractedPoint> points() const {
    std::vector<ExtractedPoint> out;
    for (auto i : chosen(wanted())) out.push_back(point(i));
    return out;
  }

 private:
  static std::vector<std::vector<std::string>> words_of(const std::vector<SourceEntry>& entries) {
    std::vector<std::vector<std::string>> words;
    words.reserve(entries.size());
    for (const auto& entry : entries) words.push_back(content_words(entry.text));
    return words;
  }

  std::size_t wanted() const {
    bool merging = !entries_.empty() && entries_.front().merged;
    auto count = merging
                     ? static_cast<std::size_t>(std::ceil(kPointsKept * static_cast<double>(entries_.size())))
                     : entries_.size() / kLinesPerPoint;
    return std::clamp(count, std::size_t{1}, kPointsMax);
  }

  // Best first; a line that says what a chosen one says, or the third of one conversation, gives way to
  // others.
  std::vector<std::size_t> chosen(std::size_t wanted) const {
    std::vector<std::size_t> order(entries_.size());
    std::iota(order.begin(), order.end(), 0u);
    std::vector<double> value(entries_.size());
    for (auto i : order) value[i] = worth(entries_[i], centrality_.rank()[i], words_[i].size());
    std::ranges::stable_sort(order, [&](auto a, auto b) { return value[a] > value[b]; });
    std::vector<std::size_t> out;
    for (bool strict : {true, false}) {
      for (auto i : order) {
        if (out.size() == wanted) return out;
        bool taken = std::ranges::find(out, i) != out.end();
        if (!taken && !doubles(i, out, strict)) out.push_back(i);
      }
    }
    return out;
  }

  bool doubles(std::size_t i, const std::vector<std::size_t>& taken, bool strict) const {
    std::size_t same_conversation = 0;
    for (auto other : taken) {
      if (centrality_.similarity(i, other) > kSameThing) return true;
      same_conversation += entries_[i].conversation == entries_[other].conversation ? 1 : 0;
    }
    bool many_conversations = entries_.back().conversation > entries_.front().conversation;
    return strict && many_conversations && same_conversation >= 2;
  }

  double closeness(std::size_t i, std::size_t j) const {
    auto distance = i > j ? i - j : j - i;
    if (entries_[i].conversation != entries_[j].conversation) return 0;
    // Points being merged have no order of talk: only what they say counts.
    if (entries_[i].merged) return centrality_.similarity(i, j) > kSameThing ? 1 : 0;
    if (distance > kCompanionReach) return 0;
    return centrality_.similarity(i, j) + 0.1 / static_cast<double>(distance);
  }

  std::vector<std::size_t> companions(std::size_t i) const {
    std::vector<std::pair<double, std::size_t>> near;
    for (std::size_t j = 0; j < entries_.size(); ++j) {
      if (j == i || entries_[j].id == entries_[i].id) continue;
      auto score = closeness(i, j);
      if (score >= kCompanionMin) near.emplace_back(score, j);
    }
    std::ranges::stable_sort(near, [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<std::size_t> out;
    for (const auto& [score, j] : near) {
      if (out.size() < kCompanionsMax) out.push_back(j);
    }
    return out;
  }

  ExtractedPoint point(std::size_t i) const {
    const auto& entry = entries_[i];
    ExtractedPoint out{.kind = entry.kind, .sources = {entry.id}};
    auto sentence = readable_sentence(entry.text, entry.kind, kSentenceBytesMax);
    bool asks = entry.kind == LineKind::question;
    out.text =
        entry.who.empty() ? sentence : fmt::format("{}{} {}", entry.who, asks ? " asks:" : ":", sentence);
    if (!entry.who.empty()) out.people.push_back(entry.who);
    for (auto j : companions(i)) {
      const auto& other = entries_[j];
      if (std::ranges::find(out.sources, other.id) == out.sources.end()) out.sources.push_back(other.id);
      bool known = other.who.empty() || std::ranges::find(out.people, other.who) != out.people.end();
      if (!known) out.people.push_back(other.who);
    }
    return out;
  }

  std::vector<SourceEntry> entries_;
  std::vector<std::vector<std::string>> words_;
  Centrality centrality_;
};

std::string plain_text(const std::vector<ExtractedPoint>& points) {
  std::string out;
  for (const auto& point : points) {
    out += out.empty() ? "" : "\n";
    out += "- " + point.text + " [" + fmt::format("{}", fmt::join(point.sources, ", ")) + "]";
  }
  return out;
}

std::string no_sources_text() {
  return fmt::format(
      "This is {}: it can only pick out lines of the form \"[id] who: text\", and there were none.",
      kExtractiveModel);
}

std::string rendered(const std::optional<Json>& schema, const std::vector<ExtractedPoint>& points) {
  if (schema) return dump_json(fill_schema(*schema, points));
  return points.empty() ? no_sources_text() : plain_text(points);
}

std::int64_t part_tokens(const Part& part) {
  if (const auto* text = std::get_if<TextPart>(&part)) return count_tokens(text->text);
  if (const auto* use = std::get_if<ToolUsePart>(&part)) return count_tokens(use->input.text);
  if (const auto* result = std::get_if<ToolResultPart>(&part)) return count_tokens(result->text);
  if (const auto* image = std::get_if<ImagePart>(&part)) return count_tokens(image->bytes);
  if (const auto* reasoning = std::get_if<ReasoningPart>(&part)) return count_tokens(reasoning->text);
  return 0;
}

// Told how much reasoning is wanted, it says what it did; a signature shows whether callers echo it.
Part reasoning_part(std::size_t points) {
  return ReasoningPart{
      fmt::format("Ranked the lines by centrality and kept {}.", points), "c2ltdWxhdGVk", {}};
}

Completion call_tools(const CompletionRequest& request, std::vector<Part> calls) {
  Completion out;
  out.parts = std::move(calls);
  out.stop = StopReason::tool_calls;
  out.usage.input = count_input_tokens(request);
  for (const auto& part : out.parts) out.usage.output += 1 + part_tokens(part);
  out.model = std::string(kExtractiveModel);
  return out;
}

bool calls_tools(const std::vector<Part>& parts) {
  return std::ranges::any_of(parts,
                             [](const Part& part) { return std::holds_alternative<ToolUsePart>(part); });
}

// One text, as long as it may be.
Completion say(const CompletionRequest& request, std::string text) {
  auto bytes_max = static_cast<std::size_t>(std::max(request.output_tokens_max, 0)) * 4;
  Completion out;
  out.stop = text.size() > bytes_max ? StopReason::length : StopReason::stop;
  cut_to(text, bytes_max);
  out.usage.input = count_input_tokens(request);
  out.usage.output = count_tokens(text);
  out.model = std::string(kExtractiveModel);
  out.parts.emplace_back(TextPart{.text = std::move(text)});
  return out;
}

}  // namespace

std::int64_t count_tokens(std::string_view text) { return static_cast<std::int64_t>((text.size() + 3) / 4); }

std::int64_t count_input_tokens(const CompletionRequest& request) {
  std::int64_t sum = 0;
  for (const auto& message : request.messages) {
    for (const auto& part : message.parts) sum += part_tokens(part);
  }
  for (const auto& tool : request.tools)
    sum += count_tokens(tool.description) + count_tokens(tool.input_schema.text);
  if (request.response_schema) sum += count_tokens(request.response_schema->schema.text);
  return sum;
}

Completion answer(const CompletionRequest& request) {
  if (auto parts = research_answer(request)) {
    if (calls_tools(*parts)) return call_tools(request, std::move(*parts));
    return say(request, std::get<TextPart>(parts->front()).text);
  }
  if (auto text = search_answer(request)) return say(request, std::move(*text));
  if (auto text = judge_answer(request)) return say(request, std::move(*text));
  if (auto text = tool_description_answer(request)) return say(request, std::move(*text));
  if (auto parts = tool_task_turn(request)) {
    if (calls_tools(*parts)) return call_tools(request, std::move(*parts));
    return say(request, std::get<TextPart>(parts->front()).text);
  }
  auto sources = read_source_lines(last_user_text(request));
  std::optional<Json> schema;
  if (request.response_schema) {
    if (auto parsed = parse_json(request.response_schema->schema.text)) schema = std::move(*parsed);
  }
  std::vector<ExtractedPoint> points;
  if (!sources.entries.empty()) {
    points = Extraction(std::move(sources.entries), content_words(sources.rest)).points();
  }
  if (auto calls = tool_calls(request, points); !calls.empty()) return call_tools(request, std::move(calls));
  auto bytes_max = static_cast<std::size_t>(std::max(request.output_tokens_max, 0)) * 4;
  auto text = rendered(schema, points);
  if (auto results = repeated_results(request); points.empty() && !schema && !results.empty()) text = results;
  while (points.size() > 1 && text.size() > bytes_max) {
    points.pop_back();
    text = rendered(schema, points);
  }
  Completion out;
  out.stop = text.size() > bytes_max ? StopReason::length : StopReason::stop;
  cut_to(text, bytes_max);
  out.usage.input = count_input_tokens(request);
  out.usage.output = count_tokens(text);
  out.model = std::string(kExtractiveModel);
  if (request.reasoning_tokens_max) {
    out.parts.push_back(reasoning_part(points.size()));
    out.usage.reasoning = part_tokens(out.parts.back());
    out.usage.output += out.usage.reasoning;
  }
  out.parts.push_back(TextPart{.text = std::move(text)});
  return out;
}

}  // namespace troupe::providers::simulator
