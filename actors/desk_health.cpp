#include "actors/desk_health.hpp"

#include "runtime/base/clock.hpp"

#include <fmt/format.h>
#include <caf/send.hpp>

#include <algorithm>

namespace troupe::actors {
namespace {

/// An order that nobody ends would outlive whoever gave it.
constexpr std::int64_t kOrderMsMax = 30LL * 24 * 3600 * 1000;

/// Sends to the endpoint's breaker if it lives here, else hands the question to its home.
template <class Message>
void to_breaker(const DeskServices& services, const std::string& verb, Json input,
                const std::string& endpoint, Message message, const Reply& reply) {
  if (!services.roster_facts || !services.pass_on)
    return reply(fail(Errc::unsupported, "an endpoint's breaker needs a node; give --to ADDRESS"));
  auto roster = services.roster_facts->load();
  auto is_it = [&](const auto& each) { return each.facts->id == endpoint; };
  auto entry = std::ranges::find_if(*roster, is_it);
  if (entry == roster->end())
    return reply(fail(Errc::not_found, "there is no endpoint \"" + endpoint + "\""));
  bool here = entry->home.empty() || entry->home == services.node;
  // Configurations of nodes may disagree about homes: a question goes on once.
  if (!here && get_bool(input, "handed_over"))
    return reply(
        fail(Errc::not_found, fmt::format("endpoint {} does not live on {}", endpoint, services.node)));
  if (!here) {
    input["handed_over"] = true;
    if (auto sent = services.pass_on(entry->home, verb, input); !sent)
      return reply(std::unexpected(sent.error()));
    return reply(dump_json(Json{{"endpoint", endpoint}, {"node", entry->home}}));
  }
  auto breakers = services.board->breakers.load();
  auto breaker = breakers->find(endpoint);
  if (breaker == breakers->end())
    return reply(fail(Errc::not_found, "endpoint " + endpoint + " does not run now"));
  caf::anon_send(breaker->second, std::move(message));
  reply(dump_json(Json{{"endpoint", endpoint}, {"node", services.node}}));
}

}  // namespace

void control_breaker(const DeskServices& services, const Json& input, const Reply& reply) {
  auto order = get_string(input, "order");
  ForceBreaker force{{}, {}, get_string(input, "who", "unknown"), get_string(input, "why")};
  if (order == "open") force.state = policy::BreakerState::open;
  if (order == "close") force.state = policy::BreakerState::closed;
  if (!force.state && order != "freeze")
    return reply(fail(Errc::invalid_input, "an order to a breaker is open, close or freeze"));
  auto ttl = get_int(input, "ttl_ms");
  if (ttl <= 0 || ttl > kOrderMsMax)
    return reply(fail(Errc::invalid_input, "an order to a breaker needs an end: a ttl of up to 30 days"));
  force.ttl = std::chrono::milliseconds(ttl);
  to_breaker(services, "control.breaker", input, get_string(input, "endpoint"), std::move(force), reply);
}

void tell_breaker(const DeskServices& services, const FeedbackObserved& fact, const Reply& reply) {
  Json elsewhere{{"endpoint", fact.endpoint}, {"good", fact.good}, {"answered_ms", fact.answered.ms}};
  to_breaker(services, "feedback", elsewhere, fact.endpoint, fact, reply);
}

}  // namespace troupe::actors
