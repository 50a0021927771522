// One night of recaps: which channels are summarised, for whom, and by when (MECHANISMS K2, J4, J7).
#pragma once

#include <troupe/time.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace troupe::recap_night {

/// A time zone as its offsets over time, since g++ 12 has no time zone database of its own: whoever has one
/// (the export's tz_offset, the system's) fills it in.
struct Zone {
  /// Seconds east of UTC before the first change.
  int offset_s = 0;
  struct Change {
    WallTime at;
    int offset_s = 0;
  };
  /// Ascending.
  std::vector<Change> changes;
};

/// When a clock on the wall of that zone shows `hour`:00 on the day that began `day` days after 1970-01-01.
/// An hour that is skipped in spring is the moment of the change; one that comes twice in autumn the first.
WallTime local_hour(const Zone& zone, std::int64_t day, int hour);

struct NightUser {
  std::string id;
  std::size_t zone = 0;
  /// The channels this user may read now.
  std::set<std::string> channels;
  /// Off unless the user asked for it (J7).
  bool opted_in = false;
};

struct NightAsked {
  std::vector<NightUser> users;
  std::vector<Zone> zones;
  /// Channels whose admins allow recaps; all others are not read (J7).
  std::set<std::string> channels_allowed;
  /// The morning it is for, in days after 1970-01-01, and the hour of the promise.
  std::int64_t day = 0;
  int hour = 6;
};

struct ChannelJob {
  std::string channel;
  /// The earliest morning of those who read it.
  WallTime deadline;
  std::size_t readers = 0;
};

struct DigestJob {
  std::string user;
  /// Those the digest may be made of: readable by the user, and allowed.
  std::vector<std::string> channels;
  WallTime deadline;
  friend bool operator==(const DigestJob& a, const DigestJob& b) {
    return a.user == b.user && a.channels == b.channels && a.deadline == b.deadline;
  }
};

struct NightPlan {
  /// By deadline, then name: each channel once, however many read it and wherever they wake up.
  std::vector<ChannelJob> channels;
  /// By deadline, then user; none for who has nothing to read.
  std::vector<DigestJob> digests;
};

/// Pure: depends on the values alone, not on their order. A user whose zone is unknown wakes up in UTC.
NightPlan plan_night(const NightAsked& asked);

/// What may still be shown of a digest that was made earlier: `job` without the channels its user lost or
/// that are not allowed any more; no channels at all once the user has opted out. To be asked at display,
/// because access may end between making and reading.
DigestJob still_allowed(const DigestJob& job, const NightAsked& now);

}  // namespace troupe::recap_night
