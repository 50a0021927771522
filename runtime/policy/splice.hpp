// What someone sees of an answer whose attempts broke off: no text twice, none missing, nothing cut that
// looks whole (MECHANISMS C12). Pure.
#pragma once

#include <troupe/completion.hpp>
#include <troupe/request.hpp>

#include <span>
#include <string>
#include <vector>

namespace troupe::policy {

/// What happens when an attempt breaks off after its first token.
enum class AfterFirstToken {
  /// Nothing is shown before the answer is whole.
  buffer,
  /// Another attempt is handed what was shown and goes on from there, where an endpoint accepts that;
  /// elsewhere
  /// as restart.
  resume,
  /// Another attempt begins anew, unseen until it has caught up with what was shown; where it says something
  /// else, what was shown is taken back.
  restart,
  /// The call fails.
  error,
};
const char* to_string(AfterFirstToken policy);

/// One per call that is shown while it runs. Not thread-safe.
class Splice {
 public:
  explicit Splice(AfterFirstToken policy) : policy_(policy) {}

  /// What the consumer is to be told, in this order.
  struct Output {
    /// Everything told before is void.
    bool taken_back = false;
    std::vector<StreamEvent> events;
    void clear() {
      taken_back = false;
      events.clear();
    }
  };

  /// An attempt begins. `resumes`: its request ended with prefix(), so it goes on from there.
  void begin(bool resumes = false);
  /// Its events as they come. What says that an answer is whole is held back until `end`.
  void feed(std::span<const StreamEvent> events, Output& out);
  /// It ended, well or not.
  void end(bool whole, Output& out);

  /// May another attempt follow one that has shown content?
  bool may_follow() const { return policy_ != AfterFirstToken::error; }
  /// Could an attempt go on from prefix()? Only where nothing but text was shown: half a tool call or a train
  /// of thought cannot be handed on.
  bool resumable() const;
  /// What was shown, without the white space at its end, which some models refuse there.
  std::string prefix() const;
  /// The answer as it was shown. `last`: the completion of the attempt that ended well.
  Completion whole(Completion last) &&;

 private:
  enum class Mode {
    show,      ///< as it comes
    hold,      ///< until it is whole
    catch_up,  ///< unseen while it says what was shown
    join,      ///< goes on from prefix(); white space that was shown is skipped
  };
  void take(const StreamEvent& event, Output& out);
  void show(const StreamEvent& event, Output& out);
  void catch_up(const TextDelta& delta, Output& out);
  void join(const TextDelta& delta, Output& out);
  void take_back(Output& out);

  AfterFirstToken policy_;
  Mode mode_ = Mode::show;
  std::size_t attempts_ = 0;
  /// Of text, and whether anything else was.
  std::string shown_;
  bool other_shown_ = false, started_ = false;
  /// This attempt's text while it catches up; white space still to be skipped while it joins.
  std::string unseen_, skip_;
  /// What waits for the end.
  std::vector<StreamEvent> held_;
  CompletionBuilder builder_;
};

/// `request` whose answer must go on from `prefix`.
CompletionRequest resumed(CompletionRequest request, const std::string& prefix);

}  // namespace troupe::policy
