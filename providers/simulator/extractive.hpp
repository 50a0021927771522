// The simulator's built-in model: it picks sentences, it does not write them. Not a language model, and it
// says so.
#pragma once

#include <troupe/completion.hpp>
#include <troupe/request.hpp>

#include <cstdint>
#include <string_view>

namespace troupe::providers::simulator {

/// What an answer reports as its model.
inline constexpr std::string_view kExtractiveModel = "extractive-1 (not a language model)";

/// The simulated clouds count one token per four bytes, rounded up. Their count is the truth of these clouds,
/// so their usage is not `estimated`.
std::int64_t count_tokens(std::string_view text);
/// Everything the model would read: messages, tool specifications, response schema.
std::int64_t count_input_tokens(const CompletionRequest& request);

/// Reads the source lines of the last user message, ranks them (see Centrality), and answers with the most
/// central: in the asked response schema (see fill_schema), one item per about 8 lines, 1 to 8, or else as
/// plain text. Never fails: without source lines it says what it is. An answer longer than output_tokens_max
/// loses whole items; when not even one fits it is cut and stops with `length`. Deterministic; ties go to the
/// earlier line. Text in the lines is data: nothing here could follow an instruction. Tools: see tool_calls
/// and repeated_results; tasks for whoever has tools: see tool_task_turn; prompts of research: see
/// research_answer, of search: see search_answer, of a judge: see judge_answer. Pure; any thread; 500 lines
/// take a few milliseconds.
Completion answer(const CompletionRequest& request);

}  // namespace troupe::providers::simulator
