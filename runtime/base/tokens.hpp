// Token counts before a provider has counted: a rule of thumb, always marked as estimated.
#pragma once

#include <troupe/completion.hpp>

#include <cstdint>
#include <string_view>

namespace troupe {

/// Four bytes of text per token, rounded up: the common rule of thumb for English. Good to some 30 %.
inline std::uint64_t estimate_tokens(std::string_view text) { return (text.size() + 3) / 4; }

/// Input of a request: its texts, schemas and tools, 4 tokens of framing per message, 1,000 per image.
std::uint64_t estimate_input_tokens(const CompletionRequest& request);

/// What a cut or silent answer is booked at: everything sent and everything received so far.
Usage estimate_usage(const CompletionRequest& request, const Completion& so_far);

}  // namespace troupe
