#include "actors/node_impl.hpp"

#include "actors/built_in.hpp"
#include "actors/ledger.hpp"
#include "actors/line_up.hpp"
#include "actors/list_price.hpp"
#include "actors/store.hpp"
#include "runtime/base/log.hpp"
#include "runtime/config/changes.hpp"
#include "runtime/journal/membership.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <filesystem>
#include <future>

namespace troupe {
namespace {

constexpr auto kTick = std::chrono::milliseconds(50);
// Calls in flight when the node stops get this long to be recorded before they are abandoned.
constexpr auto kHandBack = std::chrono::seconds(20);

}  // namespace

Node::Impl::Impl(const Config& config) : config_(config), current_(config), clock_(system_clock()) {
  // `sharing` never polls; two workers, since a run's work is short and the paying work is elsewhere
  // (STACK 1.5).
  system_config_.set("scheduler.policy", caf::atom("sharing"));
  system_config_.set("scheduler.max-threads", std::size_t{2});
  system_config_.set("scheduler.max-throughput", std::size_t{200});
  auto line_up = std::make_shared<actors::LineUp>(runs_, clock_, [this] { return journal_.get(); });
  actors::BuiltInParts parts{values().tools, &clock_, std::move(line_up)};
  parts.descriptions = values().node.state_dir + "/tool_descriptions.jsonl";
  for (auto& type : actors::built_in_workflows(std::move(parts))) runs_.add(std::move(type));
}

Node::Impl::~Impl() { stop(); }

// ---- beginning ----

Result<void> Node::Impl::start() {
  if (auto loaded = load_workflows(); !loaded) return loaded;
  if (auto opened = open_journal(); !opened) return opened;
  if (auto listening = start_simulator(); !listening) return listening;
  loop_ = std::make_unique<http::Loop>();
  system_ = std::make_unique<caf::actor_system>(system_config_);
  loop_unit_ = std::make_unique<actors::Unit>(*system_, *loop_);
  if (auto bound = start_gateway(); !bound) return bound;
  if (auto spawned = start_cast(); !spawned) return spawned;
  loop_->post([this] { tick(); });
  return {};
}

Result<void> Node::Impl::open_journal() {
  auto opened = actors::open_store(values());
  if (!opened) return std::unexpected(opened.error());
  journal_ = std::move(*opened);
  // Before anything is written: in a shared store whoever was this node before is refused from now on.
  auto joined = journal_->membership()->join(values().node.id, values().cluster.listen, values().node.region);
  if (!joined) return std::unexpected(joined.error());
  return {};
}

Result<void> Node::Impl::start_simulator() {
  if (values().simulator.endpoints.empty()) return {};
  simulator_loop_ = std::make_unique<http::Loop>();
  auto started = providers::simulator::SimulatorServer::start(*simulator_loop_, clock_, values().simulator);
  if (!started) return std::unexpected(started.error());
  simulator_ = std::move(*started);
  return {};
}

Result<void> Node::Impl::start_gateway() {
  const auto& cluster = values().cluster;
  if (cluster.listen.empty() && cluster.peers.empty()) return {};
  auto config = actors::gateway_config(values());
  if (!config) return std::unexpected(config.error());
  auto started = transport::Gateway::start(std::move(*config), *this);
  if (!started) return std::unexpected(started.error());
  gateway_ = std::move(*started);
  gateway_unit_ = std::make_unique<actors::Unit>(*system_, *gateway_);
  return {};
}

std::shared_ptr<actors::BreakerCell> Node::Impl::breaker_memory(const std::string& endpoint) {
  auto cell = std::make_shared<actors::BreakerCell>();
  auto rows = journal_->breaker_memories();
  if (!rows) return cell;
  for (const auto& row : *rows) {
    auto memory = row.endpoint == endpoint ? policy::breaker_memory(row.memory) : std::nullopt;
    if (memory) cell->store(std::make_shared<const actors::BreakerKnown>(*memory, row.at));
  }
  return cell;
}

Result<http::Client*> Node::Impl::client_of(const config::Config& config,
                                            const config::ProviderConfig& provider, Reach& reach) {
  auto key = actors::client_key(provider);
  if (auto known = reach_.clients.find(key); known != reach_.clients.end()) return known->second.get();
  auto& client = reach.clients[key];
  if (client) return client.get();
  auto options = actors::client_config(config, provider);
  if (!options) return std::unexpected(options.error());
  client = std::make_unique<http::Client>(*loop_, std::move(*options));
  return client.get();
}

Result<actors::LocalEndpoint> Node::Impl::local_endpoint(const config::Config& config,
                                                         const config::EndpointConfig& endpoint,
                                                         Reach& reach) {
  const auto& provider = config.providers.at(endpoint.provider);
  auto client = client_of(config, provider, reach);
  if (!client) return std::unexpected(client.error());
  actors::WireParts parts{simulator_ ? simulator_->origin() : http::Origin{}, credentials_.get(), *client,
                          desk_.metrics};
  auto wire = actors::make_wire(config, endpoint, parts);
  if (!wire) return std::unexpected(wire.error());
  reach.warmth.want(endpoint.id, {*client, (*wire)->origin, provider.warm_connections});
  actors::LocalEndpoint local;
  local.endpoint = {config::endpoint_facts(endpoint),
                    config::guard_policy(endpoint, config.node.tokens_per_minute > 0), *wire,
                    endpoint.tariff};
  local.breaker = {endpoint.id, endpoint.breaker, breaker_memory(endpoint.id)};
  local.breaker.target = actors::breaker_target(config, endpoint);
  local.starter = [this, wire = *wire, http = *client](const actors::RunAttempt& order,
                                                       actors::HttpAttempt::Ended ended) {
    return actors::HttpAttempt::start(wire, order, *loop_, *http, clock_, std::move(ended));
  };
  return local;
}

void Node::Impl::start_ledger(actors::SupervisorConfig& cast) {
  const auto& shares = values().node.concentration;
  actors::LedgerMetrics measured{desk_.metrics, places_, shares.provider_share_max, shares.region_share_max};
  for (const auto& local : cast.endpoints) desk_.metrics->breaker_moved(local.breaker.endpoint, "closed", 1);
  ledger_ = actors::spawn_ledger(*system_, loop_unit_.get(), journal_.get(), cast.node, std::move(measured),
                                 {config::budget_rules(values()), budgets_, &clock_});
}

void Node::Impl::start_owners(std::vector<actors::LocalEndpoint> endpoints) {
  if (!gateway_ || values().cluster.peers.empty()) return;
  actors::OwnersStage stage{&clock_, supervisor_,
                            actors::control_sender(gateway_.get(), actors::WireKind::claims)};
  owners_ = actors::spawn_owners(*system_, loop_unit_.get(),
                                 {values().node.id, std::move(endpoints), actors::named_here(values())},
                                 std::move(stage));
}

void Node::Impl::equip(std::vector<actors::FeatureConfig>& features) const {
  for (auto& feature : features) {
    feature.metrics = desk_.metrics;
    feature.budgets = budgets_;
    feature.controls = control_room_.board();
    feature.leads = control_room_.rules();
    feature.rollouts = control_room_.rollouts();
    feature.journal = journal_.get();
    feature.node = values().node.id;
    // Always: a shadow may begin while its feature's queue stays.
    feature.shadows = {board_, &board_->shadows};
  }
}

Result<void> Node::Impl::add_endpoints(actors::SupervisorConfig& cast, Reach& reach) {
  for (const auto& endpoint : values().endpoints.list) {
    if (!actors::lives_here(values(), endpoint)) continue;
    auto local = local_endpoint(values(), endpoint, reach);
    if (!local) return std::unexpected(local.error());
    cast.endpoints.push_back(std::move(*local));
  }
  return {};
}

Result<void> Node::Impl::start_cast() {
  actors::SupervisorConfig cast;
  cast.node = values().node.id;
  desk_.metrics = std::make_shared<telemetry::Metrics>();
  credentials_ = std::make_unique<actors::Credentials>(*loop_, clock_, desk_.metrics);
  actors::ControlRoomParts parts{system_.get(), loop_unit_.get(), &clock_, journal_.get(), gateway_.get()};
  shadows_ = actors::feature_shadows(values());
  if (auto ready = control_room_.start(values(), parts, copies_shown()); !ready) return ready;
  Reach reach;
  if (auto added = add_endpoints(cast, reach); !added) return added;
  quota_ = actors::shared_quota(values());
  cast.features = actors::feature_configs(values(), quota_);
  equip(cast.features);
  cast.shadows = shadows_;
  cast.controls = control_room_.board();
  cast.peers = actors::remote_peers(values());
  publish(values());
  take(std::move(reach));
  start_ledger(cast);
  actors::Stage stage{loop_unit_.get(), gateway_unit_.get(), &clock_, gateway_.get(), ledger_, board_};
  auto endpoints = cast.endpoints;
  supervisor_ = actors::spawn_supervisor(*system_, std::move(cast), std::move(stage));
  start_owners(std::move(endpoints));
  start_runs();
  make_desk();
  // The supervisor spawns the cast on its first turn; an answer means it stands.
  std::promise<void> stands;
  caf::anon_send(supervisor_, actors::GetBoard{[&stands](const auto&) { stands.set_value(); }});
  stands.get_future().wait();
  look_after_runs();
  let_in();
  return {};
}

void Node::Impl::start_runs() {
  runs_.start({system_.get(),
               &clock_,
               journal_.get(),
               values().node.id,
               {board_, &board_->queues},
               actors::present_prices(prices_),
               values().node.park_after,
               values().node.retention,
               values().store.durability,
               values().store.power_safe});
}

void Node::Impl::let_in() {
  std::lock_guard lock(early_mutex_);
  cast_ready_ = true;
  for (auto& work : std::exchange(early_, {})) work();
}

void Node::Impl::take(Reach reach) {
  reach_.clients.merge(reach.clients);
  credentials_->keep_new();
  credentials_->prefetch();
  for (auto& wish : reach.warmth.since(reach_.warmth))
    loop_->post([wish = std::move(wish)] { wish.client->warm(wish.origin, wish.count); });
  reach_.warmth = std::move(reach.warmth);
}

void Node::Impl::make_desk() {
  desk_.node = values().node.id;
  desk_.clock = &clock_;
  desk_.simulated = simulator_ != nullptr;
  desk_.journal = journal_.get();
  desk_.supervisor = supervisor_;
  desk_.board = board_;
  desk_.control_room = &control_room_;
  desk_.reload = [this](bool dry_run) { return reload_told(dry_run); };
  desk_.pass_on = [this](const std::string& peer, const std::string& verb, const Json& input) {
    return pass_on(peer, verb, input);
  };
  let_desk_at_runs();
}

void Node::Impl::let_desk_at_runs() {
  desk_.submit = [this](RunSpec spec) { return runs_.submit(std::move(spec), {}); };
  desk_.cancel = [this](const std::string& run_id) { return runs_.cancel(run_id, false); };
  desk_.signal = [this](const std::string& run_id, const std::string& name, const std::string& json,
                        std::uint64_t id) { return runs_.signal(run_id, name, json, id); };
  desk_.progress = [this](const std::string& run_id) { return runs_.progress(run_id); };
  desk_.going = [this] { return runs_.going(); };
  desk_.why_waiting = [this](const journal::RunRow& row) { return runs_.why_waiting(row); };
}

void Node::Impl::tick() {
  caf::anon_send(supervisor_, actors::Tick{});
  control_room_.tick();
  if (owners_) caf::anon_send(owners_, actors::Tick{});
  runs_.tick();
  timer_ = loop_->after(kTick, [this] { tick(); });
}

std::string Node::Impl::simulator_url() const {
  return simulator_ ? fmt::format("http://127.0.0.1:{}", simulator_->port()) : std::string();
}

// ---- ending ----

void Node::Impl::stop() {
  if (std::exchange(stopped_, true)) return;
  interrupt();
  if (journal_) journal_->membership()->watch({});
  caretaker_ = {};
  if (system_ && !runs_.quiet(kHandBack)) runs_.kill();
  if (loop_) {
    std::promise<void> quiet;
    loop_->post([this, &quiet] {
      timer_.reset();
      quiet.set_value();
    });
    quiet.get_future().wait();
  }
  control_room_.stop();
  if (auto scheduler = std::exchange(scheduler_, nullptr))
    caf::anon_send_exit(scheduler, caf::exit_reason::user_shutdown);
  if (ledger_) caf::anon_send_exit(ledger_, caf::exit_reason::user_shutdown);
  if (owners_) caf::anon_send_exit(owners_, caf::exit_reason::user_shutdown);
  if (supervisor_) caf::anon_send_exit(supervisor_, caf::exit_reason::user_shutdown);
  if (system_) system_->await_all_actors_done();
  simulator_.reset();
  if (gateway_) gateway_->stop();
  if (loop_) loop_->stop();
  if (simulator_loop_) simulator_loop_->stop();
  credentials_.reset();
  reach_ = {};
  desk_ = {};
  owners_ = nullptr;
  supervisor_ = nullptr;
  ledger_ = nullptr;
  board_.reset();
  // Its thread may have started runs (a run's end may lead to another), and CAF waits for every thread that
  // spawned actors.
  leave_store();
  journal_.reset();
  gateway_unit_.reset();
  loop_unit_.reset();
  system_.reset();
  gateway_.reset();
}

}  // namespace troupe
