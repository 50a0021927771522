// The JSON lines of Mooncake's traces: timestamp (ms), input_length, output_length, hash_ids.
#pragma once

#include "replay/line_reader.hpp"
#include "replay/trace.hpp"

#include <optional>

namespace troupe::replay {

class MooncakeTrace final : public TraceSource {
 public:
  explicit MooncakeTrace(LineReader lines) : lines_(std::move(lines)) {}
  Result<bool> next(TraceRow& row) override;

 private:
  Result<bool> parse(std::string_view line, TraceRow& row);
  LineReader lines_;
  std::optional<Duration> first_;
  Duration last_{};
};

}  // namespace troupe::replay
