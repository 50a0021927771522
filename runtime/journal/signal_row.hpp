// A signal for a run, written down until the run takes it up.
#pragma once

#include <troupe/time.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace troupe::journal {

struct SignalRow {
  std::string run_id, name;
  /// Signals of one run with the same id count once. Posted as 0: the store gives it an id of its own.
  std::uint64_t id = 0;
  std::string json;
  WallTime at;
  /// Its place among all that wait, growing in the order they came. Filled when read.
  std::uint64_t number = 0;
};

/// What may wait for one run.
inline constexpr std::size_t kSignalsWaitingMax = 1000;
/// Of a signal's JSON.
inline constexpr std::size_t kSignalBytesMax = 1u << 20;
/// The name of what calls a run off: no signal the workflow hears of, but an order to who holds the run. It
/// is taken however many signals wait. Its id is always the same, so that it counts once.
inline constexpr const char* kCancelSignal = "troupe:cancel";
inline constexpr std::uint64_t kCancelSignalId = 0x7472'6f75'7065'2d63;
/// What Membership::watch hears when a signal was posted.
inline constexpr const char* kInboxTopic = "inbox";

}  // namespace troupe::journal
