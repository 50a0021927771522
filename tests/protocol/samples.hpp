// Random values of every kind that crosses the wire, from one seed.
#pragma once

#include "runtime/base/rng.hpp"

#include <troupe/workflow.hpp>

#include <string>

namespace troupe::protocol {

inline std::string random_text(Rng& rng, std::size_t size_max = 40) {
  std::string out(rng.below(size_max + 1), '\0');
  for (auto& c : out) c = static_cast<char>(rng.below(256));
  return out;
}

inline Part random_part(Rng& rng) {
  switch (rng.below(5)) {
    case 0: return TextPart{random_text(rng, 300), rng.below(2) == 0};
    case 1: return ImagePart{"image/png", random_text(rng, 70'000)};
    case 2: return ToolUsePart{random_text(rng), random_text(rng), {random_text(rng)}, random_text(rng)};
    case 3: return ToolResultPart{random_text(rng), random_text(rng), rng.below(2) == 0};
    default: return ReasoningPart{random_text(rng), random_text(rng), random_text(rng)};
  }
}

inline Usage random_usage(Rng& rng) {
  auto n = [&] { return static_cast<std::int64_t>(rng.next() >> rng.below(64)); };
  return {n(), n(), n(), n(), -n(), n(), rng.below(2) == 0};
}

inline StreamEvent random_event(Rng& rng) {
  switch (rng.below(8)) {
    case 0: return StreamStarted{random_text(rng)};
    case 1: return TextDelta{random_text(rng)};
    case 2: return ReasoningDelta{random_text(rng), random_text(rng), random_text(rng)};
    case 3:
      return ToolUseStarted{static_cast<int>(rng.below(1 << 20)), random_text(rng), random_text(rng),
                            random_text(rng)};
    case 4: return ToolInputDelta{static_cast<int>(rng.below(9)), random_text(rng)};
    case 5: return StreamStopped{static_cast<StopReason>(rng.below(8)), random_text(rng)};
    case 6: return UsageReported{random_usage(rng)};
    default: return DetailsReported{random_text(rng), {random_text(rng)}};
  }
}

inline Completion random_completion(Rng& rng) {
  Completion out;
  for (auto n = rng.below(4); n > 0; --n) out.parts.push_back(random_part(rng));
  out.stop = static_cast<StopReason>(rng.below(8));
  out.usage = random_usage(rng);
  out.model = random_text(rng);
  out.tier = random_text(rng);
  out.extra.text = random_text(rng);
  out.unrecognised_stop = random_text(rng);
  return out;
}

inline Message random_message(Rng& rng) {
  Message out;
  out.role = static_cast<Role>(rng.below(3));
  for (auto n = rng.below(3); n > 0; --n) out.parts.push_back(random_part(rng));
  return out;
}

inline Sampling random_sampling(Rng& rng) {
  Sampling out;
  if (rng.below(2)) out.temperature = rng.uniform();
  if (rng.below(2)) out.top_p = rng.uniform();
  for (auto n = rng.below(3); n > 0; --n) out.stop.push_back(random_text(rng));
  if (rng.below(2)) out.seed = -static_cast<std::int64_t>(rng.below(1000));
  return out;
}

inline CompletionRequest random_request(Rng& rng) {
  CompletionRequest out;
  out.feature = random_text(rng);
  out.tenant = random_text(rng);
  out.subject = random_text(rng);
  for (auto n = rng.below(3); n > 0; --n) out.messages.push_back(random_message(rng));
  for (auto n = rng.below(3); n > 0; --n)
    out.tools.push_back({random_text(rng), random_text(rng), {random_text(rng)}});
  out.tool_choice = static_cast<ToolChoice>(rng.below(3));
  out.sampling = random_sampling(rng);
  if (rng.below(2)) out.response_schema = ResponseSchema{random_text(rng), {random_text(rng)}};
  out.output_tokens_max = static_cast<int>(rng.below(100'000));
  out.deadline = Duration(static_cast<std::int64_t>(rng.next() >> 2));
  out.stream = rng.below(2) == 0;
  out.forced_tool = random_text(rng);
  out.parallel_tools = rng.below(2) == 0;
  if (rng.below(2)) out.reasoning_tokens_max = static_cast<int>(rng.below(100'000));
  for (auto n = rng.below(3); n > 0; --n) out.labels[random_text(rng)] = random_text(rng);
  return out;
}

inline AttemptRecord random_attempt(Rng& rng) {
  return {.endpoint = random_text(rng),
          .cause = static_cast<Cause>(rng.below(9)),
          .started = {static_cast<std::int64_t>(rng.next() >> 20)},
          .ttft = Duration(static_cast<std::int64_t>(rng.next() >> 10)),
          .total = Duration(static_cast<std::int64_t>(rng.next() >> 10)),
          .usage = random_usage(rng),
          .usd = rng.uniform(),
          .error = random_text(rng),
          .price = random_text(rng),
          .unit_hours = rng.uniform(),
          .decision = random_text(rng)};
}

inline Answer random_answer(Rng& rng) {
  Answer out;
  out.completion = random_completion(rng);
  for (auto n = rng.below(3); n > 0; --n) out.attempts.push_back(random_attempt(rng));
  out.replayed = rng.below(2) == 0;
  return out;
}

}  // namespace troupe::protocol
