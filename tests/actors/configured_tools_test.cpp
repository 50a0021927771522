// From the configuration's words to what an agent may use; what cannot be used is told, not fatal.
#include "actors/configured_tools.hpp"

#include "runtime/config/config.hpp"
#include "runtime/json/json.hpp"
#include "tests/tools/support/call.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace troupe::actors {
namespace {

namespace fs = std::filesystem;

constexpr const char* kServer = R"(
import json, sys
for line in sys.stdin:
    m = json.loads(line)
    if "id" not in m: continue
    r = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}},
         "serverInfo": {"name": "s", "version": "1"}}
    if m["method"] == "tools/list":
        r = {"tools": [{"name": "find", "description": "finds", "inputSchema": {"type": "object"},
                        "annotations": {"readOnlyHint": True}},
                       {"name": "write", "inputSchema": {"type": "object"}}]}
    if m["method"] == "tools/call": r = {"content": [{"type": "text", "text": "seven ships"}]}
    print(json.dumps({"jsonrpc": "2.0", "id": m["id"], "result": r}), flush=True)
)";

class ConfiguredToolsTest : public ::testing::Test {
 protected:
  ConfiguredToolsTest() {
    std::string pattern = (fs::temp_directory_path() / "troupe_tools_XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    write("own/fog.txt", "Fog horns replaced guns.");
    write("handbook/bees.txt", "Bees make honey.");
    write("server.py", kServer);
  }
  ~ConfiguredToolsTest() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
  }
  std::unique_ptr<ConfiguredTools> configured(const std::string& tools) {
    auto config = config::parse_config("tools:\n" + tools, "x.yaml", folder_.string());
    EXPECT_TRUE(config) << config.error().what;
    return config ? std::make_unique<ConfiguredTools>(config->tools, system_clock()) : nullptr;
  }
  static std::vector<std::string> names(const Result<research::OpenedTools>& opened) {
    std::vector<std::string> out;
    if (!opened) return {opened.error().what};
    for (const auto& spec : opened->box.specs()) out.push_back(spec.name);
    std::ranges::sort(out);
    return out;
  }
  JsonText asking(Json more = Json::object()) const {
    more["input"] = (folder_ / "own").string();
    return {dump_json(more)};
  }
  std::string python_server() const {
    return fmt::format("  mcp: {{desk: {{command: [python3, \"{}\"], start_max: 3m}}}}\n",
                       (folder_ / "server.py").string());
  }
  using Names = std::vector<std::string>;
  fs::path folder_;
};

TEST_F(ConfiguredToolsTest, WithoutAnyOffersTheRunsOwnCorpus) {
  auto tools = configured("  {}");
  EXPECT_EQ(names(tools->open("research", asking())), (Names{"calculator", "open_document", "search"}));
  auto nothing = tools->open("research", {"{}"});
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, Errc::input_missing);
  EXPECT_TRUE(nothing.error().what.starts_with("research needs a corpus (--input")) << nothing.error().what;
  // Of a test --input is its tasks.
  auto untested = tools->open("tool_test", {"{}"});
  ASSERT_FALSE(untested);
  EXPECT_TRUE(untested.error().what.starts_with("tool_test needs a corpus (--set corpus="))
      << untested.error().what;
}

TEST_F(ConfiguredToolsTest, SaysWhichRecordsWereLeftOutToWhoMaySearchThem) {
  write("rules.jsonl",
        "{\"id\":\"a\",\"text\":\"Lamps are lit at dusk.\"}\nno json\n{\"id\":\"a\",\"text\":\"x\"}\n");
  auto tools = configured("  corpora: {handbook: {path: handbook}, rules: {path: rules.jsonl}}\n");
  const std::string told =
      "corpus rules: 2 records that cannot be used are left out; rules.jsonl:2: not JSON at byte 2; "
      "rules.jsonl:3: there is an earlier document with the id a";
  EXPECT_EQ(tools->open("research", asking())->told(), (Names{told}));
  EXPECT_EQ(tools->open_shelves("search", asking())->told(), (Names{told}));
  EXPECT_EQ(tools->open("research", {dump_json(Json{{"input", (folder_ / "rules.jsonl").string()}})})->told(),
            (Names{"the corpus" + told.substr(told.find(':')), told}));
  EXPECT_EQ(tools->open_shelves("search", asking({{"tools", "search,search_handbook"}}))->told(), Names{});
  auto owners = tools->owners();
  EXPECT_EQ(owners.front().name, "corpora");
  EXPECT_EQ(owners.front().problems,
            (Names{"corpus rules: left out: rules.jsonl:2: not JSON at byte 2",
                   "corpus rules: left out: rules.jsonl:3: there is an earlier document with the id a"}));
}

TEST_F(ConfiguredToolsTest, AddsWhatTheConfigurationNames) {
  auto tools = configured(python_server() +
                          "  corpora: {handbook: {path: handbook}}\n  fetch: {hosts: [example.org]}\n");
  auto box = tools->open("research", asking());
  EXPECT_EQ(names(box),
            (Names{"calculator", "desk_find", "fetch", "open_document", "search", "search_handbook"}));
  EXPECT_EQ(tools::call(*box->box.find("desk_find"), "{}")->text, "seven ships");
  // Corpora of the configuration are enough for a run without one of its own.
  EXPECT_EQ(names(tools->open("research", {"{}"})),
            (Names{"calculator", "desk_find", "fetch", "open_document", "search_handbook"}));
}

TEST_F(ConfiguredToolsTest, KeepsEachWorkflowToWhatItMayUse) {
  auto tools = configured(
      "  corpora: {handbook: {path: handbook}}\n"
      "  allow: {research: [search, open_document, \"search_*\"]}\n");
  EXPECT_EQ(names(tools->open("research", asking())), (Names{"open_document", "search", "search_handbook"}));
  EXPECT_EQ(names(tools->open("other", asking())),
            (Names{"calculator", "open_document", "search", "search_handbook"}));
  // A run may have less, and never more.
  EXPECT_EQ(names(tools->open("research", asking({{"tools", "search,calculator"}}))), (Names{"search"}));
  auto none = tools->open("research", asking({{"tools", "calculator"}}));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::invalid_input);
}

TEST_F(ConfiguredToolsTest, AServerThatIsNotThereIsAFailureToReadAndNotTheEnd) {  // M13
  auto tools = configured(
      "  mcp:\n    gone: {command: [/nonexistent/server], start_max: 3m}\n"
      "    secret: {command: [python3], environment: {KEY: \"${TROUPE_NO_SUCH_KEY}\"}}\n"
      "  sql: {sales: {path: nothing.db}}\n");
  auto box = tools->open("research", asking());
  EXPECT_EQ(names(box), (Names{"calculator", "gone_unavailable", "open_document", "sales_unavailable",
                               "search", "secret_unavailable"}));
  auto said = tools::call(*box->box.find("secret_unavailable"), "{}");
  ASSERT_TRUE(said);
  EXPECT_TRUE(said->is_error);
  EXPECT_NE(said->text.find("TROUPE_NO_SUCH_KEY is not set"), std::string::npos) << said->text;
}

TEST_F(ConfiguredToolsTest, TellsPeopleWhatEachEntryGives) {
  auto tools = configured(python_server() + "  sql: {sales: {path: nothing.db}}\n");
  auto owners = tools->owners();
  ASSERT_EQ(owners.size(), 3u);
  EXPECT_EQ(owners[0].name, "mcp desk");
  EXPECT_EQ(owners[0].tools.size(), 1u) << "what may write is not offered unless it is named";
  EXPECT_EQ(owners[1].name, "sql sales");
  ASSERT_TRUE(owners[1].error);
  EXPECT_EQ(owners[1].error->code, Errc::input_missing);
  EXPECT_EQ(owners[2].name, "built in");
}

}  // namespace
}  // namespace troupe::actors
