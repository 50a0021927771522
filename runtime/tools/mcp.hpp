// Tools of a server that speaks the Model Context Protocol, as tools of ours.
#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/http/message.hpp"

#include <troupe/tool.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe::tools {

/// Which server, which of its tools, and how much it may cost us. Exactly one of `command` and `url`.
struct McpConfig {
  /// The tools' names begin with it: "files_read_file". Of [A-Za-z0-9-].
  std::string name;
  /// A program and its arguments, spoken to over its standard input and output. It sees `environment` and no
  /// other variable; the program is looked for along our own PATH.
  std::vector<std::string> command;
  std::map<std::string, std::string> environment;
  /// "http[s]://HOST[:PORT]/PATH" of a streamable HTTP server, and headers for each request (Authorization).
  std::string url;
  http::Headers headers;

  /// Only these tools (by the server's names), whatever they claim to be. Empty: those that say they only
  /// read (readOnlyHint), and with `offer_all` every one (J9).
  std::vector<std::string> only;
  bool offer_all = false;

  /// Until the server has told its tools; and of one call, when its context allows more.
  Duration start_max = std::chrono::seconds(30), call_max = std::chrono::minutes(2);
  /// Of one message from the server; a larger one ends the connection.
  std::size_t message_bytes_max = 4 * 1024 * 1024;
  /// Of what one call shows; more is cut, and the text says so.
  std::size_t output_bytes_max = 256 * 1024;
  std::size_t tools_max = 256, pages_max = 64, calls_max = 64;
  /// The pause before a lost server is started anew, doubling from loss to loss.
  Duration restart_min = std::chrono::milliseconds(100), restart_max = std::chrono::seconds(30);
  /// How long a program may take to end once its input is closed, and again after SIGTERM, before SIGKILL.
  Duration end_grace = std::chrono::seconds(2);
};
/// bad_config when the server cannot be told from it.
Result<void> validate(const McpConfig& config);

class McpLink;

/// A connection to one server, kept alive by itself and by each of its tools. Thread-safe. Not to be
/// destroyed from within a call's `done`. Protocol versions 2025-06-18, 2025-03-26 and 2024-11-05. A server
/// that is lost ends its calls with `unreachable` (carried out or not: unknown) and is started anew when next
/// called. What it asks of us (sampling, roots, elicitation) is answered with "method not found".
class McpClient {
 public:
  /// Waits until the server has told its tools: blocks up to start_max. Fails with bad_config, `unreachable`
  /// when it cannot be started or reached, `unsupported` for another protocol version. The clock must outlive
  /// the client and its tools.
  static Result<McpClient> connect(const McpConfig& config, Clock& clock);

  /// Those that the configuration offers, as the server tells them now. A tool kept from earlier answers with
  /// an error once the server has taken it away or says that it no longer only reads.
  std::vector<ToolPtr> tools() const;
  /// Tools left out because of their name or size, for people.
  std::vector<std::string> problems() const;
  /// How often the server was started, the first time included.
  std::int64_t starts() const;

 private:
  explicit McpClient(std::shared_ptr<McpLink> link);
  std::shared_ptr<McpLink> link_;
};

}  // namespace troupe::tools
