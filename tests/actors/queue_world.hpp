// A feature's queue among scripted endpoints whose health the test decides.
#pragma once

#include "actors/feature_queue.hpp"
#include "tests/support/actor_test.hpp"

namespace troupe::actors::testing {

class QueueTest : public ActorTest {
 protected:
  struct Place {
    std::shared_ptr<EndpointScript> script = std::make_shared<EndpointScript>();
    EndpointActor actor;
    std::shared_ptr<policy::EndpointFacts> facts = std::make_shared<policy::EndpointFacts>();
    policy::HealthView health;
  };

  QueueTest() { config_.dispatch.rules = {.feature = "recap", .hierarchy = {"large"}}; }

  /// Providers differ, so that a fallback goes from one to the next in the order of their names.
  Place& add(const std::string& id, const std::string& model = "large") {
    auto& place = places_[id];
    place.actor = scripted_endpoint(place.script);
    place.facts->id = id;
    place.facts->model = model;
    place.facts->provider = "cloud " + id;
    place.facts->region = "us";
    place.health.endpoint = id;
    place.health.total_p50 = static_cast<double>(places_.size());  // the first is the fastest
    return place;
  }
  /// Answers at once with what `how` says: nullopt is success.
  void behave(const std::string& id, std::optional<Errc> how) {
    places_.at(id).script->reply = [id, how](const RunAttempt& order) {
      return how ? failed(id, order, *how) : answered(id, order);
    };
  }
  void open() {
    queue_ = keep(spawn_feature_queue(system_, nullptr, config_, clock_, ledger_probe(books_)));
    publish_roster();
    for (const auto& [id, place] : places_) publish(id);
    run();
  }
  void publish_roster() {
    auto roster = std::make_shared<Roster>();
    for (const auto& [id, place] : places_) roster->push_back({place.facts, place.actor, "here"});
    tell(queue_, RosterChanged{roster});
  }
  void publish(const std::string& id) {
    auto& health = places_.at(id).health;
    ++health.version;
    tell(queue_, HealthChanged{std::make_shared<policy::HealthView>(health)});
  }
  void set_state(const std::string& id, policy::BreakerState state, Duration cooling = {}) {
    auto& health = places_.at(id).health;
    health.state = state;
    health.share = state == policy::BreakerState::open ? 0 : 1;
    health.cool_until = {};
    if (cooling > Duration::zero())
      health.cool_until.ms =
          clock_.wall().ms + std::chrono::duration_cast<std::chrono::milliseconds>(cooling).count();
    publish(id);
  }
  void set_reachable(const std::string& id, bool reachable) {
    places_.at(id).health.reachable = reachable;
    publish(id);
  }

  struct Asked {
    std::vector<CallResult> answers;
    bool done() const { return answers.size() == 1; }
    bool well() const { return done() && answers[0].completion.has_value(); }
    Errc error() const { return done() && !well() ? answers[0].completion.error().code : Errc::internal; }
    std::string text() const { return well() ? answers[0].completion->text() : std::string("no answer"); }
  };
  std::shared_ptr<Asked> ask(CompletionRequest request = question("hello"), SinkPtr sink = nullptr) {
    auto asked = std::make_shared<Asked>();
    auto call = std::make_shared<Call>();
    call->request = std::make_shared<const CompletionRequest>(std::move(request));
    call->sink = std::move(sink);
    call->run_id = "run-1";
    call->step_key = "step-1";
    call->may_go = may_go_;
    call->done = [asked](CallResult result) { asked->answers.push_back(std::move(result)); };
    tell(queue_, CallPtr(std::move(call)));
    return asked;
  }
  const std::vector<RunAttempt>& orders(const std::string& id) { return places_.at(id).script->orders; }
  /// Ends the newest attempt at `id`.
  void end_newest(const std::string& id, std::shared_ptr<AttemptResult> result) {
    const auto& order = orders(id).back();
    tell(order.reply_to, AttemptEnded{order.id, std::move(result)});
  }
  void tick(Duration span) { pass(span, queue_); }

  std::function<bool()> may_go_;
  FeatureConfig config_;
  LedgerBooks books_;
  FeatureQueueActor queue_;
  std::map<std::string, Place> places_;
};

class SilentSink final : public StreamSink {
 public:
  void on_events(std::span<const StreamEvent> events) override { heard += events.size(); }
  void on_taken_back() override {}
  std::size_t heard = 0;
};

}  // namespace troupe::actors::testing
