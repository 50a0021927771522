// OpenAI chat completions as Azure serves them, from both sides (WIRE 5.5).
#pragma once

#include "providers/dialect.hpp"
#include "providers/serve.hpp"

namespace troupe::providers::openai {

/// With an api_version the classic surface: /openai/deployments/{model}/chat/completions?api-version=…;
/// without one the v1 surface: /openai/v1/chat/completions. Both behind target.base_path, which is empty for
/// a resource's own host. Either way target.model is the deployment's name. An API key goes into `api-key`;
/// an Entra token is the caller's to put into Authorization. Bodies, answers and errors are those of
/// "openai"; the filters' verdicts (prompt_filter_results, content_filter_results) are in `extra`.
const Dialect& azure_dialect();

/// Serves both surfaces; on the classic one the path names the model, whatever the body says. Streams begin,
/// as Azure's do, with a chunk without choices. A content-filter refusal carries Azure's innererror.
const DialectServer& azure_server();

}  // namespace troupe::providers::openai
