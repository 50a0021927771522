// TGI's generate call, as DJL-LMI takes it too: bodies and whole answers, both ways (WIRE 3, 6.2, 6.3).
#pragma once

#include "providers/extra_members.hpp"
#include "providers/serve.hpp"
#include "runtime/json/json.hpp"

#include <troupe/completion.hpp>

namespace troupe::providers::sagemaker {

/// {"inputs","parameters","stream"}; the prompt is that of render_prompt. Sampling is asked for with
/// do_sample, which older LMI needs said; temperature 0 becomes do_sample false and top_p from 1 is left out,
/// for TGI refuses both values. Cache points and reasoning parts are dropped. Fails with bad_request
/// (check_request, a text that forges a turn) or unsupported (tools, tool uses and results, images, a
/// response schema, a limit of reasoning tokens).
Result<Json> write_generate_request(const CompletionRequest& request);

/// What write_generate_request wrote, or any client of TGI; bad_request without `inputs`.
Result<ServedCall> read_generate_request(const Json& body);

/// What ended the answer, by details.finish_reason: eos_token, stop_sequence, length; an unknown word is
/// kept; without details it is stop.
StreamStopped read_generate_stop(const Json* details);
/// input_length, or the length of `prefill` when it is listed; `estimated` when there is neither, for then
/// the input is unknown and counted as 0.
Usage read_generate_usage(const Json& details);
/// Members of the answer and its details that are not read.
void keep_generate_extra(const Json& answer, UnknownMembers& extra);

/// [{"generated_text","details"}] or the object alone (LMI). stream_broken when it is neither, or when the
/// container says it failed; an {"error"} is its class. maybe_billed then.
Result<Completion> read_generated(const Json& body);

/// Only text, the stop reason and usage have a place in it; extra members go into the details.
Json write_generate_details(const StreamStopped& stop, const Usage& usage, const JsonText& extra);
Json write_generated(const Completion& completion);

}  // namespace troupe::providers::sagemaker
