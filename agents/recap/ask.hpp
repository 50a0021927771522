// One question to the model, asked again once when the answer cannot be read.
#pragma once

#include "agents/recap/answers.hpp"

#include <troupe/error.hpp>
#include <troupe/request.hpp>
#include <troupe/task.hpp>
#include <troupe/workflow.hpp>

#include <optional>
#include <string>

namespace troupe::recap {

/// Claims, or why there are none although the run may go on.
struct Asked {
  std::optional<Claims> claims;
  /// For `problems`; empty when there are claims. Never quotes an answer.
  std::string problem;
};

/// The calls of one recap. After the first final error no further call is made: a provider that is down for
/// good must not be asked another thousand times. Used by one coroutine tree, on one thread; outlives its
/// tasks.
class Questions {
 public:
  explicit Questions(Workflow& wf) : wf_(wf) {}

  /// The step's key is {name, id + "/" + content_hash(request)}, and the same with "/again" for the second
  /// try.
  Task<Result<Asked>> ask(StepKey key, CompletionRequest request);

 private:
  struct Reading {
    Asked asked;
    /// There was an answer, and nothing in it could be read; `asked.problem` says why.
    bool unreadable = false;
    bool cut_short = false;
  };
  static Reading read_answer(const Completion& completion);
  Task<Result<Reading>> ask_once(StepKey key, CompletionRequest request);

  Workflow& wf_;
  std::optional<Error> failed_;
};

}  // namespace troupe::recap
