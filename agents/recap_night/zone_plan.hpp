// Who of a zone gets a recap, made of which channel-days; and which readers share a digest. Pure but for what
// the source is asked.
#pragma once

#include "agents/recap_night/ports.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace troupe::recap_night {

/// One run's share of the readers, and what they need.
struct ReadersBatch {
  std::vector<std::string> users;
  std::vector<ChannelDayId> days;
};

struct ZonePlan {
  /// Each channel-day once, however many read it; ascending.
  std::vector<ChannelDayId> days;
  std::vector<ReadersBatch> batches;
  std::size_t readers = 0;
};

/// How far back a recap reaches at most, for somebody who was away or is new.
inline constexpr std::size_t kDaysBackMax = 7;

/// Recaps of the days up to `last` (yyyy-mm-dd, UTC) for those of the zone who opted in; readers of the same
/// channels stand together, so that few batches need a channel.
Result<ZonePlan> plan_zone(NightSource& source, const std::string& zone, const std::string& last,
                           std::size_t batch_max);

/// The days after `since`, at most kDaysBackMax and up to `last`; only `last` when there was no recap yet.
std::vector<std::string> days_since(WallTime since, const std::string& last);
/// Those of the files of days that a recap up to `last` may reach, and of files that are of no day.
std::vector<slack::Problem> problems_of_days(std::vector<slack::Problem> problems, const std::string& last);
/// The moment after that day's end, UTC.
WallTime end_of(const std::string& date);

/// Readers who may read exactly the same new points: they share a digest.
struct Readership {
  std::vector<Picked> picked;
  std::vector<std::string> missing;
  std::vector<std::string> users;
};

/// What is known of a channel-day when letters are written: who made it, and its points; absent: not in time.
struct KnownDay {
  std::string run_id;
  std::vector<Item> items;
};
using KnownDays = std::map<ChannelDayId, KnownDay>;

/// A reader's points are those of channels he may read now that are newer than his last recap and whose
/// messages all stand. People who opted out meanwhile are left out.
std::vector<Readership> group_readers(NightSource& source, const ReadersBatch& batch, const KnownDays& known);

}  // namespace troupe::recap_night
