// The client's side of the Model Context Protocol without any input or output: what to send, what was said.
#pragma once

#include "runtime/json/json.hpp"
#include "runtime/tools/mcp.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::tools {

/// A tool as its server describes it.
struct McpToolInfo {
  std::string name, description;
  JsonText input_schema;
  bool read_only = false, repeatable = false;
};

/// One message to the server. `id` is set when an answer is expected, `version` once it is agreed upon.
struct McpSend {
  std::string text;
  std::optional<std::int64_t> id;
  std::string version;
};

/// One session, from initialize on (modelcontextprotocol.io/specification/2025-06-18, basic/lifecycle and
/// server/tools). Pure: the owner passes messages both ways, tells the time, and runs what `take_ends` gives
/// once it holds no lock. Used by one thread at a time.
class McpSession {
 public:
  using Done = std::function<void(Result<ToolOutput>)>;
  explicit McpSession(const McpConfig& config) : config_(config) {}

  void open(Instant now);
  /// One JSON-RPC message, or a batch. What is malformed is counted; too much of it ends the session.
  void on_message(std::string_view text, Instant now);
  void call(const std::string& tool, const Json& input, Instant until, Done done);
  /// The request with this id could not be delivered or was not answered.
  void on_failed(std::int64_t id, const Error& error);
  /// Ends what has waited too long.
  void on_time(Instant now);
  /// When on_time has something to do.
  std::optional<Instant> next_time() const;
  /// Everything ends with this error.
  void close(const Error& error);

  bool ready() const { return ready_; }
  const std::optional<Error>& closed() const { return closed_; }
  const std::vector<McpToolInfo>& tools() const { return tools_; }
  const std::vector<std::string>& problems() const { return problems_; }
  std::size_t calls() const;

  std::vector<McpSend> take_sends() { return std::exchange(sends_, {}); }
  std::vector<std::function<void()>> take_ends() { return std::exchange(ends_, {}); }
  /// Has a call been answered since it was last asked?
  bool take_answered() { return std::exchange(answered_, false); }

 private:
  enum class Kind { initialize, list, call };
  struct Pending {
    Kind kind = Kind::call;
    Instant until;
    Done done;
  };
  void request(Kind kind, const char* method, Json params, Instant until, Done done = {});
  void send(const Json& message, std::optional<std::int64_t> id = {});
  void on_one(const Json& message, Instant now);
  void on_request(const Json& message);
  void on_answer(const Json& message, Instant now);
  void on_initialized(const Json& result, Instant now);
  void on_page(const Json& result, Instant now);
  void take_tool(const Json& tool);
  void list(Instant now);
  void end(Pending pending, Result<ToolOutput> result);
  void malformed();

  const McpConfig& config_;
  std::map<std::int64_t, Pending> pending_;
  std::int64_t next_id_ = 1;
  std::string version_;
  bool ready_ = false, listing_ = false, answered_ = false;
  std::optional<Error> closed_;
  std::vector<McpToolInfo> tools_, listed_;
  std::vector<std::string> problems_, listed_problems_;
  std::size_t pages_ = 0, malformed_ = 0;
  std::optional<Instant> relist_at_;
  Instant listed_at_{};
  std::vector<McpSend> sends_;
  std::vector<std::function<void()>> ends_;
};

/// A result of tools/call as a model may read it: texts as they are, other contents by what they are.
ToolOutput mcp_output(const Json& result, std::size_t bytes_max);

}  // namespace troupe::tools
