// SageMaker's words for errors, and those of the containers behind it, both ways (WIRE 3, 6.1).
#pragma once

#include "providers/eventstream.hpp"
#include "runtime/http/message.hpp"
#include "runtime/json/json.hpp"

#include <troupe/error.hpp>

#include <string>

namespace troupe::providers::sagemaker {

/// Type before message before status: throttling is a 400 here. A ModelError goes by what the container
/// answered: its OriginalMessage in OpenAI's or TGI's words, then its OriginalStatusCode, 0 of which is a
/// container that gave no answer in time.
Error classify_answer(const http::Response& response, WallTime wall);

/// An `exception` or `error` frame. maybe_billed, since the container had begun to work.
Error classify_frame(const Frame& frame);

/// {"error":…} of a container inside a stream or under status 200, in TGI's words ({"error","error_type"}) or
/// OpenAI's. maybe_billed.
Error classify_container_error(const Json& said);

/// The container broke off: LMI's token id -1, a finish_reason "error". maybe_billed.
Error container_failed();

/// As DialectServer::write_error. What only a container can say (a filtered prompt, a prompt too long, a
/// spent quota, a timeout) is a ModelError with its words.
http::Response write_error_answer(const Error& error);
/// A ModelError with this OriginalStatusCode and no words of the container's.
http::Response write_model_error_answer(int original_status);
/// The frame that ends a stream with `error`: an exception, or a container's own words in a PayloadPart.
std::string write_stream_error(const Error& error);

/// Container bytes as one PayloadPart; longer ones than a frame may hold must be cut first.
std::string payload_part(std::string_view bytes);

}  // namespace troupe::providers::sagemaker
