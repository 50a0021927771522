#include "actors/one_call.hpp"

#include "actors/attempt.hpp"
#include "actors/credentials.hpp"
#include "actors/wiring.hpp"
#include "providers/simulator/server.hpp"

#include <future>

namespace troupe::actors {
namespace {

class CallbackSink final : public StreamSink {
 public:
  explicit CallbackSink(std::function<void(std::span<const StreamEvent>)> hear) : hear_(std::move(hear)) {}
  void on_events(std::span<const StreamEvent> events) override { hear_(events); }
  void on_taken_back() override {}

 private:
  std::function<void(std::span<const StreamEvent>)> hear_;
};

const config::EndpointConfig* find_endpoint(const config::Config& config, const std::string& id) {
  for (const auto& endpoint : config.endpoints.list)
    if (endpoint.id == id) return &endpoint;
  return nullptr;
}

}  // namespace

Result<AttemptResultPtr> call_once(const config::Config& config, const std::string& endpoint,
                                   CompletionRequest request,
                                   std::function<void(std::span<const StreamEvent>)> on_events) {
  const auto* found = find_endpoint(config, endpoint);
  if (found == nullptr)
    return fail(Errc::not_found, "the configuration has no endpoint \"" + endpoint + "\"");
  const auto& provider = config.providers.at(found->provider);
  auto client_values = client_config(config, provider);
  if (!client_values) return std::unexpected(client_values.error());
  auto& clock = system_clock();
  http::Loop loop, simulator_loop;
  std::unique_ptr<providers::simulator::SimulatorServer> simulator;
  WireParts parts;
  if (provider.base_url == "simulator") {
    auto started = providers::simulator::SimulatorServer::start(simulator_loop, clock, config.simulator);
    if (!started) return std::unexpected(started.error());
    simulator = std::move(*started);
    parts.simulator = simulator->origin();
  }
  Credentials credentials(loop, clock, nullptr);
  http::Client client(loop, std::move(*client_values));
  parts.credentials = &credentials;
  parts.client = &client;
  auto wire = make_wire(config, *found, parts);
  if (!wire) return std::unexpected(wire.error());
  RunAttempt order;
  order.deadline = clock.now() + request.deadline;
  order.request = std::make_shared<const CompletionRequest>(std::move(request));
  if (on_events) order.sink = std::make_shared<CallbackSink>(std::move(on_events));
  std::promise<AttemptResultPtr> ended;
  std::shared_ptr<HttpAttempt> attempt;
  loop.post([&] {
    attempt = HttpAttempt::start(*wire, order, loop, client, clock,
                                 [&](AttemptResultPtr result) { ended.set_value(std::move(result)); });
  });
  auto result = ended.get_future().get();
  simulator.reset();
  loop.stop();
  simulator_loop.stop();
  return result;
}

}  // namespace troupe::actors
