// What is told of a call, and of its attempts, while it is followed.
#include "actors/following.hpp"

#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/base/tokens.hpp"

#include <algorithm>

namespace troupe::actors {
namespace {

policy::Needs needs_of(const CompletionRequest& request) {
  policy::Needs needs;
  needs.tools = !request.tools.empty();
  needs.schema = request.response_schema.has_value();
  for (const auto& message : request.messages)
    needs.images = needs.images || std::ranges::any_of(message.parts, [](const Part& part) {
                     return std::holds_alternative<ImagePart>(part);
                   });
  return needs;
}

// The text up to the first cache point; calls that share it gain from going to the same place.
std::uint64_t prefix_of(const CompletionRequest& request) {
  std::uint64_t hash = 0;
  for (const auto& message : request.messages)
    for (const auto& part : message.parts) {
      const auto* text = std::get_if<TextPart>(&part);
      if (text == nullptr) return 0;
      hash = stable_hash(text->text, hash);
      if (text->cache_point) return hash;
    }
  return 0;
}

bool has_cache_point(const CompletionRequest& request) {
  return std::ranges::any_of(request.messages, [](const Message& message) {
    return std::ranges::any_of(message.parts, [](const Part& part) {
      const auto* text = std::get_if<TextPart>(&part);
      return text != nullptr && text->cache_point;
    });
  });
}

}  // namespace

Result<std::string> boundary_of(const Call& call, const std::string& features,
                                const std::map<std::string, std::string>* bound) {
  auto boundary = features;
  if (!call.boundary.empty()) {
    if (!boundary.empty() && boundary != call.boundary)
      return fail(Errc::permission, "what this call carries is bound to " + call.boundary + " and feature " +
                                        call.request->feature + " to " + boundary);
    boundary = call.boundary;
  }
  for (const auto* tenant : {&call.request->tenant, &call.tenant}) {
    auto it = bound != nullptr ? bound->find(*tenant) : decltype(bound->end()){};
    if (bound == nullptr || it == bound->end()) continue;
    if (!boundary.empty() && boundary != it->second)
      return fail(Errc::permission, "what feature " + call.request->feature + " carries is bound to " +
                                        boundary + " and, by tenant " + *tenant + ", to " + it->second);
    boundary = it->second;
  }
  return boundary;
}

bool inside(const std::string& boundary, const policy::EndpointFacts& facts) {
  return boundary.empty() || facts.boundary == boundary;
}

policy::RequestFacts lead_facts_of(const CompletionRequest& request, const policy::CallFacts& facts) {
  auto language = request.labels.find("language");
  return {request.feature,
          language == request.labels.end() ? std::string_view() : language->second,
          {request.tenant, request.subject, facts.id},
          facts.input_tokens};
}

std::optional<std::size_t> place_in(const std::vector<std::string>& hierarchy, std::string_view model) {
  auto place = std::ranges::find(hierarchy, model);
  if (place == hierarchy.end()) return std::nullopt;
  return static_cast<std::size_t>(place - hierarchy.begin());
}

std::optional<std::size_t> lead_by(const policy::Lead& lead, const std::vector<std::string>& hierarchy,
                                   policy::CallFacts& facts) {
  facts.lead = place_in(hierarchy, lead.model);
  facts.candidates = 0;
  for (auto model : {lead.candidate, lead.shadowed})
    if (auto place = place_in(hierarchy, model); place && *place > 0 && *place < policy::kCandidatePlaces)
      facts.candidates |= std::uint64_t{1} << *place;
  return facts.lead;
}

void hold_back(std::optional<std::size_t> led, policy::CallFacts& facts) {
  if (!facts.lead || facts.lead == led || *facts.lead >= policy::kCandidatePlaces) return;
  if ((facts.candidates >> *facts.lead & 1) != 0) facts.lead = led;
}

policy::CallFacts facts_of(const Call& call, std::uint64_t id, Instant now) {
  const auto& request = *call.request;
  policy::CallFacts facts;
  facts.id = id;
  facts.tenant = request.tenant;
  facts.input_tokens = estimate_input_tokens(request);
  facts.output_tokens_max = static_cast<std::uint64_t>(std::max(0, request.output_tokens_max));
  facts.deadline = now + request.deadline;
  facts.needs = needs_of(request);
  if (has_cache_point(request)) facts.prefix = prefix_of(request);
  return facts;
}

policy::AttemptReport report_of(std::uint64_t attempt, const AttemptResult& result) {
  policy::AttemptReport report;
  report.id = attempt;
  report.error = result.error;
  report.ttft = result.record.ttft;
  const auto& usage = result.record.usage;
  report.input_tokens = static_cast<std::uint64_t>(usage.input_total());
  report.output_tokens = static_cast<std::uint64_t>(usage.output);
  report.content_seen = result.content_seen;
  report.not_sent = result.not_sent;
  return report;
}

policy::CallFigures figures_of(const std::vector<AttemptRecord>& records, bool failed,
                               const policy::Lead& lead) {
  policy::CallFigures figures;
  bool strayed = lead.new_side && records.back().model != lead.model;
  figures.failed = failed || strayed;
  figures.ttft = seconds(records.back().ttft);
  for (const auto& record : records) {
    figures.total += seconds(record.total);
    figures.usd += record.usd;
  }
  return figures;
}

journal::UsageRow usage_row(const Call& call, std::size_t number, const AttemptRecord& record) {
  journal::UsageRow row;
  row.run_id = call.run_id;
  row.step_key = call.step_key;
  row.attempt = static_cast<std::uint32_t>(number);
  row.feature = call.request->feature;
  row.tenant = call.request->tenant;
  row.model = record.model;
  row.endpoint = record.endpoint;
  row.cause = to_string(call.cause.value_or(record.cause));
  row.error = record.error;
  row.usage = record.usage;
  row.usd = record.usd;
  row.started = record.started;
  row.ttft = record.ttft;
  row.total = record.total;
  row.price = record.price;
  row.unit_hours = record.unit_hours;
  return row;
}

namespace {

std::shared_ptr<AttemptResult> ended_attempt(const SentAttempt& attempt, Error error) {
  auto result = std::make_shared<AttemptResult>();
  result->record.endpoint = attempt.endpoint;
  result->record.cause = attempt.cause;
  result->record.started = attempt.started;
  result->record.error = to_string(error.code);
  result->error = std::move(error);
  result->content_seen = true;
  return result;
}

}  // namespace

std::shared_ptr<AttemptResult> lost_attempt(const SentAttempt& attempt) {
  auto what = "endpoint " + attempt.endpoint + " was lost with its attempts";
  return ended_attempt(attempt, make_error(Errc::unreachable, std::move(what)));
}

std::shared_ptr<AttemptResult> unsent(const SentAttempt& attempt) {
  if (!attempt.actor) return lost_attempt(attempt);
  if (!attempt.call->may_go || attempt.call->may_go()) return nullptr;
  auto error = make_error(Errc::cancelled, "who asked may not ask any more");
  error.maybe_billed = false;
  return ended_attempt(attempt, std::move(error));
}

}  // namespace troupe::actors
