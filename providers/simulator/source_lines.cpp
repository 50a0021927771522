// Reading source lines, and guessing from cue words what a message does.
#include "providers/simulator/source_lines.hpp"

#include "runtime/base/characters.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <unordered_set>

namespace troupe::providers::simulator {
namespace {

constexpr std::size_t kLinesMax = 20'000;
constexpr std::size_t kIdBytesMax = 96;
constexpr std::size_t kNameBytesMax = 80;
constexpr std::string_view kOpenTag = "<transcript>";
constexpr std::string_view kCloseTag = "</transcript>";

constexpr std::array kQuestionWords = {"who",   "what", "when", "where", "why",    "how",   "which",
                                       "does",  "do",   "is",   "are",   "can",    "could", "should",
                                       "would", "has",  "have", "did",   "anyone", "will"};
constexpr std::array kDecisionCues = {
    "we decided",        "decided to", "decision:",    "let's go with", "lets go with",    "we agreed",
    "agreed to",         "agreed:",    "agreed,",      "agreed.",       "we will go with", "we're going with",
    "we are going with", "settled on", "consensus is", "final answer:"};
constexpr std::array kActionCues = {
    "i'll ",          "i will ", "will do",    "todo",       "to do:",      "i'm going to ", "im going to ",
    "i am going to ", "action:", "on my list", "i can take", "assigned to", "working on it"};
constexpr std::array kStopWords = {
    "the",    "and",    "for",    "are",   "but",   "not",   "you",  "your",  "all",   "any",     "can",
    "had",    "has",    "have",   "her",   "his",   "how",   "its",  "it's",  "may",   "our",     "out",
    "she",    "that",   "that's", "this",  "they",  "them",  "then", "than",  "there", "these",   "those",
    "was",    "were",   "what",   "when",  "where", "which", "who",  "why",   "will",  "with",    "would",
    "could",  "should", "from",   "into",  "just",  "like",  "some", "about", "also",  "because", "been",
    "being",  "did",    "does",   "doing", "don't", "i'm",   "i've", "i'll",  "get",   "got",     "one",
    "only",   "other",  "over",   "such",  "too",   "very",  "yes",  "yeah",  "well",  "really",  "think",
    "know",   "thanks", "thank",  "hello", "hey",   "okay",  "lol",  "see",   "use",   "using",   "want",
    "you're", "much",   "more"};

bool is_stop_word(const std::string& word) {
  static const std::unordered_set<std::string_view> words(kStopWords.begin(), kStopWords.end());
  return words.contains(word);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  for (auto& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

bool has_any(const std::string& text, auto& cues) {
  return std::ranges::any_of(cues, [&](const char* cue) { return text.find(cue) != std::string::npos; });
}

std::optional<LineKind> kind_named(std::string_view name) {
  for (auto kind : {LineKind::topic, LineKind::decision, LineKind::question, LineKind::action}) {
    if (name == to_string(kind)) return kind;
  }
  return std::nullopt;
}

std::optional<SourceEntry> read_entry(std::string_view line) {
  line = trimmed(line);
  if (line.size() < 3 || line.front() != '[') return std::nullopt;
  auto close = line.find(']');
  if (close == std::string_view::npos || close == 1 || close > kIdBytesMax) return std::nullopt;
  SourceEntry entry;
  entry.id = std::string(line.substr(1, close - 1));
  if (entry.id.find_first_of(" \t[") != std::string::npos) return std::nullopt;
  auto rest = trimmed(line.substr(close + 1));
  auto colon = rest.find(": ");
  if (colon != std::string_view::npos && colon > 0 && colon <= kNameBytesMax) {
    entry.who = std::string(trimmed(rest.substr(0, colon)));
    rest = trimmed(rest.substr(colon + 2));
  }
  if (rest.empty()) return std::nullopt;
  entry.text = std::string(rest);
  auto given = kind_named(entry.who);
  entry.merged = given.has_value();
  entry.kind = given ? *given : recognise_kind(entry.text);
  if (entry.merged) entry.who.clear();
  return entry;
}

// The text without what stands between `fence` and the next one.
std::string without_code(std::string_view text, std::string_view fence) {
  std::string out;
  while (!text.empty()) {
    auto open = text.find(fence);
    out += text.substr(0, open);
    if (open == std::string_view::npos) break;
    auto close = text.find(fence, open + fence.size());
    out += ' ';
    text = close == std::string_view::npos ? std::string_view{} : text.substr(close + fence.size());
  }
  return out;
}

std::string folded(std::string_view text) {
  std::string out;
  for (unsigned char c : text) {
    bool space = c <= 0x20 || c == 0x7f;
    if (space && (out.empty() || out.back() == ' ')) continue;
    out += space ? ' ' : static_cast<char>(c);
  }
  return std::string(trimmed(out));
}

std::vector<std::string_view> sentences_of(std::string_view text) {
  std::vector<std::string_view> out;
  std::size_t begin = 0;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    bool ends = (text[i] == '.' || text[i] == '?' || text[i] == '!') && text[i + 1] == ' ';
    if (!ends) continue;
    out.push_back(trimmed(text.substr(begin, i + 1 - begin)));
    begin = i + 1;
  }
  if (auto last = trimmed(text.substr(begin)); !last.empty()) out.push_back(last);
  return out;
}

std::string cut_at_word(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  auto end = whole_character(text, bytes_max > 3 ? bytes_max - 3 : 0);
  if (auto space = text.rfind(' ', end); space != std::string_view::npos && space > end / 2) end = space;
  return std::string(trimmed(text.substr(0, end))) + "…";
}

}  // namespace

const char* to_string(LineKind kind) {
  switch (kind) {
    case LineKind::topic: return "topic";
    case LineKind::decision: return "decision";
    case LineKind::question: return "question";
    case LineKind::action: return "action";
  }
  return "topic";
}

LineKind recognise_kind(std::string_view text) {
  // Identifiers such as `even?` ask nothing.
  auto prose = folded(without_code(without_code(text, "```"), "`"));
  auto low = lowered(prose);
  if (has_any(low, kDecisionCues) || low == "agreed" || low.starts_with("agreed ")) return LineKind::decision;
  bool asked_by_a_date = low.find("please ") != std::string::npos && low.find(" by ") != std::string::npos;
  if (asked_by_a_date || has_any(low, kActionCues)) return LineKind::action;
  for (auto sentence : sentences_of(low)) {
    if (sentence.ends_with('?')) return LineKind::question;
  }
  auto first = std::string_view(low).substr(0, low.find_first_of(" ,'"));
  bool leads = std::ranges::any_of(kQuestionWords, [&](const char* word) { return first == word; });
  // Without the mark only a short line that opens with a question word is taken for one.
  bool short_wh = leads && low.size() <= 80 && first.starts_with("wh") && low.find('.') == std::string::npos;
  return short_wh ? LineKind::question : LineKind::topic;
}

std::string readable_sentence(std::string_view text, LineKind kind, std::size_t bytes_max) {
  auto prose = folded(without_code(text, "```"));
  if (content_words(prose).empty()) prose = folded(text);
  auto sentences = sentences_of(prose);
  if (sentences.empty()) return {};
  std::size_t chosen = 0;
  std::size_t most_words = 0;
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    auto words = content_words(sentences[i]).size();
    if (kind != LineKind::topic && recognise_kind(sentences[i]) == kind) words += 1000;
    if (words <= most_words) continue;
    most_words = words;
    chosen = i;
  }
  std::string out(sentences[chosen]);
  // A neighbour is added where it fits whole: one sentence of a chat message seldom stands alone.
  if (chosen + 1 < sentences.size() && out.size() + 1 + sentences[chosen + 1].size() <= bytes_max) {
    out += ' ';
    out += sentences[chosen + 1];
  }
  return cut_at_word(out, bytes_max);
}

std::vector<std::string> content_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  auto flush = [&] {
    while (!word.empty() && (word.back() == '\'' || word.back() == '-')) word.pop_back();
    if (word.size() >= 3 && !is_stop_word(word)) words.push_back(word);
    word.clear();
  };
  for (unsigned char c : text) {
    bool inside = std::isalnum(c) || c >= 0x80 || c == '_' || (!word.empty() && (c == '\'' || c == '-'));
    if (inside) {
      word += static_cast<char>(std::tolower(c));
    } else {
      flush();
    }
  }
  flush();
  return words;
}

SourceText read_source_lines(std::string_view prompt) {
  SourceText out;
  bool tagged = prompt.find(kOpenTag) != std::string_view::npos;
  bool inside = !tagged;
  std::size_t conversation = 0;
  while (!prompt.empty() && out.entries.size() < kLinesMax) {
    auto end = prompt.find('\n');
    auto line = trimmed(prompt.substr(0, end));
    prompt = end == std::string_view::npos ? std::string_view{} : prompt.substr(end + 1);
    if (tagged && (line == kOpenTag || line == kCloseTag)) {
      inside = line == kOpenTag;
      continue;
    }
    if (inside && line.starts_with("## ")) {
      ++conversation;
      continue;
    }
    auto entry = inside ? read_entry(line) : std::nullopt;
    if (!entry) {
      out.rest.append(line).append("\n");
      continue;
    }
    entry->conversation = conversation;
    out.entries.push_back(std::move(*entry));
  }
  return out;
}

}  // namespace troupe::providers::simulator
