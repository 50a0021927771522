// The OpenAI chat completions dialect, also spoken by Azure's v1 surface, vLLM and many others.
#pragma once

#include "providers/dialect.hpp"

namespace troupe::providers::openai {

/// Requests carry no credentials; the caller adds `Authorization: Bearer …` (or Azure's `api-key`).
const Dialect& dialect();

}  // namespace troupe::providers::openai
