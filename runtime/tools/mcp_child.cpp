// A server of the Model Context Protocol as a program: a message a line.
#include "runtime/tools/child.hpp"
#include "runtime/tools/mcp_transport.hpp"

#include <utility>

namespace troupe::tools {
namespace {

class ChildTransport final : public McpTransport {
 public:
  explicit ChildTransport(std::unique_ptr<Child> child) : child_(std::move(child)) {}
  // dump_json writes no newlines within a message.
  void send(McpSend message) override { child_->write_line(std::move(message.text)); }

 private:
  std::unique_ptr<Child> child_;
};

}  // namespace

Result<std::unique_ptr<McpTransport>> start_mcp_child(const McpConfig& config, McpEvents events,
                                                      Clock& clock) {
  ChildConfig child{.command = config.command,
                    .environment = config.environment,
                    .line_bytes_max = config.message_bytes_max,
                    .end_grace = config.end_grace};
  ChildEvents heard{.line = std::move(events.message), .gone = std::move(events.lost)};
  auto started = Child::start(std::move(child), std::move(heard), clock);
  if (!started) return std::unexpected(std::move(started.error()));
  return std::make_unique<ChildTransport>(std::move(*started));
}

}  // namespace troupe::tools
