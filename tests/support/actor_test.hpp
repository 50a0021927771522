// CAF under plain GoogleTest: one thread, the test's own clock, and actors that only listen or answer by
// script.
#pragma once

#include "actors/interfaces.hpp"
#include "runtime/base/clock.hpp"

#include <gtest/gtest.h>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe::actors::testing {

using namespace std::chrono_literals;

/// What a scripted endpoint was asked to do. Answers only when told, or by `reply` at once; a null reply is
/// silence.
struct EndpointScript {
  std::vector<RunAttempt> orders;
  std::vector<CancelAttempt> cancels;
  std::size_t ticks = 0, retired = 0;
  std::function<std::shared_ptr<AttemptResult>(const RunAttempt&)> reply;
};

struct LedgerBooks {
  std::vector<AttemptBooked> attempts;
  std::vector<BreakerMoved> moves;
  std::vector<BreakerSaved> saves;
  std::map<std::string, int> by_cause() const {
    std::map<std::string, int> out;
    for (const auto& each : attempts) ++out[each.row.cause];
    return out;
  }
};

class ActorTest : public ::testing::Test {
 protected:
  ActorTest() : system_(prepared(config_)) {}
  /// Before the test's own members go: actors that die may still speak to them.
  void TearDown() override {
    for (auto& actor : kept_) caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    kept_.clear();
    run();
  }

  /// Every mailbox until all are empty.
  void run() { dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler()).run(); }
  template <class Handle>
  Handle keep(Handle handle) {
    kept_.push_back(caf::actor_cast<caf::actor>(handle));
    return handle;
  }
  template <class Handle, class Message>
  void tell(const Handle& actor, Message message) {
    caf::anon_send(actor, std::move(message));
    run();
  }
  template <class Handle>
  void kill(const Handle& actor) {
    caf::anon_send_exit(actor, caf::exit_reason::kill);
    run();
  }
  /// Time passes in steps, and everyone in `actors` hears of each.
  template <class... Handles>
  void pass(Duration span, const Handles&... actors) {
    constexpr Duration step = 50ms;
    for (Duration left = span; left > Duration::zero(); left -= step) {
      clock_.pass(std::min(step, left));
      (caf::anon_send(actors, Tick{}), ...);
      run();
    }
  }

  template <class Message>
  caf::typed_actor<caf::reacts_to<Message>> probe(std::vector<Message>& heard) {
    using Probe = caf::typed_actor<caf::reacts_to<Message>>;
    return keep(Probe(system_.spawn([&heard](typename Probe::pointer) -> typename Probe::behavior_type {
      return {[&heard](const Message& message) { heard.push_back(message); }};
    })));
  }

  EndpointActor scripted_endpoint(std::shared_ptr<EndpointScript> script) {
    return keep(
        EndpointActor(system_.spawn([script](EndpointActor::pointer self) -> EndpointActor::behavior_type {
          return {
              [self, script](const RunAttempt& order) {
                script->orders.push_back(order);
                auto result = script->reply ? script->reply(order) : nullptr;
                if (result) self->send(order.reply_to, AttemptEnded{order.id, std::move(result)});
              },
              [script](const CancelAttempt& order) { script->cancels.push_back(order); },
              [](const LimitsHeard&) {},
              [](const AttemptEnded&) {},
              [script](Retire) { ++script->retired; },
              [script](Tick) { ++script->ticks; },
          };
        })));
  }

  LedgerActor ledger_probe(LedgerBooks& books) {
    return keep(LedgerActor(system_.spawn([&books](LedgerActor::pointer) -> LedgerActor::behavior_type {
      return {
          [&books](const AttemptBooked& fact) { books.attempts.push_back(fact); },
          [&books](const BreakerMoved& fact) { books.moves.push_back(fact); },
          [&books](const BreakerSaved& fact) { books.saves.push_back(fact); },
          [](const GetTotals& question) { question.reply({}); },
      };
    })));
  }

  ManualClock clock_;

 private:
  static caf::actor_system_config& prepared(caf::actor_system_config& config) {
    config.set("scheduler.policy", caf::atom("testing"));
    return config;
  }
  caf::actor_system_config config_;

 protected:
  caf::actor_system system_;

 private:
  std::vector<caf::actor> kept_;
};

inline Completion text_answer(std::string text, std::int64_t input = 10, std::int64_t output = 5) {
  Completion completion;
  completion.parts.emplace_back(TextPart{std::move(text), false});
  completion.usage.input = input;
  completion.usage.output = output;
  return completion;
}

inline CompletionRequest question(std::string text, std::string feature = "recap") {
  CompletionRequest request;
  request.feature = std::move(feature);
  Message message;
  message.parts.emplace_back(TextPart{std::move(text), false});
  request.messages.push_back(std::move(message));
  request.deadline = 10s;
  request.output_tokens_max = 100;
  return request;
}

/// How an attempt at `endpoint` may end.
inline std::shared_ptr<AttemptResult> answered(const std::string& endpoint, const RunAttempt& order) {
  auto result = std::make_shared<AttemptResult>();
  result->completion = text_answer("from " + endpoint);
  result->record.endpoint = endpoint;
  result->record.cause = order.cause;
  result->record.usage = result->completion.usage;
  return result;
}
inline std::shared_ptr<AttemptResult> failed(const std::string& endpoint, const RunAttempt& order,
                                             Errc code) {
  auto result = std::make_shared<AttemptResult>();
  result->error = make_error(code, "by script");
  result->record.endpoint = endpoint;
  result->record.cause = order.cause;
  result->record.error = to_string(code);
  return result;
}
/// The endpoint had no room and sent nothing.
inline std::shared_ptr<AttemptResult> no_room(const std::string& endpoint, const RunAttempt& order,
                                              Duration wait) {
  auto result = failed(endpoint, order, Errc::rate_limited);
  result->not_sent = true;
  result->error->retry_after = wait;
  return result;
}

}  // namespace troupe::actors::testing
