// What the actors add to a call: FeatureQueue -> Endpoint -> reply with everything decided, booked and
// published, but no HTTP; beside a bare post to the same loop and bare CAF ping-pong in the same run. ./dev
// bench route
#include "actors/breaker.hpp"
#include "actors/endpoint.hpp"
#include "actors/feature_queue.hpp"
#include "actors/ledger.hpp"
#include "actors/shell.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/http/loop.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <future>

namespace troupe::actors {
namespace {

constexpr int kRepetitions = 5;
constexpr std::uint64_t kCalls = 40'000;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

struct Cost {
  double wall_us = 0, cpu_us = 0;
};

/// Microseconds per unit of `work`, which does `count` of them.
template <class Work>
Cost cost_of(std::uint64_t count, Work work) {
  auto wall = system_clock().now();
  auto cpu = cpu_seconds();
  work();
  auto n = static_cast<double>(count);
  return {seconds(system_clock().now() - wall) * 1e6 / n, (cpu_seconds() - cpu) * 1e6 / n};
}

void print(const char* name, std::vector<double> values, const char* unit) {
  std::sort(values.begin(), values.end());
  std::printf("%s %.3f %s\n", name, values[values.size() / 2], unit);
  std::printf("%s.min %.3f %s\n%s.max %.3f %s\n", name, values.front(), unit, name, values.back(), unit);
}

// An attempt that is over at once: what a provider with no latency and no wire would be.
class Instantly final : public HttpAttempt {
 public:
  void cancel() override {}
};

struct Stagehand {
  Stagehand() {
    config.set("scheduler.policy", caf::atom("sharing"));
    config.set("scheduler.max-threads", std::size_t{2});
    system.emplace(config);
    unit.emplace(*system, loop);
    auto ledger = spawn_ledger(*system, &*unit, nullptr, "bench");
    auto breaker = spawn_breaker(*system, &*unit, {"e", {}, {}}, system_clock(), ledger);
    EndpointConfig endpoint;
    endpoint.facts.id = "e";
    endpoint.facts.model = "m";
    auto starter = [this](const RunAttempt&, HttpAttempt::Ended ended) {
      loop.post([ended] {
        auto result = std::make_shared<AttemptResult>();
        result->record.endpoint = "e";
        result->record.total = std::chrono::microseconds(1);
        result->completion.usage.output = 1;
        ended(std::move(result));
      });
      return std::make_shared<Instantly>();
    };
    auto actor = spawn_endpoint(*system, &*unit, endpoint, starter, system_clock(), breaker);
    FeatureConfig feature;
    feature.dispatch.rules = {.feature = "f", .hierarchy = {"m"}};
    queue = spawn_feature_queue(*system, &*unit, feature, system_clock(), ledger);
    auto roster = std::make_shared<Roster>();
    roster->push_back({std::make_shared<const policy::EndpointFacts>(endpoint.facts), actor, "bench"});
    caf::anon_send(queue, RosterChanged{roster});
    caf::anon_send(breaker, SubscribeHealth{queue});
    for (const caf::actor& each : {caf::actor_cast<caf::actor>(queue), caf::actor_cast<caf::actor>(actor),
                                   caf::actor_cast<caf::actor>(breaker), caf::actor_cast<caf::actor>(ledger)})
      cast.push_back(each);
    request->feature = "f";
    request->messages.push_back({Role::user, {TextPart{std::string(1000, 'x'), false}}});
  }

  ~Stagehand() {
    for (const auto& each : cast) caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
    cast.clear();
    queue = nullptr;
    system->await_all_actors_done();
    loop.stop();
    unit.reset();
  }

  void ask(std::atomic<std::uint64_t>& left, std::promise<void>& done) {
    auto call = std::make_shared<Call>();
    call->request = request;
    call->done = [this, &left, &done](CallResult) {
      auto now_left = left.fetch_sub(1) - 1;
      if (now_left == 0) done.set_value();
      if (now_left >= in_flight) ask(left, done);
    };
    caf::anon_send(queue, CallPtr(std::move(call)));
  }

  void calls(std::uint64_t concurrent) {
    in_flight = concurrent;
    std::atomic<std::uint64_t> left = kCalls;
    std::promise<void> done;
    loop.post([&] {
      for (std::uint64_t i = 0; i < concurrent; ++i) ask(left, done);
    });
    done.get_future().wait();
  }

  // What the loop itself costs: the attempt's own post, chained.
  void posts() {
    std::promise<void> done;
    std::uint64_t left = kCalls;
    std::function<void()> next = [&] {
      if (--left == 0) return done.set_value();
      loop.post(next);
    };
    loop.post(next);
    done.get_future().wait();
  }

  caf::actor_system_config config;
  http::Loop loop;
  std::optional<caf::actor_system> system;
  std::optional<Unit> unit;
  FeatureQueueActor queue;
  std::vector<caf::actor> cast;
  std::uint64_t in_flight = 1;
  std::shared_ptr<CompletionRequest> request = std::make_shared<CompletionRequest>();
};

// Two bare CAF actors on CAF's own scheduler, one message each way.
Cost caf_round_trips(caf::actor_system& system) {
  auto echo =
      system.spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int n) { return n; }}; });
  caf::scoped_actor self{system};
  auto cost = cost_of(kCalls / 4, [&] {
    for (std::uint64_t i = 0; i < kCalls / 4; ++i)
      self->request(echo, caf::infinite, 1).receive([](int) {}, [](caf::error&) {});
  });
  caf::anon_send_exit(echo, caf::exit_reason::user_shutdown);
  return cost;
}

void measure() {
  Stagehand stage;
  stage.calls(64);  // warms up; until the breaker's first word the queue waits
  std::vector<double> one_wall, one_cpu, many_wall, many_cpu, post_cpu, caf_wall;
  for (int i = 0; i < kRepetitions; ++i) {
    auto post = cost_of(kCalls, [&] { stage.posts(); });
    auto one = cost_of(kCalls, [&] { stage.calls(1); });
    auto many = cost_of(kCalls, [&] { stage.calls(64); });
    post_cpu.push_back(post.cpu_us);
    one_wall.push_back(one.wall_us);
    one_cpu.push_back(one.cpu_us - post.cpu_us);
    many_wall.push_back(many.wall_us);
    many_cpu.push_back(many.cpu_us - post.cpu_us);
    caf_wall.push_back(caf_round_trips(*stage.system).wall_us);
  }
  print("route.loop_post.cpu", post_cpu, "us");
  print("route.call.c1.latency", one_wall, "us");
  print("route.call.c1.added_cpu", one_cpu, "us");
  print("route.call.c64.time_per_call", many_wall, "us");
  print("route.call.c64.added_cpu", many_cpu, "us");
  print("route.bare_caf_round_trip", caf_wall, "us");
}

}  // namespace
}  // namespace troupe::actors

int main(int argc, char** argv) {
  if (argc > 1 && std::strlen(argv[1]) > 0 && std::string("route").find(argv[1]) == std::string::npos)
    return 0;
  troupe::actors::measure();
}
