#include "runtime/tools/mcp.hpp"

#include "runtime/tools/arguments.hpp"
#include "runtime/tools/mcp_link.hpp"
#include "runtime/tools/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace troupe::tools {
namespace {

constexpr std::size_t kToolNameMax = 64;

bool name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

/// As providers allow names; may be too long.
std::string offered_name(const McpConfig& config, std::string_view tool) {
  std::string out = config.name + "_";
  for (char c : tool) out += name_byte(c) || c == '_' ? c : '_';
  return out;
}

class McpTool final : public Tool {
 public:
  McpTool(std::shared_ptr<McpLink> link, McpToolInfo info)
      : link_(std::move(link)),
        info_(std::move(info)),
        spec_{offered_name(link_->config(), info_.name), info_.description, info_.input_schema} {}
  const ToolSpec& spec() const override { return spec_; }
  bool repeatable() const override { return info_.repeatable; }

  void call(const ToolContext& context, const JsonText& input,
            std::function<void(Result<ToolOutput>)> done) override {
    auto arguments = parse_json(input.text.empty() ? "{}" : std::string_view(input.text));
    if (!arguments || !arguments->is_object() || input.text.size() > Arguments::bytes_max)
      return done(fail(Errc::invalid_input, "the arguments are no JSON object, or too long"));
    auto tools = link_->tools();
    auto now = std::ranges::find(tools, info_.name, &McpToolInfo::name);
    if (now == tools.end() || !link_->offers(*now))
      return done(tool_error("The server does not offer this tool any more."));
    link_->call(info_.name, *arguments, context.deadline, std::move(done));
  }

 private:
  std::shared_ptr<McpLink> link_;
  const McpToolInfo info_;
  const ToolSpec spec_;
};

}  // namespace

Result<void> validate(const McpConfig& config) {
  bool named =
      !config.name.empty() && config.name.size() <= 32 && std::ranges::all_of(config.name, name_byte);
  if (!named) return fail(Errc::bad_config, "an MCP server needs a name of letters, digits and hyphens");
  if (config.command.empty() == config.url.empty())
    return fail(Errc::bad_config, fmt::format("MCP server {} needs either a command or a url", config.name));
  if (!config.url.empty() && !parse_web_address(config.url))
    return fail(Errc::bad_config, fmt::format("MCP server {} has a url that cannot be used", config.name));
  return {};
}

McpClient::McpClient(std::shared_ptr<McpLink> link) : link_(std::move(link)) {}

Result<McpClient> McpClient::connect(const McpConfig& config, Clock& clock) {
  if (auto valid = validate(config); !valid) return std::unexpected(std::move(valid.error()));
  auto link = std::make_shared<McpLink>(config, clock);
  if (auto ready = link->wait_ready(); !ready) return std::unexpected(std::move(ready.error()));
  return McpClient(std::move(link));
}

std::vector<ToolPtr> McpClient::tools() const {
  std::vector<ToolPtr> out;
  std::set<std::string> names;
  for (auto& info : link_->tools()) {
    if (!link_->offers(info)) continue;
    auto name = offered_name(link_->config(), info.name);
    if (name.size() <= kToolNameMax && names.insert(name).second)
      out.push_back(std::make_shared<McpTool>(link_, std::move(info)));
  }
  return out;
}

std::vector<std::string> McpClient::problems() const {
  auto out = link_->problems();
  std::set<std::string> names;
  for (const auto& info : link_->tools()) {
    auto name = offered_name(link_->config(), info.name);
    if (name.size() > kToolNameMax)
      out.push_back(fmt::format("tool \"{}\" has too long a name", info.name));
    else if (!names.insert(name).second)
      out.push_back(fmt::format("tool \"{}\" has the name of another, as we write it", info.name));
  }
  return out;
}

std::int64_t McpClient::starts() const { return link_->starts(); }

}  // namespace troupe::tools
