// The recap workflow: a Slack export in, what happened in it out, every point with its sources.
#pragma once

#include "agents/recap/input.hpp"
#include "agents/recap/result.hpp"
#include "agents/slack/workspace.hpp"

#include <troupe/error.hpp>
#include <troupe/task.hpp>
#include <troupe/workflow.hpp>

namespace troupe::recap {

/// Reads the export that `input` names (see read_recap_input) and recaps it. The result is recap.json of the
/// contract with "dropped_points", "dropped_sources", "summarised_once" and, if users were asked for,
/// "personal". It depends on the export, the input and the answers only: not on their order, nor on time, run
/// or endpoint.
///
/// Each channel-day is mapped chunk by chunk and merged when it has several chunks; the points of all
/// channel-days are condensed into a digest, in groups while they exceed a chunk's budget. Step keys end in a
/// hash of the prompt, so a resumed or repeated run pays only for what is new (K7), and a channel is paid
/// once however many users read it (K2).
///
/// Fails as read_export does, or with the first final error of a call. An answer that stays unreadable, a
/// refused prompt (content_filtered) and one too long for every model are listed as problems instead; the
/// rest is recapped.
Task<Result<JsonText>> recap(Workflow& wf, JsonText input);

/// The same for a workspace that was read already.
Task<Result<JsonText>> recap_workspace(Workflow& wf, slack::Workspace workspace, RecapInput input);

/// What was made of each channel-day; points refer to the workspace beside them.
struct DaysMade {
  slack::Workspace workspace;
  RecapResult result;
};
/// The channel-days alone, mapped and merged, without a digest. As above in all else.
Task<Result<DaysMade>> recap_days(Workflow& wf, slack::Workspace workspace, RecapInput input);

}  // namespace troupe::recap
