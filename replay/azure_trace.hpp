// The CSV of AzureLLMInferenceTrace: TIMESTAMP,ContextTokens,GeneratedTokens.
#pragma once

#include "replay/line_reader.hpp"
#include "replay/trace.hpp"

#include <optional>

namespace troupe::replay {

/// "2031-02-03 18:15:46.2500000" or the like with T, Z or +00:00: nanoseconds since 1970. Nothing when it is
/// no such time.
std::optional<Duration> parse_timestamp(std::string_view text);

/// `lines` stands before the header.
class AzureTrace final : public TraceSource {
 public:
  explicit AzureTrace(LineReader lines) : lines_(std::move(lines)) {}
  Result<bool> next(TraceRow& row) override;

 private:
  LineReader lines_;
  std::optional<Duration> first_;
  Duration last_{};
  bool header_read_ = false;
};

}  // namespace troupe::replay
