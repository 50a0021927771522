// The four workflows of a night of recaps (MECHANISMS K2, K7, J4, J5, J7).
#pragma once

#include "agents/recap_night/ports.hpp"

#include <troupe/task.hpp>
#include <troupe/workflow.hpp>

#include <memory>
#include <string_view>
#include <vector>

namespace troupe::recap_night {

inline constexpr std::string_view kNight = "recap_night";
inline constexpr std::string_view kReaders = "recap_readers";
inline constexpr std::string_view kChannelDay = "recap_channel_day";
inline constexpr std::string_view kDigest = "recap_digest";

using PortsPtr = std::shared_ptr<const NightPorts>;

/// The night of one zone: input {"zone", "date", "hour": 6, "batch": 250, "parallel": 4} beside what
/// NightPorts::open wants. `date` is the local morning (yyyy-mm-dd), `zone` a name of the system's database.
/// Makes the channel-days its readers need, each as a shared run, then their letters in batches, each a
/// child. Numbers may be text, as --set gives them. It covers the days (UTC) that had ended when the run
/// began, or those up to "last". Its result counts {"readers", "channel_days", "missing", "delivered",
/// "delivered_before", "opted_out", "failed", "uncondensed"} and lists "problems", each {"file", "reason"},
/// or {"zone", "reason"} when nobody lives there.
///
/// By the hour everyone has a letter, whatever providers do: what is not summarised after two thirds of the
/// time is named as missing, and what is not condensed by 23/24 of it goes out as plain points.
/// invalid_input for a date, zone or number that is none.
Task<Result<JsonText>> zone_night(Workflow& wf, JsonText input, PortsPtr ports);

/// Some readers of a zone: makes each digest once for all who read the same points, as a shared run, and
/// delivers. Started by zone_night only.
Task<Result<JsonText>> serve_readers(Workflow& wf, JsonText input, PortsPtr ports);

/// The points of one channel-day, in the shape of summary.hpp.
Task<Result<JsonText>> make_channel_day(Workflow& wf, JsonText input, PortsPtr ports);

/// A digest of points that other runs made, in the shape of summary.hpp. Its input names them, and its run id
/// is a hash of that, so whoever may read exactly these points shares it, and nobody else.
Task<Result<JsonText>> make_digest(Workflow& wf, JsonText input, PortsPtr ports);

/// All four, to be registered with a node.
std::vector<WorkflowType> night_workflows(PortsPtr ports);

}  // namespace troupe::recap_night
