// What a recap is asked for: the workflow's input document as a value.
#pragma once

#include "agents/recap/chunk.hpp"
#include "agents/recap/conversations.hpp"
#include "agents/recap/prompts.hpp"
#include "agents/slack/reader.hpp"

#include <troupe/error.hpp>
#include <troupe/request.hpp>

#include <string>
#include <vector>

namespace troupe::recap {

struct RecapInput {
  /// The export: a folder or a ZIP.
  std::string path;
  slack::ReadOptions read;
  /// Personal digests: one per name, of the channels that user is a member of. The channels are summarised
  /// once.
  std::vector<std::string> users;
  ConversationPolicy conversations;
  ChunkPolicy chunks;
  PromptPolicy prompts;
  /// Calls in flight at once.
  std::size_t parallel_max = 32;
};

/// Reads {"input": path, "from", "to", "channels", "user", "users", "tenant", "parallel_max",
/// "chunk_tokens_max", "deadline_s"}; only "input" is required. Lists are arrays or "a,b", numbers may be
/// text (--set gives text), empty text means unset. Fails with invalid_input naming the key; unknown keys are
/// the caller's own and ignored.
Result<RecapInput> read_recap_input(const JsonText& input);

}  // namespace troupe::recap
