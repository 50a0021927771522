// The checks in the order a cloud makes them: reachable, known caller, sound request, capacity, answer.
#include "providers/simulator/endpoint.hpp"

#include "providers/auth/sigv4.hpp"
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
    default: return "bad_request";
  }
}

}  // namespace

Endpoint::Endpoint(config::SimulatedEndpoint config, const DialectServer& dialect, std::uint64_t seed,
                   Instant now)
    : config_(std::move(config)),
      dialect_(dialect),
      seed_(stable_hash(config_.name, seed)),
      quota_(config_.limits, now) {}

SimulatedResponse Endpoint::respond(const http::Request& request, const CallContext& context,
                                    std::optional<HeldAllowance>& held) {
  auto number = ++stats_.calls;
  // Seeded per call, so that what one call meets does not depend on how others overlap.
  Rng rng(stable_hash(fmt::format("{}", number), seed_));
  auto struck = strike(config_.faults, context.since_start, number, rng);
  if (struck.refusal && struck.refusal->kind == config::FaultKind::down)
    return refuse_struck(*struck.refusal);
  if (auto known = check_credentials(request, context.wall); !known) return refuse(known.error(), "auth");
  auto call = dialect_.read_request(request);
  if (!call) return refuse(call.error(), outcome_name(call.error().code));
  if (auto sound = check_call(*call, context); !sound) {
    return refuse(sound.error(), outcome_name(sound.error().code));
  }
  if (struck.refusal) return refuse_struck(*struck.refusal);
  return serve(*call, struck, context, rng, held);
}

Result<void> Endpoint::check_credentials(const http::Request& request, WallTime wall) const {
  const auto& known = config_.credentials;
  if (!known.verify) return {};
  const auto* header = http::find_header(request.headers, "authorization");
  std::string given = header == nullptr ? std::string() : *header;
  if (!known.api_key.empty() && given == "Bearer " + known.api_key) return {};
  if (config_.dialect != "bedrock" || known.access_key_id.empty() || given.starts_with("Bearer ")) {
    return std::unexpected(make_error(Errc::auth, "the api key is missing or wrong"));
  }
  // A signature for another region or service is a signature for another cloud.
  auto scope = fmt::format("/{}/bedrock/aws4_request", config_.region);
  if (!given.empty() && given.find(scope) == std::string::npos) {
    return std::unexpected(make_error(Errc::auth, "signed for another region or service"));
  }
  AwsCredentials credentials{.access_key_id = known.access_key_id,
                             .secret_access_key = known.secret_access_key};
  auto lookup = [&](std::string_view id) { return id == known.access_key_id ? &credentials : nullptr; };
  return verify(request, lookup, wall);
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

SimulatedResponse Endpoint::refuse_over_limit(Duration wait) {
  auto error = make_error(Errc::rate_limited, "over the limit");
  // Nobody knows when a place in flight comes free.
  if (wait < policy::Quota::wait_max) error.retry_after = wait;
  return refuse(error, "limit");
}

SimulatedResponse Endpoint::refuse_struck(const config::Fault& fault) {
  if (auto error = refusal_error(fault)) return refuse(*error, to_string(fault.kind));
  ++stats_.by_outcome[to_string(fault.kind)];
  SimulatedResponse response;
  response.ending = Ending::refuse;
  return response;
}

SimulatedResponse Endpoint::serve(const ServedCall& call, const Struck& struck, const CallContext& context,
                                  Rng& rng, std::optional<HeldAllowance>& held) {
  // Admission counts the most the call may generate; the call's end settles what it did generate (WIRE 1.9).
  auto input = static_cast<double>(count_input_tokens(call.request));
  policy::QuotaNeed most{.input_tokens = input,
                         .output_tokens = static_cast<double>(call.request.output_tokens_max)};
  if (auto wait = quota_.wait_for(most, context.now); wait > Duration{}) return refuse_over_limit(wait);
  quota_.reserve(most, context.now);
  auto completion = answer(call.request);
  held = HeldAllowance{most, {input, static_cast<double>(completion.usage.output)}};
  ++stats_.by_outcome[struck.breakage ? to_string(*struck.breakage) : "ok"];
  stats_.input_tokens += completion.usage.input;
  stats_.output_tokens += completion.usage.output;
  stats_.usd += policy::cost_usd(config_.price, completion.usage);
  Performance performance{.dialect = &dialect_, .call = &call, .struck = struck};
  performance.pace = draw_pace(config_.latency, completion.usage.input, context.scale * struck.slow, rng);
  performance.head = {.id = fmt::format("{}-{}", config_.name, stats_.calls),
                      .model = call.model,
                      .created = context.wall,
                      .latency = performance.pace.ttft};
  return perform(completion, performance);
}

void Endpoint::release(const HeldAllowance& held, Instant now) {
  quota_.settle(held.reserved, held.used, now);
}

}  // namespace troupe::providers::simulator
