// By when what of a night must be there, and how the runs it shares are named.
#pragma once

#include "agents/recap_night/joining.hpp"
#include "runtime/json/json.hpp"

#include <troupe/time.hpp>
#include <troupe/workflow.hpp>

#include <string>

namespace troupe::recap_night {

struct NightTimes {
  /// The hour of the promise.
  WallTime due;
  /// When to go on without what is not summarised, and without what is not condensed.
  WallTime days_by, digests_by;
  /// The last day (UTC) that had ended when the night began.
  std::string last;
};

/// For a night that begins at `begun`: one that begins after the hour, or less than an hour before it, has an
/// hour. Wants "zone" and "date", takes "hour"; invalid_input or input_missing otherwise. An hour that is
/// skipped in spring is the moment of the change, one that comes twice in autumn the first.
Result<NightTimes> times_of(const Json& asked, WallTime begun);
NightTimes times_between(WallTime begun, WallTime due, std::string last);

/// The shared run of a channel-day: WORKSPACE, channel, date and edition name it. A "salt" of the input goes
/// into the name, so that nights with different ones share nothing.
Joining channel_day_run(const Json& asked, const std::string& workspace, const ChannelDayId& day,
                        const NightTimes& times);
/// The shared run of a digest of exactly these points.
Joining digest_run(const Json& asked, const std::string& workspace, const std::vector<Picked>& picked,
                   const NightTimes& times);

/// Until somebody goes on without it.
RetryPolicy joining_retry();

}  // namespace troupe::recap_night
