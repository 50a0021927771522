// What the `tools` section may say, and what each mistake is told.
#include "runtime/config/config.hpp"

#include <gtest/gtest.h>

namespace troupe::config {
namespace {

std::string tools_error(const std::string& text) {
  auto config = parse_config("tools:\n" + text, "x.yaml", "/etc/troupe");
  return config ? "no error" : config.error().what;
}

constexpr const char* kAllKinds = R"(
tools:
  mcp:
    files: {command: [npx, -y, server-filesystem, /srv], environment: {TOKEN: "${FILES_TOKEN}"}}
    local: {command: [bin/server]}
    web: {url: "https://mcp.example.org/mcp", headers: {Authorization: "file:web.key"}, only: [find]}
  sql: {sales: {path: sales.db}}
  corpora: {handbook: {path: ./handbook}}
  fetch: {hosts: [example.org, "*.example.org", intra], private_hosts: [intra]}
  allow: {research: [search, open_document, "files_*", sql_sales, search_handbook, "web_find", fetch]}
)";

TEST(ToolsConfig, ReadsEveryKind) {
  auto config = parse_config(kAllKinds, "x.yaml", "/etc/troupe");
  ASSERT_TRUE(config) << config.error().what;
  const auto& tools = config->tools;
  EXPECT_EQ(tools.mcp.at("files").command.size(), 4u);
  EXPECT_EQ(tools.mcp.at("files").command.front(), "npx");
  EXPECT_EQ(tools.mcp.at("local").command.front(), "/etc/troupe/bin/server");
  EXPECT_EQ(tools.mcp.at("web").headers.at("Authorization").reference, "file:/etc/troupe/web.key");
  EXPECT_EQ(tools.sql.at("sales").path, "/etc/troupe/sales.db");
  EXPECT_EQ(tools.corpora.at("handbook").path, "/etc/troupe/handbook");
  EXPECT_EQ(tools.fetch.private_hosts.front(), "intra");
}

struct ToolsMistake {
  const char* text;
  const char* expected;
};

TEST(ToolsConfig, TellsMistakesWithTheirPlaceAndARemedy) {
  const ToolsMistake mistakes[] = {
      {"  mcp: {files: {}}", "x.yaml:2: tools.mcp.files: give either command"},
      {"  mcp: {f: {command: [a], url: \"http://b/c\"}}", "tools.mcp.f: give either command"},
      {"  mcp: {f: {url: b.org}}", "tools.mcp.f.url: must be http[s]://"},
      {"  mcp: {f_g: {command: [a]}}", "tools.mcp.f_g: a name of 1 to 32 letters, digits and hyphens"},
      {"  mcp: {f: {command: [a], environment: {K: hunter2}}}", "a literal secret is refused"},
      {"  mcp: {f: {command: [a], headers: {K: \"${V}\"}}}", "tools.mcp.f.headers: belong to a url"},
      {"  mcp: {f: {url: \"http://b\", environment: {K: \"${V}\"}}}", "environment: belongs to a command"},
      {"  mcp: {f: {command: [a], only: [x], offer_all: true}}", "keep one of them"},
      {"  mcp: {f: {command: [a], start_max: 0}}", "tools.mcp.f.start_max: must be above 0"},
      {"  mcp: {f: {command: [a], comand: 1}}", "did you mean \"command\"?"},
      {"  sql: {s: {}}", "tools.sql.s: needs the path"},
      {"  corpora: {c: {}}", "tools.corpora.c: needs the path"},
      {"  fetch: {hosts: [\"https://a.org/x\"]}", "tools.fetch.hosts[0]: \"https://a.org/x\" is no host"},
      {"  fetch: {hosts: [\"*\"]}", "is no host"},
      {"  fetch: {hosts: [a.org], private_hosts: [b.org]}", "must be one of tools.fetch.hosts"},
      {"  allow: {reserch: [search]}", "tools.allow.reserch: no workflow of that name uses tools"},
      {"  allow: {research: [serch]}",
       "tools.allow.research[0]: no tool can be named \"serch\"; did you mean"},
      {"  allow: {research: [fetch]}", "no tool can be named \"fetch\""},
      {"  mcp: {f: {command: [a]}}\n  allow: {research: [g_x]}", "there are search, open_document"}};
  for (const auto& [text, expected] : mistakes) {
    auto error = tools_error(text);
    EXPECT_NE(error.find(expected), std::string::npos) << text << "\n" << error;
    EXPECT_EQ(error.find("hunter2"), std::string::npos) << "a secret was quoted";
  }
}

TEST(ToolsConfig, NamesToolsByWholeNamesAndBeginnings) {
  EXPECT_TRUE(names_tool({"files_*"}, "files_read"));
  EXPECT_FALSE(names_tool({"files_*"}, "file"));
  EXPECT_TRUE(names_tool({"a", "search"}, "search"));
  EXPECT_FALSE(names_tool({"search"}, "search_handbook"));
  EXPECT_TRUE(names_tool({"*"}, "anything"));
  EXPECT_FALSE(names_tool({}, "anything"));
}

}  // namespace
}  // namespace troupe::config
