// What the recap asks of a model: three prompts, all over source lines "[id] who: text", all answered in
// JSON.
#pragma once

#include <troupe/request.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace troupe::recap {

/// One line of source data. `id` is what an answer cites: a message's ts, or a point's number ("p17").
struct SourceLine {
  std::string id;
  /// Who said it, or a point's kind.
  std::string who;
  std::string text;
  /// Printed as "## heading" above this line when it is not empty; headings cannot be cited.
  std::string heading;
};

struct PromptPolicy {
  /// What each answer may hold at most; said in the prompt, enforced when the answer is read.
  std::size_t chunk_points_max = 12;
  std::size_t day_points_max = 16;
  std::size_t digest_items_max = 12;
  int map_tokens_max = 2048;
  int merge_tokens_max = 3072;
  int digest_tokens_max = 2048;
  /// A recap is read in the morning, not awaited at a prompt: it may queue while capacity is short.
  Duration deadline = std::chrono::minutes(10);
  std::string tenant = "default";
};

/// `text` on one line and unable to pass for markup of the prompt: line breaks and control characters become
/// spaces, and "<transcript" or "</transcript", in any case and spacing, loses its "<". All else is kept
/// (MECHANISMS J9).
std::string neutral_line(std::string_view text);

/// The lines between <transcript> tags, as all three prompts show them.
std::string transcript(std::span<const SourceLine> lines);

/// Asks for the points of one chunk of a channel-day. `about` says which, for the model: "#general,
/// 2019-03-05".
CompletionRequest map_request(const std::string& about, std::span<const SourceLine> lines,
                              const PromptPolicy& policy);
/// Asks to merge the points of a channel-day's chunks: doubles joined, the unimportant left out.
CompletionRequest merge_request(const std::string& about, std::span<const SourceLine> lines,
                                const PromptPolicy& policy);
/// Asks for the few items someone with one minute should read.
CompletionRequest digest_request(const std::string& about, std::span<const SourceLine> lines,
                                 const PromptPolicy& policy);

/// The same request once more, after an answer that could not be read; `reason` is ours, never the answer's
/// text. An answer that was `cut_short` gets twice the room.
CompletionRequest asked_again(CompletionRequest request, const std::string& reason, bool cut_short);

/// 16 hex digits over everything that decides the answer: messages, schema and limits; not deadline, tenant
/// or labels. The same on every machine and build, so that it may be part of a step key (K7).
std::string content_hash(const CompletionRequest& request);

}  // namespace troupe::recap
