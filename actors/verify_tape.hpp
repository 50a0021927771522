// A journal that keeps nothing: a run writes to it, and who holds it looks at what was written and decides
// when that becomes durable.
#pragma once

#include "runtime/journal/journal.hpp"

#include <deque>
#include <optional>
#include <span>
#include <utility>

namespace troupe::actors {

/// Of one run. One thread.
class Tape final : public journal::Journal {
 public:
  /// `past`: what the run finds recorded when it is taken up; outlives the tape.
  Tape(journal::RunRow row, std::span<const journal::Entry> past) : row_(std::move(row)), past_(past) {}

  /// Written and not yet taken by who looks.
  std::deque<journal::Entry> made;
  /// The run's row when the run wrote that it ended.
  std::optional<journal::RunRow> ended;
  /// The oldest commit becomes durable; false when there is none.
  bool acknowledge() {
    if (waiting_.empty()) return false;
    auto first = std::move(waiting_.front());
    waiting_.pop_front();
    first({});
    return true;
  }

  void append(journal::Batch batch, journal::Committed committed) override {
    for (auto& entry : batch.entries) made.push_back(std::move(entry));
    if (batch.run && batch.run->state != journal::RunState::running) ended = std::move(batch.run);
    waiting_.push_back(std::move(committed));
  }
  Result<journal::RunRow> claim(journal::RunRow) override { return row_; }
  Result<std::vector<journal::Entry>> history(const std::string&) override {
    return std::vector<journal::Entry>(past_.begin(), past_.end());
  }

  // A run asks none of these.
  Result<std::optional<journal::RunRow>> run(const std::string&) override { return row_; }
  Result<std::vector<journal::RunRow>> runs(std::size_t, const journal::RunFilter&) override {
    return none();
  }
  Result<std::vector<journal::RunRow>> children(const std::string&) override { return none(); }
  Result<std::vector<std::string>> due(WallTime, std::size_t) override { return none(); }
  Result<std::vector<journal::RunRow>> unfinished(const std::string&, std::size_t) override { return none(); }
  Result<void> post(journal::SignalRow) override { return none(); }
  Result<std::vector<journal::SignalRow>> inbox(std::uint64_t, std::size_t) override { return none(); }
  Result<std::vector<journal::UsageRow>> usage(const journal::UsageFilter&) override { return none(); }
  Result<std::vector<journal::CostRow>> cost(const std::string&, const journal::UsageFilter&) override {
    return none();
  }
  Result<std::vector<journal::BreakerRow>> breakers(WallTime) override { return none(); }
  Result<std::vector<journal::BreakerMemoryRow>> breaker_memories() override { return none(); }
  Result<std::vector<journal::ControlRow>> controls(WallTime) override { return none(); }
  Result<std::vector<journal::ExposureCount>> exposures() override { return none(); }
  Result<std::optional<journal::DecisionRow>> decision(const std::string&) override { return none(); }
  Result<std::uint64_t> forget(WallTime, const std::string&, std::uint64_t) override { return none(); }
  Result<std::vector<std::string>> check() override { return none(); }

 private:
  static std::unexpected<Error> none() { return fail(Errc::unsupported, "a tape keeps nothing"); }

  journal::RunRow row_;
  std::span<const journal::Entry> past_;
  std::deque<journal::Committed> waiting_;
};

}  // namespace troupe::actors
