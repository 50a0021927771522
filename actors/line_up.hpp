// Runs that several runs share, begun in order of urgency and few at a time.
#pragma once

#include "actors/run.hpp"
#include "agents/recap_night/ports.hpp"

#include <map>
#include <mutex>
#include <set>

namespace troupe::actors {

struct LineUpPolicy {
  /// Begun and not over. The others wait as a line each, without an actor.
  std::size_t running_max = 96;
  /// Off: in order of arrival. For tests of what it is good for.
  bool by_urgency = true;
};

/// Thread-safe. Ends with the node that holds it: whoever waited asks again in the next life. Several nodes
/// on one store may begin the same run; the store lets one have it, and the others are refused and ask again.
class LineUp final : public recap_night::SharedRuns {
 public:
  using Policy = LineUpPolicy;
  /// `runs`, `clock` and what `journal` answers must outlive it; the journal may be null until the node has
  /// started.
  LineUp(ChildRuns& runs, const Clock& clock, std::function<journal::Journal*()> journal, Policy policy = {})
      : runs_(runs), clock_(clock), journal_(std::move(journal)), policy_(policy) {}

  /// A run that has not begun when everyone who joined needed it is not begun any more: deadline_exceeded.
  void join(RunSpec spec, WallTime due, std::function<void(RunReport)> ended) override;
  Result<JsonText> output(const std::string& run_id) override;
  std::size_t waiting() const;

 private:
  using Place = std::pair<std::int64_t, std::uint64_t>;
  struct Joined {
    RunSpec spec;
    Place place;
    WallTime needed_until;
    bool running = false;
    std::vector<std::function<void(RunReport)>> waiters;
  };

  Result<std::optional<journal::RunRow>> row(const std::string& run_id);
  void begin_next();
  void begin(RunSpec spec);
  void tell(const std::string& run_id, const RunReport& report);
  void on_end(const std::string& run_id, const RunReport& report);

  ChildRuns& runs_;
  const Clock& clock_;
  std::function<journal::Journal*()> journal_;
  Policy policy_;
  mutable std::mutex mutex_;
  std::map<std::string, Joined> joined_;
  std::map<Place, std::string> line_;
  std::size_t running_ = 0;
  std::uint64_t arrivals_ = 0;
};

}  // namespace troupe::actors
