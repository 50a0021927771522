// A node as an object: start it, give it workflows, submit runs, stop it. Two may live in one program.
#pragma once

#include <troupe/config.hpp>
#include <troupe/run.hpp>
#include <troupe/workflow.hpp>

#include <functional>
#include <memory>
#include <string>

namespace troupe {

/// Thread-safe. Installs no signal handler and no log sink, starts its own threads, ends them in `stop`.
class Node {
 public:
  /// Opens the journal, binds what is to be bound, spawns the cast. Fails with bad_config or storage; then
  /// nothing runs.
  static Result<std::unique_ptr<Node>> start(const Config& config);
  /// Stops, see `stop`.
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// Takes over another configuration's providers, models, endpoints, prices, sign-offs, experiments,
  /// rollouts, and how features route and are shadowed: calls that come from now on follow it, those under
  /// way end as they began, and what is the same in both stays who it is (docs/EXPERIMENTS.md). Fails with
  /// bad_config, and changes nothing, when other options differ from what the node runs by: it names them.
  Result<void> reload(const Config& config);
  /// Where to find the configuration when somebody wants it read again: reload() and the question
  /// "control.reload". `read` is called on any thread, one at a time.
  void set_config_reader(std::function<Result<Config>()> read);
  /// Reads it again. Fails with unsupported when nobody said where it is, else as above.
  Result<void> reload();

  /// Names a workflow type. Replaces an earlier one of that name for runs that start later. A node knows
  /// "recap" by itself: its input is {"input": FOLDER or ZIP of a Slack export, ...}.
  void add_workflow(std::string name, WorkflowFunction function);
  void add_workflow(WorkflowType type);

  struct Watch {
    /// Some times a second while the run goes.
    std::function<void(const RunProgress&)> on_progress;
    /// Once. All are called on a thread of the node and must not block.
    std::function<void(RunReport)> on_done;
    /// Text as it comes, in order; of the run itself, not of its children.
    std::function<void(const LiveText&)> on_text;
  };
  /// Starts a run, or resumes the one of that id. Gives its id; not_found for an unknown workflow, refused
  /// when the run is going already or the node is stopping.
  Result<std::string> submit(RunSpec spec, Watch watch = {});
  /// Submits and waits. Not from a thread of the node.
  RunReport run(RunSpec spec, std::function<void(const RunProgress&)> on_progress = {},
                std::function<void(const LiveText&)> on_text = {});

  /// Takes up every run that an earlier life of this node left unfinished, and (in a shared store) those of
  /// nodes that died; answers how many. Call it once all workflows are added; from then on the node does so
  /// by itself whenever there are any, and begins the runs of its schedules. bad_config when a schedule names
  /// a workflow that was not added.
  Result<std::size_t> resume_runs();

  /// No new step begins in any run, those going are recorded, then every run ends as `interrupted`.
  void interrupt();

  /// Asks the node itself, JSON in and out, as `troupe` does over the wire: "runs.list", "runs.show" {id},
  /// "runs.cancel" {id}, "runs.signal" {id, name, json, message_id}, "runs.export" {id}, "runs.going",
  /// "runs.check", "schedules.list" {schedule, tenant, at_ms, count}, "endpoints", "route.explain" {feature},
  /// "cost" {by, since_ms}, "submit" {workflow, input, run_id}, "feedback", "feedback.ask" and
  /// "feedback.report" (feedback.hpp),
  /// "control.stop" and "control.start" {subject, name, ttl_ms, who, why}, "control.breaker" {endpoint,
  /// order: open, close or freeze, ttl_ms, who, why}, "control.flag" {name, percent, unit, allow, deny, who,
  /// why}, "control.rollout" {name, action, who, why}, "control.list", "control.audit" {since_ms},
  /// "control.experiments", "control.shadows", "control.reload" {dry_run}.
  Result<JsonText> ask(const std::string& verb, const JsonText& input = {"{}"});

  /// Where other nodes and clients connect; empty when the configuration names no address.
  std::string address() const;
  /// http://127.0.0.1:PORT of the embedded simulator; empty when there is none.
  std::string simulator_url() const;

  /// Interrupts, waits for the runs to hand back, ends every thread. Idempotent.
  void stop();

 private:
  struct Impl;
  explicit Node(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe
