// The numbered lines a prompt offers as sources: "[id] who: text", under headings, between <transcript> tags.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::providers::simulator {

enum class LineKind { topic, decision, question, action };
const char* to_string(LineKind kind);

struct SourceEntry {
  std::string id;
  /// Empty when the line names nobody, or when `merged`.
  std::string who;
  std::string text;
  LineKind kind = LineKind::topic;
  /// The line is already a point ("[p17] decision: …"): its kind is given, its text is a sentence.
  bool merged = false;
  /// Lines under one heading are one conversation; counted from 0.
  std::size_t conversation = 0;
};

struct SourceText {
  std::vector<SourceEntry> entries;
  /// What stands beside the sources: the question, if there is one.
  std::string rest;
};

/// At most 20,000 lines are read, more are left out. When the prompt holds <transcript> tags only lines
/// between them are sources. Pure.
SourceText read_source_lines(std::string_view prompt);

/// By the message's own words: a final '?' or a leading question word; "we decided", "let's go with",
/// "agreed", "decision:"; "I'll", "will do", "todo", "please … by". Decision before action before question.
/// English only.
LineKind recognise_kind(std::string_view text);

/// One readable sentence of at most `bytes_max` bytes: white space folded, code blocks left out where there
/// is anything else, the sentence that shows the `kind` first; longer ones are cut at a word, ending in "…".
std::string readable_sentence(std::string_view text, LineKind kind, std::size_t bytes_max);

/// Lower-case words of three bytes and more without English stop words; identifiers count as words, and every
/// byte beyond ASCII as a letter.
std::vector<std::string> content_words(std::string_view text);

}  // namespace troupe::providers::simulator
