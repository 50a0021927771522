// SageMaker endpoints as a client sees them: OpenAI-chat containers and TGI's generate call (WIRE 3).
#pragma once

#include "providers/dialect.hpp"

namespace troupe::providers::sagemaker {

/// POST /endpoints/{name}/invocations, or …/invocations-response-stream for a stream, behind
/// target.base_path; target.model is the endpoint's name. The body is an OpenAI chat completion without
/// `model`, as vLLM, TGI and DJL-LMI take it (openai::write_container_request), and so is the answer; a
/// stream comes as PayloadParts of an event stream. Requests are unsigned; sign for the service "sagemaker".
const Dialect& dialect();

/// The same calls with TGI's generate body, see tgi.hpp; streams of server-sent events and of JSON lines are
/// both read.
const Dialect& tgi_dialect();

}  // namespace troupe::providers::sagemaker
