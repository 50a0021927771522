// What a call's caller sees while it runs, whichever of its attempts writes it.
#pragma once

#include "actors/interfaces.hpp"
#include "runtime/policy/splice.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace troupe::actors {

/// One per call that has a sink. Of attempts that run at the same time the first to show content is heard,
/// the others are not. Thread-safe: attempts write from wherever they run. The sink is called under the lock.
class CallStream : public std::enable_shared_from_this<CallStream> {
 public:
  CallStream(policy::AfterFirstToken policy, SinkPtr sink) : splice_(policy), sink_(std::move(sink)) {}

  /// `resumes`: this attempt's request ends with prefix(). `on_content` is told once, when this attempt is
  /// the one that is heard; may be empty.
  SinkPtr attempt_sink(std::uint64_t attempt, bool resumes, std::function<void()> on_content);
  /// An attempt ended. For one that ended well the whole answer is shown, and the completion as it was shown
  /// comes back.
  Completion ended_well(std::uint64_t attempt, Completion completion);
  void failed(std::uint64_t attempt);

  bool may_follow() const;
  /// What an attempt may go on from; empty: it has to begin again.
  std::string resumable_prefix() const;

 private:
  class AttemptSink;
  bool hear(std::uint64_t attempt, bool resumes, std::span<const StreamEvent> events);
  void tell(policy::Splice::Output& out);

  mutable std::mutex mutex_;
  policy::Splice splice_;
  SinkPtr sink_;
  /// The attempt that is heard; 0: whoever shows content first.
  std::uint64_t heard_ = 0;
  /// Attempts that are over: what they still say is not heard.
  std::vector<std::uint64_t> over_;
};

/// Tells once when content comes, of an attempt that nobody reads along.
SinkPtr first_token_sink(std::function<void()> tell);

}  // namespace troupe::actors
