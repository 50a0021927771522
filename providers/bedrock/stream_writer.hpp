// Stream events as ConverseStream frames (WIRE 1.5, 1.7).
#pragma once

#include "providers/serve.hpp"
#include "runtime/json/json.hpp"

#include <map>
#include <optional>

namespace troupe::providers::bedrock {

/// Numbers content blocks as they open. Text and reasoning blocks close when another begins; tool blocks stay
/// open until the end, since calls may interleave. metadata, which holds usage and details, waits for
/// finish().
class ConverseStreamWriter final : public StreamWriter {
 public:
  explicit ConverseStreamWriter(Duration latency) : latency_(latency) {}
  std::string write(const StreamEvent& event) override;
  std::string finish() override;
  std::string write_error(const Error& error) override;

 private:
  enum class Open { nothing, text, reasoning };
  std::string text(const TextDelta& event);
  std::string reasoning(const ReasoningDelta& event);
  std::string tool_started(const ToolUseStarted& event);
  std::string tool_input(const ToolInputDelta& event);
  std::string stopped(const StreamStopped& event);
  /// Closes the open text or reasoning block unless it is of this kind, then opens one.
  std::string switch_to(Open kind);
  std::string close_open();
  std::string delta(int block, Json fields);

  Duration latency_;
  Open open_ = Open::nothing;
  int open_block_ = 0;
  int next_block_ = 0;
  std::map<int, int> tool_block_;
  std::optional<Usage> usage_;
  DetailsReported details_;
};

}  // namespace troupe::providers::bedrock
