// A judge by script: an answer is good when it begins with the word.
#pragma once

#include "runtime/json/json.hpp"
#include "tests/support/actor_test.hpp"

namespace troupe::actors::testing {

/// What a judge was shown.
inline Json shown_to(const CompletionRequest& request) {
  return parse_json(std::get<TextPart>(request.messages[1].parts[0]).text).value_or(Json());
}
inline std::string verdict_on(const CompletionRequest& request, const std::string& better) {
  return dump_json(
      Json{{"pair", get_string(shown_to(request), "pair")}, {"evidence", "e"}, {"better", better}});
}
/// Of one who sees what is good, wherever it stands.
inline std::string honest(const CompletionRequest& request) {
  auto pair = shown_to(request);
  bool first = get_string(pair, "first").starts_with("good");
  bool second = get_string(pair, "second").starts_with("good");
  return verdict_on(request, first == second ? "tie" : first ? "first" : "second");
}

/// A queue that does with each call what the test says.
inline FeatureQueueActor scripted_queue(caf::actor_system& system,
                                        std::function<void(const CallPtr&)> on_call) {
  return FeatureQueueActor(
      system.spawn([on_call](FeatureQueueActor::pointer) -> FeatureQueueActor::behavior_type {
        return {on_call,
                [](const CancelCall&) {},
                [](const AttemptEnded&) {},
                [](const FirstToken&) {},
                [](const HealthChanged&) {},
                [](const RosterChanged&) {},
                [](const ExplainRoute&) {},
                [](Retire) {},
                [](Tick) {}};
      }));
}

}  // namespace troupe::actors::testing
