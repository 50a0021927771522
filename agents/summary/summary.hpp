// The interactive summary: a channel, a thread or any transcript in, a short text with its sources out.
#pragma once

#include "agents/summary/input.hpp"
#include "agents/summary/live.hpp"
#include "agents/summary/window.hpp"

#include <troupe/error.hpp>
#include <troupe/task.hpp>
#include <troupe/workflow.hpp>

#include <string_view>

namespace troupe::summary {

/// The first version had no first look; its other steps are the same, so its runs are gone on with.
inline constexpr std::string_view kSummaryVersion = "2", kFirstVersion = "1";

/// Reads the window that `input` names (see read_summary_input) and summarises it. The result is summary.json
/// of the contract (see summary_json). It depends on the lines, the input and the answers only.
///
/// Interleaved talk is taken apart (K5); a transcript beyond prepass_tokens_max loses sentences first (K6).
/// What fits one call is summarised by one call whose text streams: its step is the one live_step()
/// recognises. Else each chunk is asked for points, those are merged while they exceed a chunk, and the last
/// call writes the text from them; a first look, which nothing depends on, streams meanwhile. Statements
/// without a valid source are dropped and counted; people are the authors of the sources, never the model's
/// word for it. Step keys end in a hash of the prompt (K7).
///
/// When all is written the window is read once more, and what rests on lines that went or changed meanwhile
/// is taken out (J5, standing.hpp).
///
/// A text of which nothing can be kept is asked for once more, then made of the points there are, or is a
/// problem. A prompt too long for every model is cut by the pre-pass to half and asked again, at most three
/// times, unless the pre-pass is off. Fails as read_window does, or with the first final error of a call.
Task<Result<JsonText>> summarise(Workflow& wf, JsonText input);

/// The same for a window that was read already, and is not read again.
Task<Result<JsonText>> summarise_window(Workflow& wf, Window window, SummaryInput input);

}  // namespace troupe::summary
