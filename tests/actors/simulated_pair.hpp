// Two whole nodes in one thread, joined by a wire that delays, drops, repeats, reorders and parts, on disks
// that fail, with providers of their own on each. One seed, one history.
#pragma once

#include "tests/actors/simulated_member.hpp"
#include "tests/support/actor_test.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

namespace troupe::actors::testing {

/// How often each thing went wrong.
struct PairCounts {
  std::size_t deaths = 0, power_losses = 0, disks_broken = 0, partings = 0, stops = 0;
  std::size_t attempts = 0, bought_again = 0, bought_late = 0;
};

struct PairWork {
  std::size_t node = 0;  ///< where it is submitted
  RunSpec spec;
};

class SimulatedPair : public ActorTest {
 public:
  using Store = journal::testing::SimulatedStore;

  void TestBody() override {}
  /// The stores outlive this.
  SimulatedPair(std::uint64_t seed, PairFaults faults, std::array<Store*, 2> stores)
      : faults_(faults), rng_(seed), world_(seed + 1, faults.wire, clock_) {
    for (std::size_t i = 0; i < 2; ++i)
      members_[i] =
          std::make_unique<Member>(i == 0 ? "a" : "b", *stores[i], faults, rng_, clock_, purchases_);
    members_[0]->across = members_[1].get();
    members_[1]->across = members_[0].get();
  }
  ~SimulatedPair() override {
    for (auto& member : members_) end_process(*member);
    TearDown();
  }

  void add(WorkflowType type) { types_.push_back(std::move(type)); }

  /// Plays until all work has ended, then until everything is quiet. What was wrong, a sentence each; empty:
  /// nothing.
  std::vector<std::string> play(std::vector<PairWork> work, Duration at_most) {
    work_ = std::move(work);
    ledger_ = ledger_probe(books_);
    for (auto& member : members_) purchases_.watch(member->store.durable());
    for (auto& member : members_) begin_cast(*member);
    auto cast = system_.registry().running();
    for (auto& member : members_) begin_runs(*member);
    auto began = clock_.now();
    while (!all_ended() && clock_.now() - began < at_most) turn();
    if (!all_ended()) problems_.push_back("it never ended");
    come_to_rest(cast);
    problems_.insert(problems_.end(), purchases_.wrong().begin(), purchases_.wrong().end());
    counts_.attempts = purchases_.count();
    counts_.bought_again = purchases_.again();
    counts_.bought_late = purchases_.late();
    return problems_;
  }

  const Clock& clock() const { return clock_; }
  const PairCounts& counts() const { return counts_; }
  /// A fingerprint of everything that crossed the wire, was bought and was written.
  std::uint64_t hash() const {
    auto out = world_.history();
    for (const auto& member : members_) {
      for (const auto& line : member->clouds.story) out = stable_hash(line, out);
      for (const auto& line : member->store.story) out = stable_hash(line, out);
    }
    return out;
  }

 private:
  using Member = PairMember;

  // ---- processes ----

  void begin_cast(Member& member) {
    if (auto begun = member.store.begin(); !begun)
      problems_.push_back("node " + member.id + " cannot begin: " + begun.error().what);
    transport::GatewayConfig wire;
    wire.id = member.id;
    wire.peers = {{member.other, "memory", "key"}};
    member.board = std::make_shared<CastBoard>();
    Stage stage;
    stage.clock = &clock_;
    stage.gateway = &world_.add(wire, member, faults_.mechanisms);
    stage.ledger = ledger_;
    stage.board = member.board;
    member.supervisor = spawn_supervisor(system_, cast_of(member), std::move(stage));
    run();
    caf::anon_send(member.supervisor, Tick{});
    run();
  }

  // "large" lives on b and "small" on a: every run calls both, so half of its calls travel.
  SupervisorConfig cast_of(Member& member) {
    SupervisorConfig cast;
    cast.node = member.id;
    cast.restarts_max = 1000;
    auto mine = models_of(member.id), theirs = models_of(member.other);
    for (const auto& id : mine.second) cast.endpoints.push_back(member.clouds.endpoint(id, mine.first));
    RemotePeer peer{member.other, {}};
    for (const auto& id : theirs.second)
      peer.endpoints.push_back(SimulatedClouds::facts_of(id, theirs.first));
    cast.peers.push_back(std::move(peer));
    for (const auto& [feature, model] : {std::pair("recap", "large"), std::pair("digest", "small")}) {
      FeatureConfig config;
      config.dispatch.rules = {.feature = feature, .hierarchy = {model}};
      config.shadows = {member.board, &member.board->shadows};
      cast.features.push_back(std::move(config));
    }
    return cast;
  }
  static std::pair<std::string, std::vector<std::string>> models_of(const std::string& node) {
    if (node == "a") return {"small", {"a1", "a2"}};
    return {"large", {"b1", "b2"}};
  }

  void begin_runs(Member& member) {
    member.host = std::make_unique<RunHost>();
    member.host->start({&system_,
                        &clock_,
                        &member.store,
                        member.id,
                        {member.board, &member.board->queues},
                        {},
                        std::chrono::seconds(5)});
    for (const auto& type : types_) member.host->add(type);
    for (const auto& work : work_)
      if (members_[work.node].get() == &member && !row_of(member, work))
        (void)member.host->submit(work.spec, {});
    (void)member.host->resume();
    run();
  }

  void end_process(Member& member) {
    if (!member.supervisor) return;
    if (member.host) member.host->kill();
    caf::anon_send_exit(member.supervisor, caf::exit_reason::user_shutdown);
    run();
    world_.kill(member.id);
    member.store.end(rng_);
    member.host.reset();
    member.supervisor = nullptr;
    member.board.reset();
    member.clouds.die();
    member.backlog.clear();
    member.stopped = false;
  }

  void die(Member& member) {
    ++counts_.deaths;
    purchases_.disturbed(clock_.now());
    // What waited may have reached the disk with nobody left to hear of it.
    while (!member.store.broken() && member.store.pending() > 0 && rng_.uniform() < faults_.unheard)
      member.store.commit_unheard();
    end_process(member);
    begin_cast(member);
    begin_runs(member);
  }

  // ---- work ----

  static std::optional<journal::RunRow> row_of(Member& member, const PairWork& work) {
    auto row = member.store.run(work.spec.run_id);
    return row ? *row : std::nullopt;
  }
  bool all_ended() {
    if (turns_ % 25 != 0) return false;
    return std::ranges::all_of(work_, [&](const PairWork& work) {
      auto row = row_of(*members_[work.node], work);
      return row && row->state != journal::RunState::running;
    });
  }
  /// At least once, to whoever holds the run: it counts once.
  void send_signals(Member& member) {
    for (const auto& work : work_)
      if (member.store.holds(work.spec.run_id))
        (void)member.host->signal(work.spec.run_id, "go", "\"yes\"", 7);
  }

  // ---- time ----

  void turn(Duration step = 20ms) {
    world_.pass(step);
    ++turns_;
    run();
    for (auto& member : members_) {
      if (member->stopped && member->stopped_until <= clock_.now()) go_on(*member);
      if (!member->stopped) turn_of(*member);
    }
    if (!calm_) misfortunes();
    run();
  }

  void turn_of(Member& member) {
    member.clouds.answer_due();
    if (turns_ % 3 == 0) {
      caf::anon_send(member.supervisor, Tick{});
      member.host->tick();
    }
    run();
    for (auto commits = calm_ ? 100 : rng_.below(4); commits > 0 && member.store.pending() > 0; --commits) {
      member.store.commit_next();
      run();
    }
    // As a node's caretaker does each second.
    if (turns_ % 50 == 0) {
      member.store.look_around();
      member.host->wake_due(true);
      (void)member.host->resume();
      send_signals(member);
      run();
    }
    if (member.store.broken() && (calm_ || rng_.uniform() < 0.1)) die(member);
  }

  // ---- misfortunes ----

  void misfortunes() {
    for (auto& member : members_) {
      if (rng_.uniform() < faults_.process_dies && !member->stopped) die(*member);
      if (rng_.uniform() < faults_.disk_breaks && member->store.break_disk(rng_)) ++counts_.disks_broken;
      if (rng_.uniform() < faults_.process_stops && !member->stopped) stop(*member);
    }
    if (rng_.uniform() < faults_.wire_parts) part();
    if (parted_until_ <= clock_.now()) join_wires();
  }

  // One way or both, for a moment or for longer than anyone waits.
  void part() {
    ++counts_.partings;
    auto which = rng_.below(3);
    if (which != 1) world_.cut("a", "b");
    if (which != 0) world_.cut("b", "a");
    parted_until_ = clock_.now() + from_seconds(rng_.uniform() * (rng_.below(3) == 0 ? 30 : 3));
  }
  void join_wires() {
    if (members_[0]->stopped || members_[1]->stopped) return;
    world_.heal("a", "b");
    world_.heal("b", "a");
  }

  // As SIGSTOP does: it hears nothing, says nothing, and does not know how long.
  void stop(Member& member) {
    ++counts_.stops;
    purchases_.disturbed(clock_.now());
    member.stopped = true;
    member.stopped_until = clock_.now() + from_seconds(1 + rng_.uniform() * 25);
    world_.cut("a", "b");
    world_.cut("b", "a");
  }
  void go_on(Member& member) {
    member.stopped = false;
    purchases_.disturbed(clock_.now());
    if (parted_until_ <= clock_.now()) join_wires();
    for (auto& work : std::exchange(member.backlog, {})) work();
    run();
  }

  // ---- the end ----

  // Nothing goes wrong any more; when every deadline has passed nobody may hold anything.
  void come_to_rest(std::size_t cast) {
    calm_ = true;
    world_.set_faults({});
    parted_until_ = clock_.now();
    for (auto& member : members_) {
      if (member->stopped) go_on(*member);
      if (member->store.broken()) die(*member);
    }
    join_wires();
    for (int i = 0; i < 500; ++i) turn(200ms);
    for (auto& member : members_) look_for_leaks(*member);
    if (auto now = system_.registry().running(); now > cast)
      problems_.push_back(fmt::format("{} actors are left, {} were there before the runs", now, cast));
  }

  void look_for_leaks(Member& member) {
    auto expect_none = [&](const char* what, std::size_t count) {
      if (count != 0) problems_.push_back(fmt::format("node {}: {} {} are left", member.id, count, what));
    };
    expect_none("runs", member.host->going());
    expect_none("attempts at providers", member.clouds.pending());
    expect_none("requests", member.clouds.held());
    expect_none("commits", member.store.pending());
    auto* link = world_.mesh(member.id)->find(member.other);
    auto on_the_way = [&](protocol::Lane lane) {
      return link->sending(lane).waiting() + link->sending(lane).in_flight();
    };
    expect_none("messages to the other node",
                on_the_way(protocol::Lane::data) + on_the_way(protocol::Lane::bulk));
    // Health is told again and again: of two endpoints, one change may be under way each.
    if (on_the_way(protocol::Lane::control) > 4) expect_none("orders", on_the_way(protocol::Lane::control));
    if (!link->up()) problems_.push_back("node " + member.id + " does not hear the other");
  }

  PairFaults faults_;
  Rng rng_;
  transport::MemoryWorld world_;
  LedgerBooks books_;
  LedgerActor ledger_;
  Purchases purchases_;
  std::vector<WorkflowType> types_;
  std::vector<PairWork> work_;
  std::array<std::unique_ptr<Member>, 2> members_;
  std::vector<std::string> problems_;
  PairCounts counts_;
  Instant parted_until_;
  std::uint64_t turns_ = 0;
  bool calm_ = false;
};

}  // namespace troupe::actors::testing
