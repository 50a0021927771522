// How messages reach a server of the Model Context Protocol and come back.
#pragma once

#include "runtime/tools/mcp_session.hpp"

#include <functional>
#include <memory>
#include <string>

namespace troupe::tools {

/// Called on the transport's own thread, one at a time; not any more once its destructor has returned.
struct McpEvents {
  std::function<void(std::string message)> message;
  /// The request with this id was not delivered or not answered.
  std::function<void(std::int64_t id, Error error)> failed;
  /// Nothing more will come. Called at most once, and last.
  std::function<void(Error error)> lost;
};

/// `send` is thread-safe and does not wait; it keeps the order of what it is given.
class McpTransport {
 public:
  virtual ~McpTransport() = default;
  virtual void send(McpSend message) = 0;
};

/// A program spoken to over its standard input and output, a message a line.
Result<std::unique_ptr<McpTransport>> start_mcp_child(const McpConfig& config, McpEvents events,
                                                      Clock& clock);
/// Streamable HTTP (modelcontextprotocol.io/specification/2025-06-18/basic/transports).
Result<std::unique_ptr<McpTransport>> open_mcp_http(const McpConfig& config, McpEvents events);

}  // namespace troupe::tools
