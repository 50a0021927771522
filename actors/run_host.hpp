// The runs of a node: which go, which are parked, who hears of them; and who starts runs for runs.
#pragma once

#include "actors/run.hpp"
#include "runtime/journal/membership.hpp"

#include <troupe/node.hpp>

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>

namespace troupe::actors {

struct RunHostParts {
  caf::actor_system* system = nullptr;
  Clock* clock = nullptr;
  journal::Journal* journal = nullptr;
  std::string node;
  std::shared_ptr<const Published<QueueMap>> queues;
  std::function<double(const CompletionRequest&, const Usage&)> list_price;
  /// RunConfig::park_after.
  Duration park_after = std::chrono::seconds(30);
  /// NodeConfig::retention.
  Duration retention{};
  /// By workflow: of runs that were not asked for with another (StoreConfig).
  std::map<std::string, Durability> durability = {};
  bool power_safe = true;
};

/// Thread-safe. Outlives its runs: wait for `quiet` before destroying it.
class RunHost final : public ChildRuns {
 public:
  using Watch = Node::Watch;

  void start(RunHostParts parts) { parts_ = std::move(parts); }
  /// `durability`: of its runs, in place of RunHostParts'; unsaid: that one.
  void add(WorkflowType type, Durability durability = Durability::unsaid);
  std::set<std::string> workflows() const;

  /// Node::submit.
  Result<std::string> submit(RunSpec spec, Watch watch);
  /// Takes up again what a crash left behind, here or (in a shared store) on nodes that died; how many.
  /// Blocks on the journal.
  Result<std::size_t> resume();
  /// The same; true when there may be more, which may be asked for `at_once`, a moment later: they are taken
  /// up then unless very many runs go already.
  bool resume_more(bool at_once);
  /// Wakes what is due: all, or only those that this process started, the longest overdue first. True when
  /// more are due, which may be asked for `at_once`, a moment later: they are woken then unless very many
  /// runs go already. Blocks on the journal; once a second is often enough else.
  bool wake_due(bool all, bool at_once = false);
  void tick();
  /// Hands over the signals that wait for runs of this node, and wakes those that are parked. True when very
  /// many runs go already, so that some signals wait a moment longer. Blocks on the journal.
  bool take_signals();
  /// Forgets one slice of the runs that ended longer ago than `retention` (Journal::forget); true when there
  /// may be more. Blocks on the journal; once a minute is often enough else.
  bool forget_old();
  /// Why a run that nobody drives does not get on, as far as this node knows; empty: it is not so.
  std::string why_waiting(const journal::RunRow& row) const;
  /// ChildRuns::signal.
  bool signal(const std::string& run_id, const std::string& name, const std::string& json,
              std::uint64_t id) override;
  std::optional<RunProgress> progress(const std::string& run_id) const;
  std::size_t going() const;

  /// No run starts any more and those going hand back; then `quiet` answers true.
  void interrupt();
  bool quiet(Duration within);
  /// Ends what did not hand back.
  void kill();

  // ChildRuns.
  Result<void> start(RunSpec spec, std::function<void(RunReport)> ended) override;
  bool cancel(const std::string& run_id, bool interrupt) override;

 private:
  struct Going {
    RunActor actor;
    RunProgress progress;
    std::vector<Watch> watches;
    /// Empty: nobody's child.
    std::string parent;
  };
  struct Parked {
    std::string workflow;
    std::vector<Watch> watches;
  };

  /// Not under the lock.
  bool wake(const std::string& run_id);
  /// Under the lock.
  Result<void> begin(RunSpec spec, std::vector<Watch> watches, bool fresh = false);
  bool wake_row(const std::string& run_id, const Result<std::optional<journal::RunRow>>& row);
  bool hand_over(journal::SignalRow signal, bool full);
  bool serves(const std::string& workflow, const std::string& version) const;
  void tell_waiting(std::vector<journal::RunKind> waiting);
  Result<std::vector<journal::RunRow>> left_behind();
  /// Of this node, by the journal, and not driven.
  Result<std::vector<journal::RunRow>> mine_undriven();
  void leave_alone(const std::string& run_id, const Error& why);
  /// What a new run of it is recorded with. invalid_input for what this store cannot give.
  Result<Durability> durability_of(const RunSpec& spec) const;
  RunConfig config_of(RunSpec spec, const WorkflowType& type, const std::vector<Watch>& watches);
  /// Its own, and that of those it started, and theirs. Under the lock.
  RunProgress with_children(const std::string& run_id, RunProgress progress) const;
  void on_progress(const std::string& run_id, const RunProgress& progress);
  void on_parked(const std::string& run_id, const std::string& workflow);
  void on_done(const std::string& run_id, RunReport report);

  RunHostParts parts_;
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  std::map<std::string, WorkflowType> types_;
  std::map<std::string, Durability> own_durability_;  // as add() was told
  std::map<std::string, Going> going_;
  std::map<std::string, Parked> parked_;
  /// Runs that cannot go on here (code of another version, an unknown workflow): said once, then left alone
  /// until a workflow is added, or they would be claimed again and again.
  std::map<std::string, std::string> left_alone_;
  /// Kinds of runs that no node holds and this one does not serve; said once.
  std::set<std::pair<std::string, std::string>> waiting_;
  std::uint64_t signals_from_ = 0;  // the number of the signal that was handed over last
  /// Has every run of this node that nobody drives been taken up? Asking means reading their rows.
  bool all_taken_up_ = false;
  std::string ticked_next_;  // the run whose turn it is
  bool stopping_ = false;
};

}  // namespace troupe::actors
