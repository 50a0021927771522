// A real journal whose writes wait until the one thread of a simulation lets them go, and whose answers come
// on that thread; what waits when the process dies is lost.
#pragma once

#include "runtime/journal/journal.hpp"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace troupe::actors::testing {

/// One thread, but for the inner journal's own.
class StagedJournal final : public journal::Journal {
 public:
  explicit StagedJournal(std::unique_ptr<journal::Journal> inner) : inner_(std::move(inner)) {}

  void append(journal::Batch batch, journal::Committed committed) override {
    entries_ += batch.entries.size();
    waiting_.push_back(
        [this, batch = std::move(batch), committed = std::move(committed)](bool heard) mutable {
          auto slot = take_slot(std::move(committed), heard);
          inner_->append(std::move(batch), [this, slot](Result<void> done) {
            finish(slot, [done = std::move(done)](journal::Committed& tell) { tell(done); });
          });
        });
  }
  void claim_then(journal::RunRow row, std::function<void(Result<journal::RunRow>)> claimed) override {
    waiting_.push_back([this, row = std::move(row), claimed = std::move(claimed)](bool heard) mutable {
      auto kept = std::make_shared<Result<journal::RunRow>>(fail(Errc::internal, ""));
      auto slot = take_slot([kept, claimed = std::move(claimed)](Result<void>) { claimed(*kept); }, heard);
      inner_->claim_then(std::move(row), [this, slot, kept](Result<journal::RunRow> done) {
        *kept = std::move(done);
        finish(slot, [](journal::Committed& tell) { tell({}); });
      });
    });
  }

  std::size_t waiting() const { return waiting_.size(); }
  /// Entries that were asked to be written.
  std::size_t entries() const { return entries_; }
  /// The oldest waiting ones become durable together, and their writers hear of it in their order. Unheard:
  /// the process is dying.
  void commit(std::size_t count, bool heard) {
    for (; count > 0 && !waiting_.empty(); --count) {
      auto write = std::move(waiting_.front());
      waiting_.pop_front();
      write(heard);
    }
    std::deque<Slot> done;
    {
      std::unique_lock lock(mutex_);
      durable_.wait(lock, [this] { return open_ == 0; });
      done.swap(slots_);
    }
    for (auto& slot : done)
      if (slot.tell && slot.committed) slot.tell(slot.committed);
  }
  /// What waited never reaches the disk.
  void lose() { waiting_.clear(); }

  Result<journal::RunRow> claim(journal::RunRow row) override { return inner_->claim(std::move(row)); }
  Result<std::optional<journal::RunRow>> run(const std::string& id) override { return inner_->run(id); }
  Result<std::vector<journal::RunRow>> runs(std::size_t limit, const journal::RunFilter& filter) override {
    return inner_->runs(limit, filter);
  }
  Result<void> post(journal::SignalRow signal) override { return inner_->post(std::move(signal)); }
  Result<std::vector<journal::SignalRow>> inbox(std::uint64_t after, std::size_t limit) override {
    return inner_->inbox(after, limit);
  }
  Result<std::vector<journal::RunRow>> children(const std::string& id) override {
    return inner_->children(id);
  }
  Result<std::vector<std::string>> due(WallTime until, std::size_t limit) override {
    return inner_->due(until, limit);
  }
  Result<std::vector<journal::RunRow>> unfinished(const std::string& node, std::size_t limit) override {
    return inner_->unfinished(node, limit);
  }
  Result<std::vector<journal::Entry>> history(const std::string& id) override { return inner_->history(id); }
  Result<std::vector<journal::UsageRow>> usage(const journal::UsageFilter& f) override {
    return inner_->usage(f);
  }
  Result<std::vector<journal::CostRow>> cost(const std::string& by, const journal::UsageFilter& f) override {
    return inner_->cost(by, f);
  }
  Result<std::vector<journal::BreakerRow>> breakers(WallTime since) override {
    return inner_->breakers(since);
  }
  Result<std::vector<journal::BreakerMemoryRow>> breaker_memories() override {
    return inner_->breaker_memories();
  }
  Result<std::vector<journal::ControlRow>> controls(WallTime since) override {
    return inner_->controls(since);
  }
  Result<std::vector<journal::ExposureCount>> exposures() override { return inner_->exposures(); }
  Result<std::optional<journal::DecisionRow>> decision(const std::string& id) override {
    return inner_->decision(id);
  }
  Result<std::uint64_t> forget(WallTime before, const std::string& workflow, std::uint64_t enough) override {
    return inner_->forget(before, workflow, enough);
  }
  /// One node that nobody fences: no seats.
  journal::Membership* membership() override { return nullptr; }
  Result<std::vector<std::string>> check() override { return inner_->check(); }

 private:
  struct Slot {
    journal::Committed committed;
    std::function<void(journal::Committed&)> tell;
  };

  Slot* take_slot(journal::Committed committed, bool heard) {
    std::lock_guard lock(mutex_);
    ++open_;
    return &slots_.emplace_back(Slot{heard ? std::move(committed) : journal::Committed(), {}});
  }
  void finish(Slot* slot, std::function<void(journal::Committed&)> tell) {
    std::lock_guard lock(mutex_);
    slot->tell = std::move(tell);
    if (--open_ == 0) durable_.notify_all();
  }

  std::unique_ptr<journal::Journal> inner_;
  std::deque<std::function<void(bool)>> waiting_;
  std::mutex mutex_;
  std::condition_variable durable_;
  std::deque<Slot> slots_;
  std::size_t open_ = 0, entries_ = 0;
};

}  // namespace troupe::actors::testing
