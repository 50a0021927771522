// One store of many simulated nodes: leases, fences, and runs that change hands, as in PostgreSQL.
#pragma once

#include "tests/support/memory_journal.hpp"
#include "tests/support/simulated_store.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace troupe::journal::testing {

/// What all seats write to. Its clock is the only one that leases know.
struct SharedTables {
  struct Node {
    std::string name;
    Instant lease_until;
    bool fenced = false;
  };
  /// Set before anyone joins.
  const Clock* clock = nullptr;
  MemoryJournal journal;
  std::map<std::uint64_t, Node> nodes;  // by incarnation
  std::map<std::string, std::uint64_t> holders;
  std::size_t taken_over = 0, refused_late = 0;

  bool alive(std::uint64_t incarnation) const {
    auto it = nodes.find(incarnation);
    return it != nodes.end() && !it->second.fenced;
  }
};

/// A node's seat. One thread; docs/JOURNAL.md, "Who may write".
class SeatStore final : public SimulatedStore, public Membership {
 public:
  static constexpr Duration kLease = std::chrono::seconds(10), kRenewEvery = std::chrono::seconds(3);

  SeatStore(SharedTables& tables, std::string node) : tables_(tables), node_(std::move(node)) {}

  Result<void> begin() override {
    auto joined = join(node_, "", "");
    return joined ? Result<void>() : std::unexpected(joined.error());
  }
  void end(Rng&) override { drop_pending(); }
  void look_around() override {
    if (!lost_ && tables_.clock->now() - renewed_ >= kRenewEvery) lost_ = !renew();
  }
  /// Somebody else has the seat: the process has to stop and join anew.
  bool broken() const override { return lost_; }

  bool seat_lost() const override { return !tables_.alive(incarnation_); }
  bool holds(const std::string& run_id) override {
    auto it = tables_.holders.find(run_id);
    return it != tables_.holders.end() && it->second == incarnation_ && !lost_;
  }

  // ---- Membership ----

  Result<std::uint64_t> join(const std::string& node, const std::string&, const std::string&) override {
    for (auto& [incarnation, each] : tables_.nodes)
      if (each.name == node) each.fenced = true;
    incarnation_ = tables_.nodes.size() + 1;
    renewed_ = tables_.clock->now();
    lost_ = false;
    tables_.nodes[incarnation_] = {node, renewed_ + kLease, false};
    return incarnation_;
  }
  Result<void> renew() override {
    if (!tables_.alive(incarnation_)) return fail(Errc::refused, "the seat is lost");
    renewed_ = tables_.clock->now();
    tables_.nodes[incarnation_].lease_until = renewed_ + kLease;
    return {};
  }
  bool held() const override { return !lost_ && tables_.clock->now() - renewed_ < kLease * 2 / 3; }
  Result<std::vector<NodeRow>> nodes() override { return std::vector<NodeRow>{}; }
  Result<std::vector<RunRow>> take_over(std::size_t limit) override {
    for (auto& [incarnation, node] : tables_.nodes)
      if (node.lease_until < tables_.clock->now()) node.fenced = true;
    if (!tables_.alive(incarnation_)) return fail(Errc::refused, "the seat is lost");
    std::vector<RunRow> taken;
    auto running = *tables_.journal.runs(1'000'000, {.state = RunState::running});
    for (auto& row : running) {
      if (taken.size() == limit || tables_.alive(tables_.holders[row.run_id])) continue;
      row.node = node_;
      taken.push_back(*claim(std::move(row)));
      ++tables_.taken_over;
    }
    return taken;
  }
  Result<void> leave() override {
    tables_.nodes[incarnation_].fenced = true;
    return {};
  }
  Result<void> poke(const std::string&) override { return {}; }
  void watch(std::function<void(const std::string&)>) override {}

  // ---- Journal ----

  Result<RunRow> claim(RunRow row) override {
    auto holder = tables_.holders.find(row.run_id);
    auto stored = *tables_.journal.run(row.run_id);
    bool goes = stored && stored->state == RunState::running && holder != tables_.holders.end();
    if (!tables_.alive(incarnation_)) return fail(Errc::refused, "the seat is lost");
    if (goes && holder->second != incarnation_ && tables_.alive(holder->second))
      return fail(Errc::refused, "run " + row.run_id + " is held by another node");
    tables_.holders[row.run_id] = incarnation_;
    return tables_.journal.claim(std::move(row));
  }
  Result<std::optional<RunRow>> run(const std::string& id) override { return all().run(id); }
  Result<std::vector<RunRow>> runs(std::size_t limit, const RunFilter& filter) override {
    return all().runs(limit, filter);
  }
  Result<std::vector<RunRow>> children(const std::string& id) override { return all().children(id); }
  Result<std::vector<std::string>> due(WallTime until, std::size_t limit) override {
    return all().due(until, limit);
  }
  Result<std::vector<RunRow>> unfinished(const std::string& node, std::size_t limit) override {
    return all().unfinished(node, limit);
  }
  Result<void> post(SignalRow signal) override { return all().post(std::move(signal)); }
  Result<std::vector<SignalRow>> inbox(std::uint64_t after, std::size_t limit) override {
    return all().inbox(after, limit);
  }
  Result<std::vector<Entry>> history(const std::string& id) override { return all().history(id); }
  Result<std::vector<UsageRow>> usage(const UsageFilter& filter) override { return all().usage(filter); }
  Result<std::vector<CostRow>> cost(const std::string& by, const UsageFilter& filter) override {
    return all().cost(by, filter);
  }
  Result<std::vector<BreakerRow>> breakers(WallTime since) override { return all().breakers(since); }
  Result<std::vector<BreakerMemoryRow>> breaker_memories() override { return all().breaker_memories(); }
  Result<std::vector<ControlRow>> controls(WallTime since) override { return all().controls(since); }
  Result<std::vector<ExposureCount>> exposures() override { return all().exposures(); }
  Result<std::optional<DecisionRow>> decision(const std::string& id) override { return all().decision(id); }
  Result<std::uint64_t> forget(WallTime before, const std::string& workflow, std::uint64_t enough) override {
    return all().forget(before, workflow, enough);
  }
  Membership* membership() override { return this; }
  Result<std::vector<std::string>> check() override { return all().check(); }

 protected:
  Result<void> write(Batch batch) override {
    if (!tables_.journal.fences || tables_.alive(incarnation_)) return all().apply(batch);
    ++tables_.refused_late;
    return fail(Errc::storage, "fenced: another incarnation has the seat");
  }

 private:
  MemoryJournal& all() { return tables_.journal; }

  SharedTables& tables_;
  std::string node_;
  std::uint64_t incarnation_ = 0;
  Instant renewed_;
  bool lost_ = false;
};

}  // namespace troupe::journal::testing
