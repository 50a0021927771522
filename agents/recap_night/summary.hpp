// What is kept of a channel-day or a digest: points with the messages that show them, as text and as values.
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/error.hpp>
#include <troupe/request.hpp>
#include <troupe/time.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace troupe::recap_night {

/// A message that a point was made of. `mark` is of its text then: another mark now means that it was edited.
struct SourceMessage {
  std::string channel, date, ts, mark;
  friend bool operator==(const SourceMessage&, const SourceMessage&) = default;
};

/// A sentence and all that it was made of, so that whoever shows it can tell whether it may still be shown.
struct Item {
  std::string kind, text;
  std::vector<SourceMessage> sources;
  friend bool operator==(const Item&, const Item&) = default;
};

/// One channel on one day (UTC), with the edition of its content that was read.
struct ChannelDayId {
  std::string channel, date, edition;
  friend auto operator<=>(const ChannelDayId&, const ChannelDayId&) = default;
};

/// 16 hex digits of a message's text.
std::string mark_of(const std::string& text);

/// When a message with that ts was written; 0 when it is no ts.
WallTime time_of(const std::string& ts);

Json to_json(const std::vector<Item>& items);
/// What is malformed is left out: a point whose sources nobody knows must not be shown.
std::vector<Item> read_items(const Json& list);

/// The output of the workflows that make channel-days and digests.
JsonText summary_text(const std::vector<Item>& items, const std::vector<std::string>& problems);
Result<std::vector<Item>> read_summary(const JsonText& text);

Json to_json(const ChannelDayId& day);
ChannelDayId read_channel_day(const Json& value);

/// Which points of a channel-day are meant: the run that made it, and their indices, ascending.
struct Picked {
  std::string run_id;
  std::vector<std::size_t> points;
  /// wide_hash of these points and their sources: equal ones of two editions are the same.
  std::string mark;
  friend bool operator==(const Picked&, const Picked&) = default;
};
Json to_json(const std::vector<Picked>& picked);
std::vector<Picked> read_picked(const Json& list);

/// 32 hex digits: two people's digests are the same run only if this is, so it must not collide.
std::string wide_hash(const std::string& text);

}  // namespace troupe::recap_night
