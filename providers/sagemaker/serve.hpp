// SageMaker endpoints from the server's side (WIRE 3).
#pragma once

#include "providers/serve.hpp"

namespace troupe::providers::sagemaker {

/// Both serve the same two paths; the body tells them apart, so a server speaks one of them. The path names
/// the endpoint, which is the call's model, and says whether the answer is a stream, whatever the body says.
const DialectServer& server();
const DialectServer& tgi_server();

}  // namespace troupe::providers::sagemaker
