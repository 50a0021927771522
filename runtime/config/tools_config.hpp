// Which tools agents have besides those over a run's own input: servers, databases, web hosts, corpora.
#pragma once

#include "runtime/config/secret_ref.hpp"

#include <troupe/time.hpp>

#include <map>
#include <string>
#include <vector>

namespace troupe::config {

struct Config;
struct Problem;

/// A server of the Model Context Protocol: exactly one of `command` and `url`. Its tools are NAME_TOOL.
struct McpServerConfig {
  /// A program and its arguments; one with a slash is relative to the configuration's folder, others are
  /// looked for along PATH. It sees `environment` and no other variable.
  std::vector<std::string> command;
  std::map<std::string, SecretRef> environment;
  /// "http[s]://HOST[:PORT]/PATH", streamable HTTP, with these headers.
  std::string url;
  std::map<std::string, SecretRef> headers;
  /// Only these, by the server's names. Empty: those that say they only read; with `offer_all` all.
  std::vector<std::string> only;
  bool offer_all = false;
  /// Until it has told its tools; and of one call.
  Duration start_max = std::chrono::seconds(10), call_max = std::chrono::minutes(2);
};

/// An SQLite file, read-only: the tool sql_NAME.
struct SqlToolConfig {
  /// Relative to the configuration's folder; absolute once loaded. So for the next.
  std::string path;
};

/// Documents that every run may search: the tool search_NAME.
struct CorpusToolConfig {
  std::string path;
};

/// No hosts: there is no such tool.
struct FetchToolConfig {
  /// "example.org", or "*.example.org" for every host beneath it.
  std::vector<std::string> hosts;
  /// Those of them whose addresses may be private ones.
  std::vector<std::string> private_hosts;
  Duration time_max = std::chrono::seconds(20);
  std::string ca_file;
};

struct ToolsConfig {
  std::map<std::string, McpServerConfig> mcp;
  std::map<std::string, SqlToolConfig> sql;
  std::map<std::string, CorpusToolConfig> corpora;
  FetchToolConfig fetch;
  /// By workflow: names of tools, or beginnings of names with a * behind. A workflow that is not here may use
  /// all.
  std::map<std::string, std::vector<std::string>> allow;
};

/// Is `name` one of these, or does it begin as one that ends in * ?
bool names_tool(const std::vector<std::string>& names, const std::string& name);

/// Relative paths are made absolute from `directory`.
void complete_tools(ToolsConfig& tools, const std::string& directory);
/// What each option must be, and names in `allow` that no tool can have. Starts and opens nothing.
std::vector<Problem> validate_tools(const Config& config);

}  // namespace troupe::config
