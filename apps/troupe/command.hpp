// What every verb of the command line shares: exit statuses, printing, reading files.
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/config.hpp>
#include <troupe/error.hpp>

#include <CLI/CLI.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe::app {

/// Exit statuses of the contract.
enum Exit : int {
  kDone = 0,
  kUsage = 64,
  kBadInput = 65,
  kInputMissing = 66,
  kNoEndpoint = 69,
  kOurBug = 70,
  kInterrupted = 75,
  kBadConfig = 78,
};

/// The status a failed command ends with.
Exit exit_for(const Error& error);
/// "troupe: what (code)" and a hint where one helps, to stderr; returns exit_for.
int report_error(const Error& error);
/// The same, but `unsupported` is a wrong command line.
/// Nothing to repeat: whoever starts commands again at 75 would do so for ever.
int report_cancelled(const std::string& run_id);
int report_usage(const Error& error);

/// A parsed command line: what to do once parsing is over.
using Action = std::function<int()>;

// One function a verb: declares its options on `app` and sets `action` when it is chosen.
void add_run(CLI::App& app, Action& action);
void add_node(CLI::App& app, Action& action);
void add_submit(CLI::App& app, Action& action);
void add_runs(CLI::App& app, Action& action);
void add_runs_cancel(CLI::App& runs, Action& action);
/// The verbs under `runs` that look back: export, verify, prune.
void add_runs_past(CLI::App& runs, Action& action);
void add_schedules(CLI::App& app, Action& action);
void add_simulate(CLI::App& app, Action& action);
void add_replay(CLI::App& app, Action& action);
void add_call(CLI::App& app, Action& action);
void add_endpoints(CLI::App& app, Action& action);
void add_route(CLI::App& app, Action& action);
/// The verb under `route` that reads judged answers.
void add_route_match(CLI::App& route, Action& action);
void add_cost(CLI::App& app, Action& action);
void add_control(CLI::App& app, Action& action);
void add_feedback(CLI::App& app, Action& action);
void add_check(CLI::App& app, Action& action);
void add_keygen(CLI::App& app, Action& action);
void add_tools(CLI::App& app, Action& action);
/// The verbs under `tools` that change their words: accept, descriptions, rollback.
void add_tool_texts(CLI::App& tools, Action& action);
void add_version(CLI::App& app, Action& action);

/// The configuration a command works with: a file, or the demo clouds.
Result<Config> config_from(const std::string& file, const std::string& state_dir);

Result<std::string> read_file(const std::string& path);
/// Whole or not at all: writes beside `path`, then renames.
Result<void> write_file(const std::string& path, std::string_view text);

/// Makes the folder and writes a byte there, so that a run is not paid for whose results have nowhere to go.
/// input_missing naming the folder when that fails.
Result<void> check_writable(const std::string& folder);
/// Who gives an order: $USER, else the user's number.
std::string operator_name();

/// Rows of equal length under a header, columns aligned for reading; numbers to the right.
std::string table(const std::vector<std::vector<std::string>>& rows);

/// The questions of Node::ask put to wherever the state is.
class Asker {
 public:
  virtual ~Asker() = default;
  virtual Result<Json> ask(const std::string& verb, const Json& input) = 0;
};
struct AskerOptions {
  /// "tcp://…" of a node; empty: the state folder on this machine.
  std::string to;
  std::string state_dir = ".troupe";
  std::string config;
  std::string server_key, key_file;
  /// The state folder is to be changed, not only read: nothing else may be writing to it.
  bool writes = false;
};
void add_asker_options(CLI::App& app, AskerOptions& options);
Result<std::unique_ptr<Asker>> make_asker(const AskerOptions& options);

/// "route.explain" without a node: from the configuration and, when there is one, the state folder's breaker
/// history. Loads, limits and latencies are unknown then. not_found for an unknown feature.
Result<Json> plan_from_state(const AskerOptions& options, const Json& question);

}  // namespace troupe::app
