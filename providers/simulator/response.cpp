// Cutting an answer into timed pieces, and breaking it.
#include "providers/simulator/response.hpp"

#include "providers/simulator/extractive.hpp"

#include <algorithm>
#include <utility>

namespace troupe::providers::simulator {
namespace {

constexpr std::size_t kDeltaBytes = 32;  // 8 tokens
// No JSON for a reader of server-sent events, no frame for a reader of binary ones.
constexpr std::string_view kGarbage = "data: {\"half\": \x01\n\n";

std::vector<std::string> deltas_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    auto end = std::min(kDeltaBytes, text.size());
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return out;
}

// Half of the content is out before anything breaks, so that a reader has something to lose.
void break_stream(SimulatedResponse& response, config::FaultKind breakage, std::size_t middle) {
  auto& body = response.body;
  if (breakage == config::FaultKind::malformed) {
    body[middle].bytes.insert(0, kGarbage);
    return;
  }
  body.resize(middle);
  if (breakage == config::FaultKind::cut) response.ending = Ending::cut;
  if (breakage == config::FaultKind::stall) response.ending = Ending::stall;
}

SimulatedResponse perform_stream(const Completion& completion, const Performance& performance) {
  SimulatedResponse response;
  response.streamed = true;
  response.head = performance.dialect->stream_head(performance.head);
  auto writer = performance.dialect->stream_writer(performance.head);
  auto start = performance.pace.ttft + performance.struck.late;
  response.head_after = performance.pace.ttft / 2;
  auto at = start;
  response.body.push_back({response.head_after, writer->write(StreamStarted{completion.model})});
  std::int64_t tokens = 0;
  for (auto& delta : deltas_of(completion.text())) {
    at = start + performance.pace.per_token * tokens;
    tokens += count_tokens(delta);
    response.body.push_back({at, writer->write(TextDelta{std::move(delta)})});
  }
  auto middle = 1 + (response.body.size() - 1) / 2;
  std::string last = writer->write(StreamStopped{completion.stop});
  if (performance.call->stream_usage) last += writer->write(UsageReported{completion.usage});
  last += writer->finish();
  response.body.push_back({start + performance.pace.per_token * tokens, std::move(last)});
  if (performance.struck.breakage) break_stream(response, *performance.struck.breakage, middle);
  return response;
}

SimulatedResponse perform_whole(const Completion& completion, const Performance& performance) {
  auto total =
      performance.pace.ttft + performance.struck.late + performance.pace.per_token * completion.usage.output;
  auto head = performance.head;
  head.latency = total;
  auto response = at_once(performance.dialect->write_response(completion, head), total);
  if (!performance.struck.breakage) return response;
  auto& bytes = response.body.front().bytes;
  auto breakage = *performance.struck.breakage;
  bytes.resize(bytes.size() / 2);
  if (breakage == config::FaultKind::malformed) bytes += kGarbage;
  response.streamed = true;  // a Content-Length would give the missing half away
  if (breakage == config::FaultKind::cut) response.ending = Ending::cut;
  if (breakage == config::FaultKind::stall) response.ending = Ending::stall;
  return response;
}

}  // namespace

SimulatedResponse perform(const Completion& completion, const Performance& performance) {
  return performance.call->stream ? perform_stream(completion, performance)
                                  : perform_whole(completion, performance);
}

SimulatedResponse at_once(http::Response response, Duration delay) {
  SimulatedResponse out;
  out.head = {response.status, std::move(response.headers)};
  out.head_after = delay;
  out.body.push_back({delay, std::move(response.body)});
  return out;
}

}  // namespace troupe::providers::simulator
