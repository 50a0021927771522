// From the configuration's words to a toolbox.
#include "actors/configured_tools.hpp"

#include "agents/tool_tester/tool_test.hpp"
#include "runtime/base/log.hpp"
#include "runtime/json/json.hpp"
#include "runtime/tools/calculator.hpp"
#include "runtime/tools/described.hpp"
#include "runtime/tools/fetch.hpp"
#include "runtime/tools/library.hpp"
#include "runtime/tools/sql.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <future>
#include <utility>

namespace troupe::actors {
namespace {

constexpr auto kAskedAgainAfter = std::chrono::seconds(30);
constexpr std::size_t kToolsOfRunMax = 512;

// Reads with the rights of one principal, whoever calls (J4).
class BoundTool final : public Tool {
 public:
  BoundTool(ToolPtr tool, std::string principal) : tool_(std::move(tool)), principal_(std::move(principal)) {}
  const ToolSpec& spec() const override { return tool_->spec(); }
  bool repeatable() const override { return tool_->repeatable(); }
  void call(const ToolContext& context, const JsonText& input,
            std::function<void(Result<ToolOutput>)> done) override {
    auto bound = context;
    bound.principal = principal_;
    tool_->call(bound, input, std::move(done));
  }

 private:
  ToolPtr tool_;
  std::string principal_;
};

// Stands where a server or database should be: the model is told, and goes on without it (M13).
class BrokenTool final : public Tool {
 public:
  BrokenTool(const std::string& name, Error error)
      : spec_{name, "Cannot be used now: " + error.what, {R"({"type":"object"})"}},
        error_(std::move(error)) {}
  const ToolSpec& spec() const override { return spec_; }
  void call(const ToolContext&, const JsonText&, std::function<void(Result<ToolOutput>)> done) override {
    done(ToolOutput{.text = spec_.description, .is_error = true});
  }

 private:
  const ToolSpec spec_;
  const Error error_;
};

// "mcp files" -> "files_unavailable"
std::string broken_name(const ToolOwner& owner) {
  return owner.name.substr(owner.name.rfind(' ') + 1) + "_unavailable";
}

std::vector<std::string> names_in_list(const std::string& list) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < list.size();) {
    auto end = std::min(list.find(',', at), list.size());
    if (end > at) out.push_back(list.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

std::vector<std::string> toolbox_names(const Toolbox& box) {
  std::vector<std::string> out;
  for (const auto& spec : box.specs()) out.push_back(spec.name);
  return out;
}

std::vector<std::string> picked_tools(const std::vector<std::string>& names,
                                      const std::vector<std::string>& by) {
  std::vector<std::string> out;
  for (const auto& name : names)
    if (config::names_tool(by, name)) out.push_back(name);
  return out;
}

std::vector<tools::DescriptionRow> accepted_descriptions(const std::string& path) {
  if (path.empty()) return {};
  std::vector<std::string> problems;
  auto rows = tools::read_descriptions(path, problems);
  if (!rows) problems.push_back(rows.error().what);
  for (const auto& problem : problems) log::warn("tools", "accepted descriptions: " + problem);
  return rows ? tools::standing(*rows) : std::vector<tools::DescriptionRow>{};
}

std::string shelf_name(const tools::NamedCorpus& shelf) {
  return shelf.name.empty() ? "the corpus" : "corpus " + shelf.name;
}

// By the name of the search over each: who may not use that is told nothing of the corpus.
std::map<std::string, std::string> left_out(const std::vector<tools::NamedCorpus>& shelves,
                                            const std::string& principal) {
  std::map<std::string, std::string> out;
  for (const auto& shelf : shelves)
    if (auto told = shelf.corpus->left_out(principal); !told.empty())
      out[shelf.name.empty() ? "search" : "search_" + shelf.name] =
          fmt::format("{}: {}", shelf_name(shelf), told);
  return out;
}

// For whoever keeps the corpora: every record that was kept in mind.
std::vector<std::string> shelf_problems(const std::vector<tools::NamedCorpus>& shelves) {
  std::vector<std::string> out;
  for (const auto& shelf : shelves) {
    const auto& problems = shelf.corpus->problems();
    for (const auto& each : problems)
      out.push_back(
          to_valid_utf8(fmt::format("{}: left out: {}: {}", shelf_name(shelf), each.where, each.reason)));
    if (auto more = shelf.corpus->problem_count() - problems.size(); more > 0)
      out.push_back(fmt::format("{}: {} more records are left out", shelf_name(shelf), more));
  }
  return out;
}

ToolPtr web_reader(const config::FetchToolConfig& config) {
  tools::FetchConfig fetch;
  for (const auto& host : config.hosts) {
    bool inside = std::ranges::find(config.private_hosts, host) != config.private_hosts.end();
    fetch.hosts.push_back({host, inside});
  }
  fetch.time_max = config.time_max;
  fetch.ca_file = config.ca_file;
  return tools::make_fetch_tool(fetch);
}

// Of a tool test --input is its tasks.
std::unexpected<Error> nothing_to_use(const std::string& workflow) {
  const char* setting = workflow == tool_tester::kToolTestName ? "--set corpus=PATH" : "--input";
  return fail(Errc::input_missing,
              fmt::format("{} needs a corpus ({}: a JSON Lines file or a folder of texts), or `tools` in the "
                          "configuration",
                          workflow, setting));
}

}  // namespace

ConfiguredTools::ConfiguredTools(config::ToolsConfig config, Clock& clock, std::string descriptions)
    : config_(std::move(config)), clock_(clock), descriptions_(std::move(descriptions)) {}

Result<tools::McpConfig> ConfiguredTools::server_config(const std::string& name,
                                                        const config::McpServerConfig& server) const {
  tools::McpConfig out{.name = name, .command = server.command, .url = server.url, .only = server.only};
  for (const auto& [key, secret] : server.environment) {
    auto value = config::read_secret(secret);
    if (!value) return std::unexpected(value.error());
    out.environment[key] = std::move(*value);
  }
  for (const auto& [key, secret] : server.headers) {
    auto value = config::read_secret(secret);
    if (!value) return std::unexpected(value.error());
    out.headers.emplace_back(key, std::move(*value));
  }
  out.offer_all = server.offer_all;
  out.start_max = server.start_max;
  out.call_max = server.call_max;
  return out;
}

// All at once, so that a slow one does not make the others later.
void ConfiguredTools::start_servers() {
  std::vector<std::pair<std::string, std::future<Result<tools::McpClient>>>> starting;
  for (const auto& [name, server] : config_.mcp) {
    auto& known = servers_[name];
    if (known.client || (known.failure && clock_.now() < known.again_at)) continue;
    auto connect = [this, wanted = server_config(name, server)]() -> Result<tools::McpClient> {
      if (!wanted) return std::unexpected(wanted.error());
      return tools::McpClient::connect(*wanted, clock_);
    };
    starting.emplace_back(name, std::async(std::launch::async, std::move(connect)));
  }
  for (auto& [name, connecting] : starting) {
    auto connected = connecting.get();
    auto& known = servers_[name];
    known.failure.reset();
    if (connected) {
      known.client.emplace(std::move(*connected));
      continue;
    }
    known.failure = connected.error();
    known.again_at = clock_.now() + kAskedAgainAfter;
    log::warn("tools", fmt::format("MCP server {} cannot be used: {}", name, connected.error().what));
  }
}

ToolOwner ConfiguredTools::server_owner(const std::string& name) const {
  ToolOwner out{.name = "mcp " + name, .tools = {}, .error = {}, .problems = {}};
  const auto& server = servers_.at(name);
  out.error = server.failure;
  if (!server.client) return out;
  out.tools = server.client->tools();
  out.problems = server.client->problems();
  if (out.tools.empty())
    out.problems.emplace_back("none of its tools says that it only reads; name those to use in `only`");
  return out;
}

ToolOwner ConfiguredTools::database(const std::string& name, const config::SqlToolConfig& sql) {
  ToolOwner out{.name = "sql " + name, .tools = {}, .error = {}, .problems = {}};
  auto& tool = databases_[name];
  if (!tool) {
    auto made = tools::make_sql_tool({.path = sql.path, .name = "sql_" + name, .limits = {}}, clock_);
    if (!made) out.error = made.error();
    if (made) tool = *made;
  }
  if (tool) out.tools.push_back(tool);
  return out;
}

std::vector<ToolOwner> ConfiguredTools::outside() {
  std::lock_guard lock(mutex_);
  start_servers();
  std::vector<ToolOwner> out;
  for (const auto& [name, server] : config_.mcp) out.push_back(server_owner(name));
  for (const auto& [name, sql] : config_.sql) out.push_back(database(name, sql));
  if (!config_.fetch.hosts.empty())
    out.push_back({.name = "fetch", .tools = {web_reader(config_.fetch)}, .error = {}, .problems = {}});
  return out;
}

Result<ConfiguredTools::Shelves> ConfiguredTools::corpora(const std::string& input,
                                                          std::vector<ToolOwner>& broken) {
  Shelves out;
  if (!input.empty()) {
    auto own = corpora_.open(input);
    if (!own) return std::unexpected(own.error());
    out.push_back({"", *own});
  }
  for (const auto& [name, corpus] : config_.corpora) {
    auto opened = corpora_.open(corpus.path);
    if (opened) out.push_back({name, *opened});
    if (!opened)
      broken.push_back({.name = "corpus " + name, .tools = {}, .error = opened.error(), .problems = {}});
  }
  return out;
}

std::vector<ToolOwner> ConfiguredTools::owners() {
  std::vector<ToolOwner> out;
  auto opened = corpora("", out);
  ToolOwner shelves{.name = "corpora", .tools = {}, .error = {}, .problems = {}};
  if (opened) {
    shelves.problems = shelf_problems(*opened);
    shelves.tools = tools::make_library_tools(*opened);
  }
  if (!shelves.tools.empty()) out.push_back(std::move(shelves));
  for (auto& owner : outside()) out.push_back(std::move(owner));
  out.push_back({.name = "built in", .tools = {tools::make_calculator()}, .error = {}, .problems = {}});
  return out;
}

std::vector<ToolPtr> ConfiguredTools::all_tools(const Shelves& shelves, std::vector<ToolOwner> owners) {
  auto out = tools::make_library_tools(shelves);
  out.push_back(tools::make_calculator());
  for (auto& owner : owners) {
    if (owner.error) out.push_back(std::make_shared<BrokenTool>(broken_name(owner), *owner.error));
    for (auto& tool : owner.tools) out.push_back(std::move(tool));
  }
  if (out.size() > kToolsOfRunMax) out.resize(kToolsOfRunMax);
  return out;
}

Result<research::OpenedTools> ConfiguredTools::opened_tools(const std::string& workflow, const Json& asked,
                                                            const Shelves& shelves,
                                                            std::vector<ToolPtr> found) const {
  auto box = picked_box(workflow, asked, std::move(found));
  if (!box) return std::unexpected(box.error());
  research::OpenedTools out(std::move(*box));
  out.notes = left_out(shelves, get_string(asked, "principal"));
  return out;
}

Result<research::OpenedTools> ConfiguredTools::open(const std::string& workflow, const JsonText& input) {
  auto asked = parse_json(input.text);
  if (!asked) return std::unexpected(asked.error());
  std::vector<ToolOwner> owners;
  auto shelves = corpora(get_string(*asked, "input"), owners);
  if (!shelves) return std::unexpected(shelves.error());
  for (auto& owner : outside()) owners.push_back(std::move(owner));
  if (shelves->empty() && owners.empty()) return nothing_to_use(workflow);
  return opened_tools(workflow, *asked, *shelves, all_tools(*shelves, std::move(owners)));
}

Result<research::OpenedTools> ConfiguredTools::open_shelves(const std::string& workflow,
                                                            const JsonText& input) {
  auto asked = parse_json(input.text);
  if (!asked) return std::unexpected(asked.error());
  std::vector<ToolOwner> broken;
  auto opened = corpora(get_string(*asked, "input"), broken);
  if (!opened) return std::unexpected(opened.error());
  for (const auto& owner : broken)
    log::warn("tools", fmt::format("{} cannot be used: {}", owner.name, owner.error->what));
  if (opened->empty())
    return fail(
        Errc::input_missing,
        "there is nothing to search: --input wants a JSON Lines file or a folder of texts, or `tools` "
        "in the configuration names a corpus");
  return opened_tools(workflow, *asked, *opened, tools::make_library_tools(*opened, true));
}

Result<Toolbox> ConfiguredTools::picked_box(const std::string& workflow, const Json& asked,
                                            std::vector<ToolPtr> found) const {
  Toolbox all;
  auto principal = get_string(asked, "principal");
  auto accepted = accepted_descriptions(descriptions_);
  for (auto& tool : found)
    if (auto added = all.add(std::make_shared<BoundTool>(tools::described(tool, accepted), principal));
        !added)
      return std::unexpected(added.error());
  auto names = toolbox_names(all);
  if (auto allowed = config_.allow.find(workflow); allowed != config_.allow.end())
    names = picked_tools(names, allowed->second);
  auto wished = names_in_list(get_string(asked, "tools"));
  if (wished.empty()) return all.only(names);
  auto mine = picked_tools(names, wished);
  if (!mine.empty()) return all.only(mine);
  return fail(Errc::invalid_input,
              fmt::format("tools: none of these is there; there are {}", fmt::join(names, ", ")));
}

}  // namespace troupe::actors
