// One life of a recorded run, made again: from where it was taken up to where it ended or the process died.
#pragma once

#include "actors/run.hpp"
#include "actors/verify_run.hpp"
#include "actors/verify_tape.hpp"

#include <map>
#include <set>
#include <span>

namespace troupe::actors {

/// Runs actors on the thread that asks for it.
class Turns final : public Executor {
 public:
  void post(std::function<void()> work) override { waiting_.push_back(std::move(work)); }
  bool here() const override { return true; }
  void drain();

 private:
  std::deque<std::function<void()>> waiting_;
};

struct LifeParts {
  caf::actor_system* system = nullptr;
  Unit* unit = nullptr;
  Turns* turns = nullptr;
  const RecordedRun* run = nullptr;
  const VerifyParts* verify = nullptr;
  /// Where in the history this life begins and ends, and the epoch it wrote under.
  std::size_t from = 0, to = 0;
  std::uint64_t epoch = 0;
  bool last = false;
};

/// One thread, that of `turns`.
class Life final : public StandIn, public ChildRuns {
 public:
  explicit Life(LifeParts parts);
  ~Life() override;
  void enact(ReplayVerdict& verdict);

  // StandIn.
  void ask(const CallPtr& call) override;
  void call_off(const CallPtr& call) override;
  void use(const std::string& key, std::function<void(Result<ToolOutput>)> done) override;
  std::optional<Result<JsonText>> step(const std::string& key) override;
  // ChildRuns.
  Result<void> start(RunSpec spec, std::function<void(RunReport)> ended) override;
  bool cancel(const std::string&, bool) override { return true; }
  bool signal(const std::string& run_id, const std::string&, const std::string&, std::uint64_t) override;

 private:
  void begin();
  /// Not before: decisions are made in the order of the record.
  void pass_to(WallTime at);
  void settle();
  void compare(const journal::Entry& made);
  /// Does the next thing that may lead to the entry the record has next; false when there is nothing to do.
  bool advance(const journal::Entry& next);
  bool give(const journal::Entry& next);
  bool stops_first(const journal::Entry& next);
  bool nudge(const journal::Entry& next);
  bool acknowledge();
  void finish();
  void drifted(const journal::Entry& recorded, std::string was, std::string now);
  std::string waits_for() const;
  const journal::Entry* ahead(const std::string& key, journal::Kind kind) const;

  LifeParts parts_;
  std::span<const journal::Entry> past_, segment_;
  ManualClock clock_;
  Tape tape_;
  RunActor run_;
  std::optional<RunReport> report_;
  std::size_t at_ = 0, made_ = 0;
  bool broken_ = false, nudged_ = false, stopped_ = false;
  std::vector<Drift> drift_;
  std::set<std::string> other_input_;  // keys that were said to be asked with another
  std::map<std::string, CallPtr> calls_;
  std::set<std::string> called_off_;
  std::map<std::string, std::function<void(Result<ToolOutput>)>> tools_;
  std::map<std::string, std::function<void(RunReport)>> children_;  // by key
  std::map<std::string, std::string> child_keys_;                   // by run id
};

}  // namespace troupe::actors
