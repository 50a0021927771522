// What a summary asks of a model: one text with marks, from lines or from points; and points, from chunks.
#pragma once

#include "agents/recap/prompts.hpp"
#include "agents/summary/input.hpp"

#include <troupe/request.hpp>

#include <span>
#include <string>
#include <string_view>

namespace troupe::summary {

/// What prompts are about: the window's name and what the reader wants to know.
struct PromptSubject {
  std::string about;
  std::string query;
};

/// The text a reader sees as it comes, from lines "[n] name: text" (one chunk holds them all) or from points
/// "[n] kind: text". No schema: a reader cannot read half a JSON document.
CompletionRequest text_request(const PromptSubject& subject, std::span<const recap::SourceLine> lines,
                               bool from_points, const SummaryInput& input);
/// The same for a first look at a long transcript.
CompletionRequest look_request(const PromptSubject& subject, std::span<const recap::SourceLine> lines,
                               const SummaryInput& input);
/// The same once more, after a text without one valid mark.
CompletionRequest text_again(CompletionRequest request);
/// The points of one chunk, {"points": [{kind, text, sources, people}]}, as recap::read_claims reads them.
CompletionRequest chunk_request(const PromptSubject& subject, std::span<const recap::SourceLine> lines,
                                const SummaryInput& input);
/// Fewer points from many, of the same shape.
CompletionRequest condense_request(const PromptSubject& subject, std::span<const recap::SourceLine> points,
                                   const SummaryInput& input);

/// How many points a chunk's answer may hold: said in the prompt, enforced when it is read.
inline constexpr std::size_t kChunkPointsMax = 16;

}  // namespace troupe::summary
