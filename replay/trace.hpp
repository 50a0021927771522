// Requests as somebody else recorded them: time, tokens in, tokens out. Read row by row, never as a whole.
#pragma once

#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe::replay {

/// One request of a trace.
struct TraceRow {
  /// Since the trace's first request; never less than the row before.
  Duration at{};
  std::uint32_t input_tokens = 0, output_tokens = 0;
  /// Ids of the prompt's blocks of `block_tokens` tokens, first to last: equal ids mean equal prompts up to
  /// there. Empty where the trace does not say.
  std::vector<std::uint64_t> blocks;
};

/// Tokens per block of `TraceRow::blocks` (Mooncake, README of its trace release).
inline constexpr std::uint32_t block_tokens = 512;
/// Longer prompts and answers are taken for damage.
inline constexpr std::uint32_t row_tokens_max = 100'000'000;
inline constexpr std::size_t row_blocks_max = 65'536;

/// A stream of rows. Not thread-safe.
class TraceSource {
 public:
  virtual ~TraceSource() = default;
  /// The next row; false when there is none. invalid_input names "FILE:LINE" and what was expected.
  virtual Result<bool> next(TraceRow& row) = 0;
};
using TracePtr = std::unique_ptr<TraceSource>;

/// What a workspace's message times do not say (see slack_shape.hpp).
struct SyntheticOptions {
  double requests_per_day = 100'000;
  std::uint32_t days = 7;
  /// A trace whose (input, output) pairs the requests take; empty: built-in log-normals (`default_lengths`).
  std::string lengths;
  std::uint64_t seed = 1;
};

/// By what it finds at `path`: a folder with `channels.json` is a Slack export, a first line `TIMESTAMP,…`
/// the CSV of AzureLLMInferenceTrace, a first `{` the JSON lines of Mooncake. input_missing when there is
/// nothing, invalid_input when it is none of these. `synthetic` matters for a Slack export only.
Result<TracePtr> open_trace(const std::string& path, const SyntheticOptions& synthetic);

/// A whole trace in figures.
struct TraceFacts {
  std::uint64_t requests = 0;
  /// From the first request to the last.
  Duration length{};
  double input_tokens = 0, output_tokens = 0;
  double input_per_minute() const;
  double output_per_minute() const;
};
/// Reads it once to its end. invalid_input when it holds no request.
Result<TraceFacts> measure_trace(TraceSource& trace);

}  // namespace troupe::replay
