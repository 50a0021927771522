// Writes one run's entries: numbers them, stamps them with the run's epoch, and goes on when they are
// durable.
#pragma once

#include "actors/interfaces.hpp"
#include "runtime/base/clock.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <memory>
#include <string>
#include <utility>

namespace troupe::actors {

/// Used on its run's turn only. Clock and journal outlive it.
class RunPen {
 public:
  RunPen(RunActor::pointer self, Clock& clock, journal::Journal& journal)
      : self_(self), clock_(&clock), journal_(&journal) {}

  /// The run is ours from now on.
  void hold(journal::RunRow row, std::uint64_t last_seq) {
    row_ = std::move(row);
    seq_ = last_seq;
  }
  journal::RunRow& row() { return row_; }
  const journal::RunRow& row() const { return row_; }
  Clock& clock() const { return *clock_; }
  journal::Journal& journal() const { return *journal_; }

  /// Takes the next number; entries are to be committed in the order they were made.
  journal::Entry entry(journal::Kind kind, std::string key, std::string payload, std::uint32_t attempt = 0,
                       std::uint64_t hash = 0) {
    journal::Entry out;
    out.run_id = row_.run_id;
    out.seq = ++seq_;
    out.kind = kind;
    out.step_key = std::move(key);
    out.input_hash = hash;
    out.epoch = row_.epoch;
    out.attempt = attempt;
    out.at = clock_->wall();
    out.payload = std::move(payload);
    return out;
  }

  /// `then` comes on the run's turn; never when the run is gone by then.
  void commit(journal::Batch batch, std::function<void(Result<void>)> then) {
    ++open_;
    batch.durability = row_.durability;
    journal_->append(std::move(batch),
                     [this, me = RunActor(self_), then = std::move(then)](Result<void> committed) mutable {
                       go_on(me, [this, then = std::move(then), committed = std::move(committed)] {
                         --open_;
                         then(committed);
                       });
                     });
  }
  void commit(journal::Entry entry, std::function<void(Result<void>)> then) {
    journal::Batch batch;
    batch.entries.push_back(std::move(entry));
    commit(std::move(batch), std::move(then));
  }

  /// From any thread: do this on the run's turn.
  static void go_on(const RunActor& run, std::function<void()> work) {
    caf::anon_send(run, Continue{std::make_shared<std::function<void()>>(std::move(work))});
  }
  RunActor me() const { return RunActor(self_); }
  /// Commits that have not been heard of.
  std::size_t open() const { return open_; }

 private:
  RunActor::pointer self_;
  Clock* clock_;
  journal::Journal* journal_;
  journal::RunRow row_;
  std::uint64_t seq_ = 0;
  std::size_t open_ = 0;
};

}  // namespace troupe::actors
