// Opening a span again.
#include "agents/research/resolving.hpp"

#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <utility>

namespace troupe::research {
namespace {

bool same_bytes(const ToolOutput& output, const Span& span, const std::string& quote) {
  if (output.is_error) return false;
  auto json = parse_json(output.text);
  if (!json) return false;
  // Spans of a document whose text has since changed no longer say what was read.
  return get_string(*json, "doc") == span.doc && get_string(*json, "text") == quote;
}

}  // namespace

Task<Result<bool>> still_says(Workflow& wf, ToolPtr open, Span span, std::string quote) {
  JsonText input{
      dump_json(Json{{"doc", span.doc}, {"start", span.start}, {"length", span.end - span.start}})};
  StepKey key{"verify", fmt::format("{}:{}-{}", span.doc, span.start, span.end)};
  RetryPolicy retry{.attempts_max = 2};
  auto opening = wf.tool(key, std::move(open), std::move(input), retry);
  auto output = co_await opening;
  if (!output) co_return std::unexpected(output.error());
  co_return same_bytes(*output, span, quote);
}

}  // namespace troupe::research
