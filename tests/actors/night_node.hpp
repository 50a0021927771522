// A whole node through a night, in one thread under a virtual clock: supervisor, endpoints, breakers, a
// queue, runs and a real journal file. The process dies by a seed and begins again on what was durable.
#pragma once

#include "actors/line_up.hpp"
#include "actors/run_host.hpp"
#include "actors/supervisor.hpp"
#include "tests/actors/night_clouds.hpp"
#include "tests/actors/night_town.hpp"
#include "tests/actors/staged_journal.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace troupe::actors::testing {

struct NightPlan {
  TownPlan town;
  CloudsPlan clouds;
  std::uint64_t seed = 1;
  std::size_t deaths = 20;
  Duration lead = std::chrono::hours(4);
  std::size_t batch = 250;
  LineUpPolicy line_up;
  /// Off: each zone makes its channel-days and digests for itself.
  bool shared = true;
  /// The journal's folder; removed in the end.
  std::filesystem::path folder;
};

/// The ledger's lines by what they were for and why.
struct CostLine {
  std::string work, cause;
  std::size_t attempts = 0, failed = 0;
  std::int64_t tokens_in = 0, tokens_out = 0, nano_usd = 0;
};

struct NightFigures {
  TownVerdict town;
  CloudsBill clouds;
  std::size_t deaths = 0, deaths_in_calls = 0, nights_done = 0, nights = 0;
  /// Channel-days wanted by anybody; shared runs that made one, by edition; answers recorded for them.
  std::size_t days_wanted = 0, days_made = 0, day_answers = 0;
  /// Questions of one content with more than one recorded answer.
  std::size_t days_twice = 0, digests_twice = 0;
  std::size_t digests = 0, digest_answers = 0, days_unshared = 0;
  std::vector<CostLine> costs;
  std::int64_t ledger_nano_usd = 0;
  std::size_t runs = 0, entries = 0;
  std::vector<std::string> broken_rules;
  std::vector<std::string> reports;
  std::uintmax_t journal_bytes = 0;
  double took_s = 0;
  /// Virtual time from the night's beginning to its end.
  Duration night{};
};

class NightNode {
 public:
  explicit NightNode(NightPlan plan);
  ~NightNode();
  NightFigures play();

 private:
  void open_journal();
  void begin_process();
  void end_process();
  void die();
  LocalEndpoint endpoint(const std::string& id);
  SupervisorConfig cast();
  void submit_due();
  void turn();
  void write_some();
  void pass(Duration span);
  Duration until_something();
  bool over();
  void run_actors();
  void read_results(NightFigures& out);
  void read_costs(NightFigures& out);

  NightPlan plan_;
  ManualClock clock_;
  Rng rng_;
  caf::actor_system_config config_;
  caf::actor_system system_;
  Town town_;
  Clouds clouds_;
  std::vector<ZoneMorning> mornings_;
  std::set<std::string> done_;
  std::vector<WallTime> deaths_due_;
  std::unique_ptr<StagedJournal> journal_;
  std::shared_ptr<CastBoard> board_;
  LedgerActor ledger_;
  SupervisorActor supervisor_;
  std::unique_ptr<RunHost> host_;
  std::shared_ptr<LineUp> line_up_;
  WallTime ticked_, cared_, dies_again_;
  std::size_t deaths_ = 0, deaths_in_calls_ = 0, entries_ = 0;
  bool dead_ = false;
};

/// The table for people.
std::string night_table(const NightPlan& plan, const NightFigures& figures);

}  // namespace troupe::actors::testing
