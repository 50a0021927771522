// A whole node in one thread under a virtual clock: supervisor, endpoints, breakers, queues and runs, over
// providers and a disk that fail by a seed. The process may die at any moment and begin again on what was
// durable. One seed, one history.
#pragma once

#include "actors/run_host.hpp"
#include "actors/supervisor.hpp"
#include "runtime/base/rng.hpp"
#include "tests/support/actor_test.hpp"
#include "tests/support/memory_journal.hpp"

#include <algorithm>
#include <set>

namespace troupe::actors::testing {

/// How often things go wrong, as shares.
struct SimulatedFaults {
  double provider = 0.25, process_dies = 0.004, unheard = 0.3, disk_fails = 0.001;
};

/// What the outside world saw of one simulation.
struct SimulatedHistory {
  RunReport report;
  bool ended = false;
  std::uint64_t hash = 0;
  std::size_t deaths = 0, attempts = 0;
  /// Steps that were sent to a provider although their result was durable.
  std::vector<std::string> bought_again;
  Duration took{};
};

class SimulatedNode : public ActorTest {
 public:
  void TestBody() override {}
  SimulatedNode(std::uint64_t seed, SimulatedFaults faults) : faults_(faults), rng_(seed) {}
  ~SimulatedNode() override {
    end_process();
    TearDown();
  }

  void add(WorkflowType type) { types_.push_back(std::move(type)); }

  SimulatedHistory play(RunSpec spec, Duration at_most) {
    spec_ = std::move(spec);
    begin_process();
    auto began = clock_.now();
    while (!history_.ended && clock_.now() - began < at_most) turn();
    history_.took = clock_.now() - began;
    for (const auto& line : journal_.story) mix(line);
    history_.hash = hash_;
    return history_;
  }
  journal::testing::MemoryJournal& journal() { return journal_; }

 private:
  class SimulatedAttempt final : public HttpAttempt {
   public:
    explicit SimulatedAttempt(std::function<void()> on_cancel) : on_cancel_(std::move(on_cancel)) {}
    void cancel() override { on_cancel_(); }

   private:
    std::function<void()> on_cancel_;
  };
  struct Pending {
    Instant due;
    std::uint64_t number = 0;
    HttpAttempt::Ended ended;
    std::shared_ptr<AttemptResult> result;
  };

  // ---- the process ----

  void begin_process() {
    dead_ = false;
    board_ = std::make_shared<CastBoard>();
    SupervisorConfig cast;
    cast.node = "n1";
    cast.restarts_max = 1000;
    for (const char* id : {"a", "b", "c"}) cast.endpoints.push_back(endpoint(id));
    FeatureConfig feature;
    feature.dispatch.rules = {.feature = "recap", .hierarchy = {"large"}};
    feature.shadows = {board_, &board_->shadows};
    cast.features.push_back(std::move(feature));
    Stage stage;
    stage.clock = &clock_;
    stage.ledger = ledger_probe(books_);
    stage.board = board_;
    supervisor_ = spawn_supervisor(system_, std::move(cast), std::move(stage));
    run();
    caf::anon_send(supervisor_, Tick{});
    run();
    host_ = std::make_unique<RunHost>();
    host_->start(
        {&system_, &clock_, &journal_, "n1", {board_, &board_->queues}, {}, std::chrono::seconds(5)});
    for (const auto& type : types_) host_->add(type);
    RunHost::Watch watch;
    watch.on_done = [this](RunReport report) {
      if (dead_ || report.end == RunEnd::interrupted) return;
      history_.report = std::move(report);
      // A failed disk ends the run as failed; the process begins anew and tries again.
      if (history_.report.end == RunEnd::failed && disk_failed_) return;
      history_.ended = true;
    };
    (void)host_->submit(spec_, std::move(watch));
    (void)host_->resume();
    run();
  }

  void end_process() {
    if (!host_) return;
    dead_ = true;
    journal_.crash();
    host_->kill();
    caf::anon_send_exit(supervisor_, caf::exit_reason::user_shutdown);
    run();
    journal_.crash();
    host_.reset();
    supervisor_ = nullptr;
    board_.reset();
    pending_.clear();
    disk_failed_ = false;
  }

  LocalEndpoint endpoint(const std::string& id) {
    LocalEndpoint local;
    local.endpoint.facts.id = id;
    local.endpoint.facts.model = "large";
    local.endpoint.facts.provider = "cloud " + id;
    local.breaker.endpoint = id;
    local.starter = [this, id](const RunAttempt& order, HttpAttempt::Ended ended) {
      return start_attempt(id, order, std::move(ended));
    };
    return local;
  }

  // ---- the provider ----

  std::shared_ptr<HttpAttempt> start_attempt(const std::string& id, const RunAttempt& order,
                                             HttpAttempt::Ended ended) {
    ++history_.attempts;
    auto [run_id, step] = whose(order);
    mix(id + " " + run_id + " " + step);
    if (journal_.results(run_id).contains(step)) history_.bought_again.push_back(run_id + " " + step);
    auto number = ++attempt_number_;
    pending_.push_back({clock_.now() + latency(), number, std::move(ended), outcome(id, order, step)});
    return std::make_shared<SimulatedAttempt>(
        [this, number, id, order] { cancel_attempt(number, id, order); });
  }

  /// The run and step that ask; empty for the node's own probes.
  static std::pair<std::string, std::string> whose(const RunAttempt& order) {
    const auto& labels = order.request->labels;
    auto run_id = labels.find("run"), step = labels.find("step");
    if (run_id == labels.end() || step == labels.end()) return {};
    return {run_id->second, step->second};
  }

  Duration latency() {
    bool slow = rng_.uniform() < 0.05;
    return from_seconds(0.02 + rng_.uniform() * (slow ? 8 : 0.8));
  }

  std::shared_ptr<AttemptResult> outcome(const std::string& id, const RunAttempt& order,
                                         const std::string& step) {
    if (rng_.uniform() >= faults_.provider) {
      auto result = answered(id, order);
      // The same question has the same answer, whoever gives it.
      result->completion = text_answer("answer to " + step);
      return result;
    }
    constexpr Errc kinds[] = {Errc::rate_limited, Errc::overloaded, Errc::transient_server, Errc::timeout,
                              Errc::stream_broken};
    auto result = failed(id, order, kinds[rng_.below(std::size(kinds))]);
    if (result->error->code == Errc::rate_limited) result->error->retry_after = std::chrono::seconds(1);
    return result;
  }

  void cancel_attempt(std::uint64_t number, const std::string& id, const RunAttempt& order) {
    auto it = std::ranges::find(pending_, number, &Pending::number);
    if (it == pending_.end()) return;
    it->due = clock_.now();
    it->result = failed(id, order, Errc::cancelled);
  }

  void answer_due() {
    std::vector<Pending> due;
    for (auto it = pending_.begin(); it != pending_.end();) {
      if (it->due > clock_.now()) {
        ++it;
        continue;
      }
      due.push_back(std::move(*it));
      it = pending_.erase(it);
    }
    for (auto& each : due) each.ended(std::move(each.result));
  }

  // ---- the disk ----

  void write_some() {
    auto commits = rng_.below(4);
    for (std::uint64_t i = 0; i < commits && journal_.pending() > 0; ++i) {
      if (disk_failed_ || rng_.uniform() < faults_.disk_fails) {
        disk_failed_ = true;
        journal_.fail_next();
      } else {
        journal_.commit_next();
      }
      run();
    }
  }

  // ---- time ----

  void turn() {
    clock_.pass(20ms);
    answer_due();
    if (turns_++ % 3 == 0) {
      caf::anon_send(supervisor_, Tick{});
      host_->tick();
    }
    run();
    write_some();
    if (turns_ % 50 == 0) host_->wake_due(true);
    bool broken = disk_failed_ && journal_.pending() == 0 && rng_.uniform() < 0.1;
    if (!history_.ended && (broken || rng_.uniform() < faults_.process_dies)) die();
    run();
  }

  void die() {
    ++history_.deaths;
    // What waited may have reached the disk with nobody left to hear of it.
    while (!disk_failed_ && journal_.pending() > 0 && rng_.uniform() < faults_.unheard)
      journal_.commit_unheard();
    end_process();
    begin_process();
  }

  void mix(const std::string& what) { hash_ = stable_hash(what, hash_); }

  SimulatedFaults faults_;
  Rng rng_;
  RunSpec spec_;
  std::vector<WorkflowType> types_;
  journal::testing::MemoryJournal journal_;
  LedgerBooks books_;
  std::shared_ptr<CastBoard> board_;
  SupervisorActor supervisor_;
  std::unique_ptr<RunHost> host_;
  std::vector<Pending> pending_;
  SimulatedHistory history_;
  std::uint64_t attempt_number_ = 0, turns_ = 0, hash_ = 0;
  bool disk_failed_ = false, dead_ = false;
};

}  // namespace troupe::actors::testing
