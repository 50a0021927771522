// The body of a Converse call as a CompletionRequest; see serve.hpp for what is understood.
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/request.hpp>

namespace troupe::providers::bedrock {

/// bad_request with the service's wording in vendor_text; unsupported for content we cannot hold.
Result<CompletionRequest> read_converse_request(const Json& body);

}  // namespace troupe::providers::bedrock
