// A journal in memory as another node sees it: everything is passed on, what differs is overridden.
#pragma once

#include "tests/support/memory_journal.hpp"

#include <string>
#include <utility>
#include <vector>

namespace troupe::journal::testing {

class MemoryJournalView : public Journal {
 public:
  explicit MemoryJournalView(MemoryJournal& under) : under_(under) {}

  void append(Batch batch, Committed committed) override {
    under_.append(std::move(batch), std::move(committed));
  }
  Result<RunRow> claim(RunRow row) override { return under_.claim(std::move(row)); }
  Result<std::optional<RunRow>> run(const std::string& run_id) override { return under_.run(run_id); }
  Result<std::vector<RunRow>> runs(std::size_t limit, const RunFilter& filter) override {
    return under_.runs(limit, filter);
  }
  Result<std::vector<RunRow>> children(const std::string& run_id) override { return under_.children(run_id); }
  Result<std::vector<std::string>> due(WallTime until, std::size_t limit) override {
    return under_.due(until, limit);
  }
  Result<std::vector<RunRow>> unfinished(const std::string& node, std::size_t limit) override {
    return under_.unfinished(node, limit);
  }
  Result<void> post(SignalRow signal) override { return under_.post(std::move(signal)); }
  Result<std::vector<SignalRow>> inbox(std::uint64_t after, std::size_t limit) override {
    return under_.inbox(after, limit);
  }
  Result<std::vector<Entry>> history(const std::string& run_id) override { return under_.history(run_id); }
  Result<std::vector<UsageRow>> usage(const UsageFilter& filter) override { return under_.usage(filter); }
  Result<std::vector<CostRow>> cost(const std::string& by, const UsageFilter& filter) override {
    return under_.cost(by, filter);
  }
  Result<std::vector<BreakerRow>> breakers(WallTime since) override { return under_.breakers(since); }
  Result<std::vector<BreakerMemoryRow>> breaker_memories() override { return under_.breaker_memories(); }
  Result<std::vector<ControlRow>> controls(WallTime since) override { return under_.controls(since); }
  Result<std::vector<ExposureCount>> exposures() override { return under_.exposures(); }
  Result<std::optional<DecisionRow>> decision(const std::string& id) override { return under_.decision(id); }
  Result<std::uint64_t> forget(WallTime before, const std::string& workflow, std::uint64_t enough) override {
    return under_.forget(before, workflow, enough);
  }
  Result<std::vector<std::string>> check() override { return under_.check(); }

 protected:
  MemoryJournal& under_;
};

}  // namespace troupe::journal::testing
