// Which format a path holds, and a trace's figures.
#include "replay/trace.hpp"

#include "replay/azure_trace.hpp"
#include "replay/mooncake_rows.hpp"
#include "replay/slack_shape.hpp"
#include "runtime/base/clock.hpp"

#include <algorithm>
#include <filesystem>

namespace troupe::replay {
namespace {

double per_minute(double tokens, Duration length) {
  // A trace of a moment is taken to last a minute: no rate follows from one request.
  return tokens / std::max(seconds(length) / 60, 1.0);
}

Result<TracePtr> open_synthetic(const std::string& folder, const SyntheticOptions& options) {
  auto shape = learn_shape(folder);
  if (!shape) return std::unexpected(shape.error());
  Lengths lengths;
  if (!options.lengths.empty()) {
    auto trace = open_trace(options.lengths, {});
    if (!trace) return std::unexpected(trace.error());
    auto sampled = Lengths::sample(**trace, options.seed);
    if (!sampled) return std::unexpected(sampled.error());
    lengths = std::move(*sampled);
  }
  return std::make_unique<SyntheticTrace>(*shape, std::move(lengths), options);
}

}  // namespace

Result<TracePtr> open_trace(const std::string& path, const SyntheticOptions& synthetic) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return open_synthetic(path, synthetic);
  auto lines = LineReader::open(path);
  if (!lines) return std::unexpected(lines.error());
  std::string_view first;
  auto got = lines->next(first);
  if (!got) return std::unexpected(got.error());
  auto again = LineReader::open(path);
  if (!again) return std::unexpected(again.error());
  if (first.starts_with("TIMESTAMP")) return std::make_unique<AzureTrace>(std::move(*again));
  if (first.starts_with('{')) return std::make_unique<MooncakeTrace>(std::move(*again));
  return lines->wrong(
      "neither the header TIMESTAMP,ContextTokens,GeneratedTokens (Azure) nor a JSON object (Mooncake)");
}

double TraceFacts::input_per_minute() const { return per_minute(input_tokens, length); }
double TraceFacts::output_per_minute() const { return per_minute(output_tokens, length); }

Result<TraceFacts> measure_trace(TraceSource& trace) {
  TraceFacts facts;
  TraceRow row;
  while (true) {
    auto got = trace.next(row);
    if (!got) return std::unexpected(got.error());
    if (!*got) break;
    ++facts.requests;
    facts.length = row.at;
    facts.input_tokens += row.input_tokens;
    facts.output_tokens += row.output_tokens;
  }
  if (facts.requests == 0) return fail(Errc::invalid_input, "the trace holds no request");
  return facts;
}

}  // namespace troupe::replay
