// The tools of `tools:` in the configuration, started when they are first wanted.
#pragma once

#include "actors/open_corpora.hpp"
#include "agents/research/kept_tools.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/config/tools_config.hpp"
#include "runtime/json/json.hpp"
#include "runtime/tools/library.hpp"
#include "runtime/tools/mcp.hpp"

#include <troupe/tool.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace troupe::actors {

/// One entry of the configuration, as `troupe tools list` shows it.
struct ToolOwner {
  /// "mcp files", "sql sales", "corpus handbook", "fetch", "built in".
  std::string name;
  std::vector<ToolPtr> tools;
  /// Why it gives none; and what else people should know (tools that were left out).
  std::optional<Error> error;
  std::vector<std::string> problems;
};

/// Thread-safe. `clock` must outlive it and its tools.
class ConfiguredTools {
 public:
  /// `descriptions`: the file of accepted descriptions (runtime/tools/described.hpp), read each time tools
  /// are opened; empty: none. One that cannot be read changes nothing, and is logged.
  ConfiguredTools(config::ToolsConfig config, Clock& clock, std::string descriptions = {});

  /// Everything the configuration names. Servers that were not asked yet are started, all at once: blocks up
  /// to the longest start_max. What cannot be used is asked again at the earliest half a minute later.
  std::vector<ToolOwner> owners();

  /// What agents of `workflow` may use: search and open_document over {"input": PATH} (none: no such corpus)
  /// and the configured corpora, with the rights of {"principal"}; a calculator; the configured tools. Cut to
  /// tools.allow and to {"tools": "NAME,BEGINNING*"}. An entry that cannot be used is one tool of its name
  /// that says so when it is called: a failure for the model to see, not the run's end. input_missing when
  /// there is nothing to look anything up with; invalid_input for names in "tools" that fit none. Notes say
  /// which records of the corpora were left out, as far as {"principal"} may know.
  Result<research::OpenedTools> open(const std::string& workflow, const JsonText& input);

  /// The corpora alone, with searches that take filters: starts no server, so that somebody who waits need
  /// not. Bounded and failing as `open` does; a configured corpus that cannot be used is left out.
  Result<research::OpenedTools> open_shelves(const std::string& workflow, const JsonText& input);

 private:
  struct Server {
    std::optional<tools::McpClient> client;
    std::optional<Error> failure;
    Instant again_at{};
  };
  Result<tools::McpConfig> server_config(const std::string& name,
                                         const config::McpServerConfig& server) const;
  void start_servers();
  ToolOwner server_owner(const std::string& name) const;
  ToolOwner database(const std::string& name, const config::SqlToolConfig& sql);
  std::vector<ToolOwner> outside();
  using Shelves = std::vector<tools::NamedCorpus>;
  std::vector<ToolPtr> all_tools(const Shelves& shelves, std::vector<ToolOwner> owners);
  Result<Toolbox> picked_box(const std::string& workflow, const Json& asked,
                             std::vector<ToolPtr> found) const;
  Result<research::OpenedTools> opened_tools(const std::string& workflow, const Json& asked,
                                             const Shelves& shelves, std::vector<ToolPtr> found) const;
  Result<Shelves> corpora(const std::string& input, std::vector<ToolOwner>& broken);

  const config::ToolsConfig config_;
  Clock& clock_;
  const std::string descriptions_;
  OpenCorpora corpora_;
  std::mutex mutex_;
  std::map<std::string, Server> servers_;
  std::map<std::string, ToolPtr> databases_;
};

}  // namespace troupe::actors
