// The checks in the order a cloud makes them: reachable, known caller, sound request, capacity, answer.
#include "providers/simulator/endpoint.hpp"

#include "providers/simulator/extractive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe::providers::simulator {
namespace {

// The names of the errors that are the caller's own, as the counters say them.
std::string outcome_name(Errc code) {
  switch (code) {
    case Errc::auth: return "auth";
    case Errc::not_found: return "not_found";
    case Errc::context_length_exceeded: return "context_length";
    case Errc::model_not_ready: return "not_ready";
    case Errc::rate_limited:
    case Errc::quota_exhausted: return "limit";
    default: return "bad_request";
  }
}

RequestType request_type(const http::Request& request) {
  const auto* type = http::find_header(request.headers, "x-vertex-ai-llm-request-type");
  if (type == nullptr) return RequestType::any;
  if (*type == "dedicated") return RequestType::dedicated;
  return *type == "shared" ? RequestType::shared : RequestType::any;
}

// Nothing answers to these, not even a refusal.
bool strikes_dead(const std::optional<config::Fault>& refusal) { return refusal && !refusal_error(*refusal); }

}  // namespace

Endpoint::Endpoint(config::SimulatedEndpoint config, const DialectServer& dialect, std::uint64_t seed,
                   Instant now)
    : config_(std::move(config)),
      dialect_(dialect),
      seed_(stable_hash(config_.name, seed)),
      capacity_(make_capacity(config_.capacity, config_.limits, now)) {}

SimulatedResponse Endpoint::respond(const http::Request& request, const CallContext& context,
                                    std::optional<HeldAllowance>& held) {
  auto number = ++stats_.calls;
  // Seeded per call, so that what one call meets does not depend on how others overlap.
  Rng rng(stable_hash(fmt::format("{}", number), seed_));
  auto call = dialect_.read_request(request);
  CallFacts facts{context.since_start, number, call ? std::string_view(call->model) : std::string_view()};
  auto struck = strike(config_.faults, facts, rng);
  if (strikes_dead(struck.refusal)) return refuse_struck(*struck.refusal);
  if (auto known = check_access(config_, request, context.authority, context.wall); !known)
    return refuse(known.error(), "auth");
  if (!call) return refuse(call.error(), outcome_name(call.error().code));
  if (auto sound = check_call(*call, context); !sound)
    return refuse(sound.error(), outcome_name(sound.error().code));
  if (struck.refusal) return refuse_struck(*struck.refusal);
  CapacityAsk ask{.output_max = static_cast<double>(call->request.output_tokens_max),
                  .type = request_type(request)};
  return serve(*call, ask, struck, context, rng, held);
}

Result<void> Endpoint::check_call(const ServedCall& call, const CallContext& context) const {
  bool has_model =
      config_.models.empty() || std::ranges::find(config_.models, call.model) != config_.models.end();
  if (!has_model) return std::unexpected(make_error(Errc::not_found, "no such model here"));
  if (count_input_tokens(call.request) > static_cast<std::int64_t>(config_.context_tokens_max)) {
    return std::unexpected(make_error(Errc::context_length_exceeded, "the prompt is too long"));
  }
  if (context.since_start >= config_.ready_after) return {};
  auto error = make_error(Errc::model_not_ready, "still starting");
  error.retry_after = config_.ready_after - context.since_start;
  return std::unexpected(std::move(error));
}

SimulatedResponse Endpoint::refuse(const Error& error, std::string outcome) {
  ++stats_.by_outcome[std::move(outcome)];
  return at_once(dialect_.write_error(error));
}

SimulatedResponse Endpoint::refuse_struck(const config::Fault& fault) {
  if (fault.kind == config::FaultKind::model_error) {
    ++stats_.by_outcome[to_string(fault.kind)];
    return at_once(dialect_.write_model_error(500));
  }
  if (auto error = refusal_error(fault)) return refuse(*error, to_string(fault.kind));
  ++stats_.by_outcome[to_string(fault.kind)];
  SimulatedResponse response;
  response.ending = fault.kind == config::FaultKind::half_open ? Ending::silence : Ending::refuse;
  return response;
}

SimulatedResponse Endpoint::serve(const ServedCall& call, const CapacityAsk& ask, const Struck& struck,
                                  const CallContext& context, Rng& rng, std::optional<HeldAllowance>& held) {
  auto charged = cache_.look(call.request, context.now);
  auto asked = ask;
  asked.input = static_cast<double>(charged.input + charged.cache_write);
  asked.cached = static_cast<double>(charged.cache_read);
  auto hold = capacity_->admit(asked, context.now);
  if (!hold) return refuse(hold.error(), outcome_name(hold.error().code));
  cache_.charge(call.request, context.now);
  auto completion = answer(call.request);
  completion.usage.input = charged.input;
  completion.usage.cache_read = charged.cache_read;
  completion.usage.cache_write = charged.cache_write;
  completion.tier = hold->tier;
  held = HeldAllowance{std::move(*hold), completion.usage};
  ++in_flight_;
  ++stats_.by_outcome[struck.breakage ? to_string(struck.breakage->kind) : "ok"];
  stats_.input_tokens += charged.input_total();
  stats_.output_tokens += completion.usage.output;
  stats_.usd += policy::cost_usd(config_.price, completion.usage);
  Performance performance{.dialect = &dialect_, .call = &call, .struck = struck};
  performance.pace = draw_pace(config_.latency, charged.input, context.scale * struck.slow, rng);
  performance.head = {.id = fmt::format("{}-{}", config_.name, stats_.calls),
                      .model = call.model,
                      .created = context.wall,
                      .latency = performance.pace.ttft};
  return perform(completion, performance);
}

void Endpoint::release(const HeldAllowance& held, Instant now) {
  if (in_flight_ > 0) --in_flight_;
  capacity_->settle(held.hold, held.used, now);
}

}  // namespace troupe::providers::simulator
