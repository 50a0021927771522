// A node's parts and the order in which they begin and end. Behind the door: only actors/ sees this.
#pragma once

#include "actors/control_room.hpp"
#include "actors/desk.hpp"
#include "actors/ledger.hpp"
#include "actors/list_price.hpp"
#include "actors/owners.hpp"
#include "actors/run_host.hpp"
#include "actors/scheduler.hpp"
#include "actors/supervisor.hpp"
#include "actors/warmth.hpp"
#include "actors/wiring.hpp"
#include "providers/simulator/server.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/config/changes.hpp"
#include "runtime/config/config.hpp"
#include "runtime/http/client.hpp"
#include "runtime/http/loop.hpp"

#include <troupe/node.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

namespace troupe {

struct Node::Impl final : transport::GatewayListener {
 public:
  explicit Impl(const Config& config);
  ~Impl() override;

  Result<void> start();
  void stop();
  /// What has changed, or would (`dry_run`).
  Result<config::ConfigChanges> reload(const Config& config, bool dry_run = false);
  void read_with(std::function<Result<Config>()> read);
  Result<config::ConfigChanges> read_again(bool dry_run);
  Result<std::string> reload_told(bool dry_run);
  actors::RunHost& runs() { return runs_; }
  Result<std::size_t> resume_runs();
  void interrupt();
  const actors::DeskServices& desk() const { return desk_; }
  std::string address() const { return gateway_ ? gateway_->address() : std::string(); }
  std::string simulator_url() const;

  void on_peer_up(const std::string& peer, std::uint64_t incarnation) override;
  void on_peer_down(const std::string& peer, const std::string& reason) override;
  void on_message(transport::Inbound message) override;

 private:
  /// How endpoints are reached. What is prepared is `taken` only when nothing can fail any more.
  struct Reach {
    std::map<std::string, std::unique_ptr<http::Client>> clients;  // by client_key
    actors::Warmth warmth;
  };
  /// What the node began with: right for options that need a restart.
  const config::Config& values() const { return config_.values(); }
  Result<void> load_workflows();
  Result<void> start_schedules();
  Result<std::string> submit_scheduled(RunSpec spec);
  Result<void> open_journal();
  Result<void> start_simulator();
  Result<void> start_gateway();
  Result<void> start_cast();
  /// Those that live here.
  Result<void> add_endpoints(actors::SupervisorConfig& cast, Reach& reach);
  void start_ledger(actors::SupervisorConfig& cast);
  void start_runs();
  /// What came before the cast stood, and from now on all.
  void let_in();
  /// Of a node that has neighbours.
  void start_owners(std::vector<actors::LocalEndpoint> endpoints);
  /// Gives the features what they read of the node.
  void equip(std::vector<actors::FeatureConfig>& features) const;
  /// Rollouts that have begun and would go on as something else.
  std::vector<std::string> begun_rollouts(const config::Config& next, const config::ConfigChanges& changes);
  /// Everything that can fail, before anything is changed.
  Result<std::shared_ptr<actors::CastChange>> prepare(const config::Config& next,
                                                      const config::ConfigChanges& changes, Reach& reach);
  void take_over(const Config& config, const config::ConfigChanges& changes, Reach reach,
                 std::shared_ptr<actors::CastChange> cast);
  void change_shadows(const config::Config& next, const config::ConfigChanges& changes,
                      actors::CastChange& cast);
  void change_features(const config::Config& next, const config::ConfigChanges& changes,
                       actors::CastChange& cast);
  /// What readers beside the cast know of the configuration: prices, places, the desk's roster.
  void publish(const config::Config& now);
  /// Tells it to the desk.
  void publish_shadows();
  actors::CopiesShown copies_shown() const;
  Result<actors::LocalEndpoint> local_endpoint(const config::Config& config,
                                               const config::EndpointConfig& endpoint, Reach& reach);
  Result<http::Client*> client_of(const config::Config& config, const config::ProviderConfig& provider,
                                  Reach& reach);
  /// What the journal knows of its breaker.
  std::shared_ptr<actors::BreakerCell> breaker_memory(const std::string& endpoint);
  /// Keeps what was prepared: credentials are fetched, connections opened (D8) or no longer kept open.
  void take(Reach reach);
  void make_desk();
  void let_desk_at_runs();
  void tick();
  void tick_schedules();
  // What the gateway hears waits until the cast stands.
  void heard(std::function<void()> work);
  void link_changed(const actors::LinkChanged& fact);
  void arrived(const std::shared_ptr<const transport::Inbound>& message);
  void on_ask(const transport::Inbound& message);
  Result<void> pass_on(const std::string& peer, const std::string& verb, const Json& input);
  void look_after_runs();
  bool keep_seat();
  void leave_store();
  /// Waits for a hint that signals came, or for the next look at everything.
  bool pause(const std::stop_token& stop, Instant until);

  Config config_;
  Config current_;  ///< the last reload's; under mutex_
  std::mutex reader_mutex_;
  std::function<Result<Config>()> reader_;
  std::shared_ptr<policy::QuotaTree> quota_;    ///< may be null; used on the loop's thread only
  std::vector<actors::FeatureShadow> shadows_;  ///< under mutex_ once started
  std::shared_ptr<actors::PlaceCell> places_ = std::make_shared<actors::PlaceCell>();
  std::shared_ptr<actors::PriceCell> prices_ = std::make_shared<actors::PriceCell>();
  Clock& clock_;
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<http::Loop> simulator_loop_;
  std::unique_ptr<providers::simulator::SimulatorServer> simulator_;
  std::unique_ptr<http::Loop> loop_;
  Reach reach_;
  std::unique_ptr<actors::Credentials> credentials_;
  std::unique_ptr<http::Loop::Timer> timer_;  // loop thread only
  caf::actor_system_config system_config_;
  std::unique_ptr<caf::actor_system> system_;
  std::unique_ptr<actors::Unit> loop_unit_, gateway_unit_;
  std::unique_ptr<transport::Gateway> gateway_;
  std::shared_ptr<actors::CastBoard> board_ = std::make_shared<actors::CastBoard>();
  actors::ControlRoom control_room_;
  std::shared_ptr<actors::BudgetCell> budgets_ = std::make_shared<actors::BudgetCell>();
  actors::LedgerActor ledger_;
  actors::SupervisorActor supervisor_;
  actors::OwnersActor owners_;        ///< null: there are no other nodes
  actors::SchedulerActor scheduler_;  ///< null until runs are taken up; under mutex_
  actors::DeskServices desk_;

  std::mutex mutex_;
  actors::RunHost runs_;
  std::mutex caretaker_mutex_;
  std::condition_variable_any caretaker_hint_;
  bool signals_came_ = false;
  std::jthread caretaker_;  // wakes and takes up runs
  std::atomic<bool> resumes_runs_ = false;
  bool stopping_ = false, stopped_ = false;

  std::mutex early_mutex_;
  bool cast_ready_ = false;
  std::vector<std::function<void()>> early_;  // what the gateway heard before the cast stood
};

}  // namespace troupe
