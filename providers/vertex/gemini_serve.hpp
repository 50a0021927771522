// Gemini from the server's side: reading requests, writing answers and streams (WIRE 4.1 to 4.5).
#pragma once

#include "providers/serve.hpp"

namespace troupe::providers::vertex {

/// Any API version and prefix: …/publishers/google/models/{m}, …/endpoints/{id} and …/models/{m}, with
/// :generateContent or, with alt=sse only, :streamGenerateContent. Credentials are not looked at.
const DialectServer& gemini_server();

}  // namespace troupe::providers::vertex
