// Stores of simulated nodes: journals that write when the simulation says so.
#pragma once

#include "runtime/base/rng.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/journal/membership.hpp"
#include "tests/support/faulty_vfs.hpp"

#include <fmt/format.h>

#include <deque>
#include <filesystem>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace troupe::journal::testing {

/// Steps ("RUN STEP") whose intent, whose result is durable.
struct Durable {
  std::set<std::string> intents, results;
  void note(const std::string& run, Kind kind, const std::string& step) {
    if (kind == Kind::intent) intents.insert(run + " " + step);
    if (kind == Kind::result) results.insert(run + " " + step);
  }
};

/// Mistakes a store might make; to show that the simulation finds them.
struct PlantedMistakes {
  /// Says that it is durable before it is.
  bool acknowledges_early = false;
  /// Writes no line of the ledger.
  bool forgets_usage = false;
};

/// What a node of a simulation writes through. One thread. Batches wait until the simulation commits them.
class SimulatedStore : public Journal {
 public:
  void append(Batch batch, Committed committed) override {
    if (mistakes.forgets_usage) batch.usage.clear();
    if (!mistakes.acknowledges_early) return pending_.push_back({std::move(batch), std::move(committed)});
    pending_.push_back({std::move(batch), [](const Result<void>&) {}});
    committed({});
  }
  PlantedMistakes mistakes;
  const Durable& durable() const { return durable_; }
  std::size_t pending() const { return pending_.size(); }
  /// The oldest waiting batch becomes durable, or is refused, and its writer hears of it.
  void commit_next() {
    auto [batch, committed] = take();
    committed(write_down(std::move(batch)));
  }
  /// Durable, but the process dies before anyone hears of it.
  void commit_unheard() { (void)write_down(take().batch); }

  /// A process begins to use it, or its earlier one is gone with all that waited.
  virtual Result<void> begin() = 0;
  virtual void end(Rng& rng) = 0;
  /// The disk begins to fail, some way or other. False when this store has no disk of its own.
  virtual bool break_disk(Rng&) { return false; }
  /// Since when is nothing written any more?
  virtual bool broken() const { return false; }
  /// Now and then, while the process goes: to renew a lease.
  virtual void look_around() {}
  /// Has another process taken this one's seat, whether it knows or not?
  virtual bool seat_lost() const { return false; }
  /// Is the run this node's?
  virtual bool holds(const std::string& run_id) = 0;
  /// What was written or refused, in order.
  std::vector<std::string> story;

 protected:
  virtual Result<void> write(Batch batch) = 0;
  void drop_pending() { pending_.clear(); }

 private:
  struct Waiting {
    Batch batch;
    Committed committed;
  };
  Waiting take() {
    auto waiting = std::move(pending_.front());
    pending_.pop_front();
    return waiting;
  }
  Result<void> write_down(Batch batch) {
    struct Line {
      std::string run, step;
      Kind kind;
    };
    std::vector<Line> lines;
    for (const auto& entry : batch.entries) lines.push_back({entry.run_id, entry.step_key, entry.kind});
    auto done = write(std::move(batch));
    for (const auto& [run, step, kind] : lines) {
      story.push_back(fmt::format("{} {} {} {}", run, to_string(kind), step, done ? "" : done.error().what));
      if (done) durable_.note(run, kind, step);
    }
    return done;
  }

  std::deque<Waiting> pending_;
  Durable durable_;
};

/// The journal nodes really have, in a file on a disk that fails: full, unable to write or to sync, and with
/// the power going.
class FileStore final : public SimulatedStore {
 public:
  /// `folder` is emptied.
  FileStore(std::filesystem::path folder, std::string node, bool power_safe = true) : node_(std::move(node)) {
    config_.power_safe = power_safe;
    troupe::testing::FaultyVfs::install();
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    disk_ = std::make_unique<troupe::testing::FaultyDisk>(folder);
    config_.path = (folder / "troupe.db").string();
  }
  ~FileStore() override {
    disk_->turn_off();
    real_.reset();
  }

  Result<void> begin() override {
    auto opened = open_sqlite(config_);
    if (!opened) return std::unexpected(opened.error());
    real_ = std::move(*opened);
    broken_ = false;
    auto joined = real_->membership()->join(node_, "", "");
    return joined ? Result<void>() : std::unexpected(joined.error());
  }
  /// Nothing the dying process does reaches the disk; half of the time the power goes with it.
  void end(Rng& rng) override {
    drop_pending();
    disk_->turn_off();
    real_.reset();
    if (rng.below(2) == 0) {
      ++power_losses;
      disk_->turn_on_after_power_loss(rng);
    } else {
      disk_->turn_on();
    }
  }
  bool break_disk(Rng& rng) override {
    auto kind = rng.below(3);
    if (kind == 0) disk_->leave_room(rng.below(20'000));
    if (kind == 1) disk_->fail_writes_after(rng.below(8));
    if (kind == 2) disk_->fail_syncs_after(rng.below(3));
    return true;
  }
  bool broken() const override { return broken_; }
  bool holds(const std::string& run_id) override {
    auto row = run(run_id);
    return row && row->has_value();
  }
  troupe::testing::FaultyDisk& disk() { return *disk_; }
  std::size_t power_losses = 0;

  Result<RunRow> claim(RunRow row) override { return noticed(real_->claim(std::move(row))); }
  Result<std::optional<RunRow>> run(const std::string& id) override { return real_->run(id); }
  Result<std::vector<RunRow>> runs(std::size_t limit, const RunFilter& filter) override {
    return real_->runs(limit, filter);
  }
  Result<std::vector<RunRow>> children(const std::string& id) override { return real_->children(id); }
  Result<std::vector<std::string>> due(WallTime until, std::size_t limit) override {
    return real_->due(until, limit);
  }
  Result<std::vector<RunRow>> unfinished(const std::string& node, std::size_t limit) override {
    return real_->unfinished(node, limit);
  }
  Result<void> post(SignalRow signal) override { return real_->post(std::move(signal)); }
  Result<std::vector<SignalRow>> inbox(std::uint64_t after, std::size_t limit) override {
    return real_->inbox(after, limit);
  }
  Result<std::vector<Entry>> history(const std::string& id) override { return real_->history(id); }
  Result<std::vector<UsageRow>> usage(const UsageFilter& filter) override { return real_->usage(filter); }
  Result<std::vector<CostRow>> cost(const std::string& by, const UsageFilter& filter) override {
    return real_->cost(by, filter);
  }
  Result<std::vector<BreakerRow>> breakers(WallTime since) override { return real_->breakers(since); }
  Result<std::vector<BreakerMemoryRow>> breaker_memories() override { return real_->breaker_memories(); }
  Result<std::vector<ControlRow>> controls(WallTime since) override { return real_->controls(since); }
  Result<std::vector<ExposureCount>> exposures() override { return real_->exposures(); }
  Result<std::optional<DecisionRow>> decision(const std::string& id) override { return real_->decision(id); }
  Result<std::uint64_t> forget(WallTime before, const std::string& workflow, std::uint64_t enough) override {
    return real_->forget(before, workflow, enough);
  }
  Membership* membership() override { return real_->membership(); }
  Result<std::vector<std::string>> check() override { return real_->check(); }

 protected:
  /// Waited for, so that the committer's thread takes no part in the order of things.
  Result<void> write(Batch batch) override {
    std::promise<Result<void>> answered;
    real_->append(std::move(batch), [&](Result<void> done) { answered.set_value(std::move(done)); });
    return noticed(answered.get_future().get());
  }

 private:
  template <class T>
  Result<T> noticed(Result<T> done) {
    if (!done && done.error().code == Errc::storage) broken_ = true;
    return done;
  }

  std::string node_;
  SqliteConfig config_;
  std::unique_ptr<troupe::testing::FaultyDisk> disk_;
  std::unique_ptr<Journal> real_;
  bool broken_ = false;
};

}  // namespace troupe::journal::testing
