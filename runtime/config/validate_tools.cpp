// What single options of `tools` cannot show, and what would be right.
#include "runtime/config/config.hpp"
#include "runtime/config/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace troupe::config {
namespace {

constexpr std::size_t kToolOwnerNameMax = 32;
// The workflows whose agents are given tools.
constexpr std::array kUseTools = {"research", "tool_test"};

/// Problems below `tools`, and the names its tools will have.
class ToolsCheck {
 public:
  explicit ToolsCheck(const ToolsConfig& tools) : tools_(tools) {}
  std::vector<Problem> run();

 private:
  void add(std::string path, std::string what) { problems_.push_back({std::move(path), std::move(what)}); }
  void check_name(const std::string& path, const std::string& name);
  void check_server(const std::string& path, const McpServerConfig& server);
  void check_fetch();
  void check_host(const std::string& path, const std::string& host);
  void check_allow(const std::string& path, const std::vector<std::string>& names);
  bool can_be(const std::string& name) const;

  const ToolsConfig& tools_;
  std::vector<Problem> problems_;
  std::vector<std::string> names_{"search", "open_document", "calculator"}, owners_;
};

// It becomes part of a tool's name, and providers allow few characters in those.
void ToolsCheck::check_name(const std::string& path, const std::string& name) {
  auto good = [](unsigned char c) { return std::isalnum(c) || c == '-'; };
  if (name.empty() || name.size() > kToolOwnerNameMax || !std::ranges::all_of(name, good))
    add(path, fmt::format("a name of 1 to {} letters, digits and hyphens is needed here", kToolOwnerNameMax));
}

void ToolsCheck::check_server(const std::string& path, const McpServerConfig& server) {
  if (server.command.empty() == server.url.empty())
    add(path, "give either command (a program that is started here) or url (a server that is there)");
  bool web = server.url.starts_with("http://") || server.url.starts_with("https://");
  if (!server.url.empty() && !web) add(path + ".url", "must be http[s]://HOST[:PORT]/PATH");
  if (!server.command.empty() && server.command.front().empty())
    add(path + ".command", "must begin with a program's name");
  if (!server.headers.empty() && server.url.empty()) add(path + ".headers", "belong to a url");
  if (!server.environment.empty() && server.command.empty())
    add(path + ".environment", "belongs to a command");
  if (!server.only.empty() && server.offer_all)
    add(path + ".offer_all", "says all, while `only` names some; keep one of them");
  if (server.start_max <= Duration::zero()) add(path + ".start_max", "must be above 0");
  if (server.call_max <= Duration::zero()) add(path + ".call_max", "must be above 0");
}

void ToolsCheck::check_host(const std::string& path, const std::string& host) {
  auto bare = host.starts_with("*.") ? host.substr(2) : host;
  auto good = [](unsigned char c) { return std::isalnum(c) || c == '.' || c == '-'; };
  if (bare.empty() || !std::ranges::all_of(bare, good))
    add(path,
        fmt::format("\"{:.80}\" is no host; write example.org, or *.example.org for those beneath it", host));
}

void ToolsCheck::check_fetch() {
  const auto& fetch = tools_.fetch;
  for (std::size_t i = 0; i < fetch.hosts.size(); ++i)
    check_host(fmt::format("tools.fetch.hosts[{}]", i), fetch.hosts[i]);
  for (std::size_t i = 0; i < fetch.private_hosts.size(); ++i) {
    if (std::ranges::find(fetch.hosts, fetch.private_hosts[i]) == fetch.hosts.end())
      add(fmt::format("tools.fetch.private_hosts[{}]", i),
          "must be one of tools.fetch.hosts, as it is there");
  }
  if (fetch.time_max <= Duration::zero()) add("tools.fetch.time_max", "must be above 0");
  if (!fetch.hosts.empty()) names_.emplace_back("fetch");
}

// What a server will offer is not known before it is asked.
bool ToolsCheck::can_be(const std::string& name) const {
  bool open = name.ends_with('*');
  auto begin = open ? name.substr(0, name.size() - 1) : name;
  auto fits = [&](const std::string& known) { return open ? known.starts_with(begin) : known == begin; };
  auto owned = [&](const std::string& owner) {
    return begin.starts_with(owner) || (open && owner.starts_with(begin));
  };
  return std::ranges::any_of(names_, fits) || std::ranges::any_of(owners_, owned);
}

void ToolsCheck::check_allow(const std::string& path, const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (can_be(names[i])) continue;
    auto hint = did_you_mean(names[i], names_);
    if (hint.empty()) {
      auto all = names_;
      for (const auto& owner : owners_) all.push_back(owner + "*");
      hint = fmt::format("; there are {}", fmt::join(all, ", "));
    }
    add(fmt::format("{}[{}]", path, i), fmt::format("no tool can be named \"{:.80}\"{}", names[i], hint));
  }
}

std::vector<Problem> ToolsCheck::run() {
  for (const auto& [name, server] : tools_.mcp) {
    check_name("tools.mcp." + name, name);
    check_server("tools.mcp." + name, server);
    owners_.push_back(name + "_");
  }
  for (const auto& [name, sql] : tools_.sql) {
    check_name("tools.sql." + name, name);
    if (sql.path.empty()) add("tools.sql." + name, "needs the path of an SQLite file");
    names_.push_back("sql_" + name);
  }
  for (const auto& [name, corpus] : tools_.corpora) {
    check_name("tools.corpora." + name, name);
    if (corpus.path.empty()) add("tools.corpora." + name, "needs the path of a JSON Lines file or a folder");
    names_.push_back("search_" + name);
  }
  check_fetch();
  for (const auto& [workflow, names] : tools_.allow) {
    if (std::ranges::find(kUseTools, workflow) == kUseTools.end())
      add("tools.allow." + workflow,
          fmt::format("no workflow of that name uses tools; there are {}", fmt::join(kUseTools, ", ")));
    check_allow("tools.allow." + workflow, names);
  }
  return std::move(problems_);
}

void make_absolute(std::string& path, const std::string& directory) {
  if (path.empty() || std::filesystem::path(path).is_absolute()) return;
  path = (std::filesystem::path(directory) / path).lexically_normal().string();
}

}  // namespace

bool names_tool(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::any_of(names, [&](const std::string& each) {
    return each.ends_with('*') ? name.starts_with(each.substr(0, each.size() - 1)) : name == each;
  });
}

void complete_tools(ToolsConfig& tools, const std::string& directory) {
  for (auto& [name, sql] : tools.sql) make_absolute(sql.path, directory);
  for (auto& [name, corpus] : tools.corpora) make_absolute(corpus.path, directory);
  make_absolute(tools.fetch.ca_file, directory);
  for (auto& [name, server] : tools.mcp) {
    bool by_path = !server.command.empty() && server.command.front().find('/') != std::string::npos;
    if (by_path) make_absolute(server.command.front(), directory);
  }
}

std::vector<Problem> validate_tools(const Config& config) { return ToolsCheck(config.tools).run(); }

}  // namespace troupe::config
