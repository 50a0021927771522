// A simulated answer: which bytes go out when, and how it ends. And how an answer becomes that.
#pragma once

#include "providers/serve.hpp"
#include "providers/simulator/faults.hpp"
#include "providers/simulator/law.hpp"
#include "runtime/http/message.hpp"

#include <troupe/completion.hpp>
#include <troupe/time.hpp>

#include <optional>
#include <string>
#include <vector>

namespace troupe::providers::simulator {

struct TimedBytes {
  /// Since the request arrived.
  Duration after_start{};
  std::string bytes;
};

enum class Ending {
  complete,  ///< the body ends as HTTP says a body ends
  cut,       ///< the connection is reset after the last bytes
  stall,     ///< nothing more is sent, the connection stays open
  refuse,    ///< the connection is closed without an answer
  silence,   ///< nothing is ever sent, the connection stays open
};

struct SimulatedResponse {
  http::ResponseHead head;
  /// When the head goes out.
  Duration head_after{};
  /// Ascending in time.
  std::vector<TimedBytes> body;
  Ending ending = Ending::complete;
  /// Sent in chunks as it comes; otherwise at once with a Content-Length.
  bool streamed = false;
  /// Names the call to Simulator::ended; 0: nothing is held.
  std::uint64_t call = 0;
};

/// All that shapes one good answer.
struct Performance {
  const DialectServer* dialect = nullptr;
  const ServedCall* call = nullptr;
  Pace pace;
  Struck struck;
  AnswerHead head;
};

/// The answer as a stream of several deltas (8 tokens each) or as one body, in time with the pace, broken in
/// the middle as `struck` says. Pure.
SimulatedResponse perform(const Completion& completion, const Performance& performance);

/// A response that goes out whole after `delay`.
SimulatedResponse at_once(http::Response response, Duration delay = {});

}  // namespace troupe::providers::simulator
