// Servers of the Model Context Protocol that we did not write, from npm. Skipped loudly where node is absent.
#include "runtime/tools/child.hpp"
#include "runtime/tools/mcp.hpp"

#include "tests/support/temp_folder.hpp"
#include "tests/tools/support/call.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace troupe::tools {
namespace {

namespace fs = std::filesystem;

// Node may take its time on a busy machine; only a failing test waits this long.
constexpr Duration kPatience = std::chrono::minutes(3);

class McpServers : public ::testing::Test {
 protected:
  void SetUp() override {
    auto install =
        fmt::format("python3 -B '{}/tests/mcp/install.py' '{}'", TROUPE_SOURCE_DIR, folder_.string());
    if (std::system(install.c_str()) != 0)
      GTEST_SKIP() << "the npm servers are not there: no foreign server is tried";
  }
  std::string script(const std::string& name) const {
    return (folder_ / "node_modules" / "@modelcontextprotocol" / name / "dist" / "index.js").string();
  }
  static ToolPtr tool_of(const McpClient& client, const std::string& name) {
    for (auto& tool : client.tools())
      if (tool->spec().name == name) return tool;
    return nullptr;
  }
  static void expect_everything_works(const McpClient& client) {
    EXPECT_EQ(tool_of(client, "everything_trigger-sampling-request"), nullptr);
    auto echo = tool_of(client, "everything_echo");
    ASSERT_TRUE(echo);
    EXPECT_EQ(call(*echo, R"({"message":"h\u00e9llo\n\"you\""})")->text, "Echo: h\u00e9llo\n\"you\"");
    auto sum = tool_of(client, "everything_get-sum");
    ASSERT_TRUE(sum);
    EXPECT_NE(call(*sum, R"({"a":2,"b":40})")->text.find("42"), std::string::npos);
    EXPECT_TRUE(call(*sum, R"({"a":"two"})")->is_error);
    auto image = tool_of(client, "everything_get-tiny-image");
    ASSERT_TRUE(image);
    EXPECT_NE(call(*image, "{}")->text.find("[image image/png, "), std::string::npos);
    auto longer = tool_of(client, "everything_trigger-long-running-operation");
    ASSERT_TRUE(longer);
    EXPECT_EQ(call(*longer, R"({"duration":60,"steps":2})", {.deadline = std::chrono::milliseconds(100)})
                  .error()
                  .code,
              Errc::deadline_exceeded);
  }
  const fs::path folder_ = fs::path(TROUPE_BINARY_DIR) / "mcp";
};

TEST_F(McpServers, EverythingOverStandardInputAndOutput) {
  auto client = McpClient::connect({.name = "everything",
                                    .command = {"node", script("server-everything"), "stdio"},
                                    .start_max = kPatience},
                                   system_clock());
  ASSERT_TRUE(client) << client.error().what;
  expect_everything_works(*client);
  EXPECT_EQ(client->starts(), 1);
}

/// A server process on a port that was free a moment ago.
class HttpServerProcess {
 public:
  explicit HttpServerProcess(const std::string& script) {
    for (int attempt = 0; attempt < 3 && url.empty(); ++attempt) start(script);
  }
  std::string url;

 private:
  void start(const std::string& script) {
    static constexpr const char* run =
        "const s=require('net').createServer().listen(0,'127.0.0.1',()=>{const "
        "p=s.address().port;s.close(()=>{"
        "process.env.PORT=String(p);console.log('PORT '+p);"
        "import(require('url').pathToFileURL(process.argv[1]).href)})})";
    auto listening = std::make_shared<std::promise<std::string>>();
    auto heard = listening->get_future();
    auto port = std::make_shared<std::string>();
    auto line = [listening, port](std::string text) {
      if (text.starts_with("PORT ")) *port = text.substr(5);
      if (text.find("LISTENING") != std::string::npos) listening->set_value(*port);
    };
    auto gone = [listening](Error) {
      try {
        listening->set_value("");
      } catch (const std::future_error&) {
      }
    };
    std::string said = run;
    // Its own word that it listens goes to standard error; ours goes where it is read.
    said.insert(0,
                "const e=console.error;console.error=(...a)=>{e(...a);if(String(a[0]).includes('listening'))"
                "console.log('LISTENING')};");
    auto started = Child::start({.command = {"node", "-e", said, script, "streamableHttp"}}, {line, gone},
                                system_clock());
    if (!started) return;
    child_ = std::move(*started);
    auto got = heard.get();
    if (!got.empty()) url = fmt::format("http://127.0.0.1:{}/mcp", got);
  }
  std::unique_ptr<Child> child_;
};

TEST_F(McpServers, EverythingOverStreamableHttp) {
  HttpServerProcess server(script("server-everything"));
  ASSERT_FALSE(server.url.empty());
  auto client =
      McpClient::connect({.name = "everything", .url = server.url, .start_max = kPatience}, system_clock());
  ASSERT_TRUE(client) << client.error().what;
  expect_everything_works(*client);
}

TEST_F(McpServers, FilesystemKeepsToItsFolder) {
  const troupe::testing::TempFolder folder;
  const fs::path root = folder.path();
  std::ofstream(root / "note.txt") << "The keeper counts seven ships.";
  auto client =
      McpClient::connect({.name = "files",
                          .command = {"node", script("server-filesystem"), fs::canonical(root).string()},
                          .start_max = kPatience},
                         system_clock());
  ASSERT_TRUE(client) << client.error().what;
  EXPECT_EQ(tool_of(*client, "files_write_file"), nullptr);
  auto read = tool_of(*client, "files_read_text_file");
  ASSERT_TRUE(read);
  auto path = (fs::canonical(root) / "note.txt").string();
  EXPECT_EQ(call(*read, dump_json(Json{{"path", path}}))->text, "The keeper counts seven ships.");
  EXPECT_TRUE(call(*read, R"({"path":"/etc/passwd"})")->is_error);
}

}  // namespace
}  // namespace troupe::tools
