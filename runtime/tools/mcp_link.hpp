// Keeps one server of the Model Context Protocol running and carries calls to it.
#pragma once

#include "runtime/tools/mcp_session.hpp"
#include "runtime/tools/mcp_transport.hpp"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace troupe::tools {

/// Thread-safe. A thread of its own starts the server when it is wanted, ends what waits too long, and starts
/// it anew after a loss; the transport's thread brings what the server says. Not to be destroyed from within
/// `done`.
class McpLink {
 public:
  McpLink(const McpConfig& config, Clock& clock);
  ~McpLink();

  /// Waits until the server has told its tools.
  Result<void> wait_ready();
  void call(const std::string& tool, const Json& input, Duration time_max, McpSession::Done done);
  std::vector<McpToolInfo> tools() const;
  std::vector<std::string> problems() const;
  std::int64_t starts() const;
  const McpConfig& config() const { return config_; }
  bool offers(const McpToolInfo& tool) const;

 private:
  struct Waiting {
    std::string tool;
    Json input;
    Instant until;
    McpSession::Done done;
  };
  using Ends = std::vector<std::function<void()>>;
  void run();
  void step(std::unique_lock<std::mutex>& lock);
  void start(std::unique_lock<std::mutex>& lock);
  void bury(std::unique_lock<std::mutex>& lock);
  McpEvents events_of(std::int64_t start);
  template <class Act>
  void heard(std::int64_t start, Act act);
  Ends settle();
  void end_waiting(Ends& ends);
  Duration pause_now(Instant now) const;

  const McpConfig config_;
  Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::unique_ptr<McpSession> session_;
  std::unique_ptr<McpTransport> transport_;
  std::vector<McpToolInfo> tools_;  // of the latest session that was ready
  std::vector<std::string> problems_;
  std::vector<Waiting> waiting_;
  std::optional<Error> failure_;  // why the latest start came to nothing
  bool wanted_ = true, ending_ = false;
  std::int64_t starts_ = 0;
  Duration pause_;
  Instant start_at_{};
  std::thread thread_;
};

}  // namespace troupe::tools
