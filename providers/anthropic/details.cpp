#include "providers/anthropic/details.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace troupe::providers::anthropic {
namespace {

// Members of messages, of the events that carry them and of their deltas that have a place elsewhere. The
// last is Bedrock's account of a stream, read for its tokens.
constexpr std::array<std::string_view, 11> kMessageMembers{"id",
                                                           "type",
                                                           "role",
                                                           "model",
                                                           "content",
                                                           "stop_reason",
                                                           "usage",
                                                           "delta",
                                                           "message",
                                                           "index",
                                                           "amazon-bedrock-invocationMetrics"};
constexpr std::array<std::string_view, 7> kUsageMembers{"input_tokens",
                                                        "cache_creation_input_tokens",
                                                        "cache_read_input_tokens",
                                                        "cache_creation",
                                                        "output_tokens",
                                                        "output_tokens_details",
                                                        "service_tier"};

}  // namespace

void AnswerDetails::read_message(const Json& object) { members_.keep(object, kMessageMembers); }

void AnswerDetails::read_usage(const Json& usage) {
  tier_ = get_string(usage, "service_tier", tier_);
  usage_.keep(usage, kUsageMembers);
}

DetailsReported AnswerDetails::take() const {
  auto all = members_;
  // Start and end of a stream each say part of the usage.
  if (auto usage = parse_json(usage_.text().text)) {
    Json named = Json::object();
    named["usage"] = std::move(*usage);
    all.keep(named, {});
  }
  return {tier_, all.text()};
}

void write_details(const DetailsReported& details, Json& message) {
  if (!details.tier.empty()) message["usage"]["service_tier"] = details.tier;
  write_unknown_members(details.extra, message);
  if (!message.contains("stop_sequence")) message["stop_sequence"] = nullptr;
}

}  // namespace troupe::providers::anthropic
