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

// The pieces of one part, each with the tokens it is worth.
struct Piece {
  StreamEvent event;
  std::int64_t tokens = 0;
};

void cut_reasoning(const ReasoningPart& part, std::vector<Piece>& out) {
  if (!part.redacted.empty()) return out.push_back({ReasoningDelta{{}, {}, part.redacted}, 1});
  for (auto& text : deltas_of(part.text)) {
    auto tokens = count_tokens(text);
    out.push_back({ReasoningDelta{std::move(text), {}, {}}, tokens});
  }
  if (!part.signature.empty()) out.push_back({ReasoningDelta{{}, part.signature, {}}, 0});
}

std::vector<Piece> pieces_of(const Completion& completion) {
  std::vector<Piece> out;
  int tools = 0;
  for (const auto& part : completion.parts) {
    if (const auto* text = std::get_if<TextPart>(&part)) {
      for (auto& delta : deltas_of(text->text)) {
        auto tokens = count_tokens(delta);
        out.push_back({TextDelta{std::move(delta)}, tokens});
      }
    }
    if (const auto* reasoning = std::get_if<ReasoningPart>(&part)) cut_reasoning(*reasoning, out);
    const auto* use = std::get_if<ToolUsePart>(&part);
    if (use == nullptr) continue;
    auto index = tools++;
    out.push_back({ToolUseStarted{index, use->id, use->name, use->signature}, 1});
    for (auto& delta : deltas_of(use->input.text)) {
      auto tokens = count_tokens(delta);
      out.push_back({ToolInputDelta{index, std::move(delta)}, tokens});
    }
  }
  return out;
}

void cut_at_byte(SimulatedResponse& response, std::uint64_t at) {
  for (std::size_t i = 0; i < response.body.size(); ++i) {
    auto& bytes = response.body[i].bytes;
    if (at < bytes.size()) {
      bytes.resize(at);
      response.body.resize(i + 1);
      return;
    }
    at -= bytes.size();
  }
}

// Half of the content is out before anything breaks, so that a reader has something to lose.
void break_stream(SimulatedResponse& response, const config::Fault& breakage, std::size_t middle,
                  StreamWriter& writer) {
  auto& body = response.body;
  if (breakage.kind == config::FaultKind::malformed) {
    body[middle].bytes.insert(0, kGarbage);
    return;
  }
  if (breakage.kind == config::FaultKind::cut) response.ending = Ending::cut;
  if (breakage.kind == config::FaultKind::cut && breakage.at_byte > 0)
    return cut_at_byte(response, breakage.at_byte);
  auto at = body[middle].after_start;
  body.resize(middle);
  if (breakage.kind == config::FaultKind::stall) response.ending = Ending::stall;
  if (breakage.kind == config::FaultKind::in_stream_error)
    body.push_back({at, writer.write_error(make_error(Errc::overloaded, "simulated fault"))});
}

std::string last_bytes(const Completion& completion, const Performance& performance, StreamWriter& writer) {
  auto last = writer.write(StreamStopped{completion.stop, {}});
  if (performance.call->stream_usage) last += writer.write(UsageReported{completion.usage});
  if (!completion.tier.empty()) last += writer.write(DetailsReported{completion.tier, {}});
  return last + writer.finish();
}

SimulatedResponse perform_stream(const Completion& completion, const Performance& performance) {
  SimulatedResponse response;
  response.streamed = true;
  response.head = performance.dialect->stream_head(performance.head);
  auto writer = performance.dialect->stream_writer(performance.head);
  auto head_late = performance.struck.head_late;
  auto start = performance.pace.ttft + performance.struck.late + head_late;
  response.head_after = performance.pace.ttft / 2 + head_late;
  auto at = start;
  response.body.push_back({response.head_after, writer->write(StreamStarted{completion.model})});
  std::int64_t tokens = 0;
  for (auto& piece : pieces_of(completion)) {
    at = start + performance.pace.per_token * tokens;
    tokens += piece.tokens;
    response.body.push_back({at, writer->write(piece.event)});
  }
  auto middle = 1 + (response.body.size() - 1) / 2;
  bool error_inside =
      performance.struck.breakage && performance.struck.breakage->kind == config::FaultKind::in_stream_error;
  // A writer that has finished cannot say an error any more.
  if (!error_inside) {
    auto last = last_bytes(completion, performance, *writer);
    response.body.push_back({start + performance.pace.per_token * tokens, std::move(last)});
  }
  middle = std::min(middle, response.body.size() - 1);
  if (performance.struck.breakage) break_stream(response, *performance.struck.breakage, middle, *writer);
  return response;
}

SimulatedResponse perform_whole(const Completion& completion, const Performance& performance) {
  auto total = performance.pace.ttft + performance.struck.late + performance.struck.head_late +
               performance.pace.per_token * completion.usage.output;
  auto head = performance.head;
  head.latency = total;
  const auto& breakage = performance.struck.breakage;
  if (breakage && breakage->kind == config::FaultKind::in_stream_error)
    return at_once(performance.dialect->write_error(make_error(Errc::overloaded, "simulated fault")), total);
  auto response = at_once(performance.dialect->write_response(completion, head), total);
  if (!breakage) return response;
  auto& bytes = response.body.front().bytes;
  auto kept =
      breakage->at_byte > 0 ? std::min<std::size_t>(breakage->at_byte, bytes.size()) : bytes.size() / 2;
  bytes.resize(kept);
  if (breakage->kind == config::FaultKind::malformed) bytes += kGarbage;
  response.streamed = true;  // a Content-Length would give the missing half away
  if (breakage->kind == config::FaultKind::cut) response.ending = Ending::cut;
  if (breakage->kind == config::FaultKind::stall) response.ending = Ending::stall;
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
