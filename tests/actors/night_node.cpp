// Turns of the clock, lives of the process, and what the journal says in the end.
#include "tests/actors/night_node.hpp"

#include "actors/ledger.hpp"
#include "agents/recap_night/workflows.hpp"
#include "agents/recap_night/zone_plan.hpp"
#include "runtime/protocol/run_values.hpp"

#include <fmt/format.h>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <cmath>

namespace troupe::actors::testing {
namespace {

using namespace std::chrono_literals;
constexpr std::int64_t kTickMs = 250;
constexpr std::int64_t kCareMs = 5'000;

caf::actor_system_config& one_thread(caf::actor_system_config& config) {
  config.set("scheduler.policy", caf::atom("testing"));
  return config;
}

WallTime after(const std::string& day) { return recap_night::end_of(day); }

std::string night_id(const ZoneMorning& morning) {
  return fmt::format("{}/town/{}@{}", recap_night::kNight, morning.zone, morning.date);
}

}  // namespace

NightNode::NightNode(NightPlan plan)
    : plan_(std::move(plan)),
      clock_(after(plan_.town.day)),
      rng_(plan_.seed),
      system_(one_thread(config_)),
      town_(plan_.town, clock_),
      clouds_(plan_.clouds, clock_, after(plan_.town.day)),
      mornings_(mornings_after(plan_.town.day, plan_.lead)) {
  std::filesystem::remove_all(plan_.folder);
  // A third falls anywhere, the others where a night begins: there the most is under way.
  for (std::size_t i = 0; i < plan_.deaths; ++i) {
    const auto& morning = mornings_[rng_.below(mornings_.size())];
    auto span = static_cast<std::uint64_t>(morning.due.ms - morning.starts.ms);
    deaths_due_.push_back(
        {morning.starts.ms + static_cast<std::int64_t>(rng_.below(i % 3 == 0 ? span : span / 16))});
  }
  std::ranges::sort(deaths_due_, std::greater<>());
}

NightNode::~NightNode() {
  end_process();
  journal_.reset();
  if (ledger_) caf::anon_send_exit(ledger_, caf::exit_reason::user_shutdown);
  run_actors();
  std::filesystem::remove_all(plan_.folder);
}

void NightNode::run_actors() { dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler()).run(); }

// ---- lives ----

void NightNode::open_journal() {
  journal::SqliteConfig config;
  config.path = (plan_.folder / "troupe.db").string();
  config.power_safe = false;
  auto opened = journal::open_sqlite(config);
  if (!opened) {
    fmt::print(stderr, "the journal cannot be opened: {}\n", opened.error().what);
    std::abort();
  }
  journal_ = std::make_unique<StagedJournal>(std::move(*opened));
}

LocalEndpoint NightNode::endpoint(const std::string& id) {
  LocalEndpoint local;
  local.endpoint.facts.id = id;
  local.endpoint.facts.model = "large";
  local.endpoint.facts.provider = id.starts_with("east") ? "east cloud" : id + " cloud";
  local.endpoint.facts.price = Clouds::price();
  local.endpoint.guard.quota.in_flight_max = plan_.clouds.room;
  local.breaker.endpoint = id;
  local.starter = [this, id](const RunAttempt& order, HttpAttempt::Ended ended) {
    return clouds_.begin(id, order, std::move(ended));
  };
  return local;
}

SupervisorConfig NightNode::cast() {
  SupervisorConfig cast;
  cast.node = "n1";
  cast.restarts_max = 1000;
  for (const auto& id : Clouds::ids()) cast.endpoints.push_back(endpoint(id));
  FeatureConfig feature;
  feature.dispatch.rules = {.feature = "recap", .hierarchy = {"large"}};
  feature.dispatch.rules.work_class = policy::WorkClass::batch;
  feature.dispatch.hedge.enabled = true;
  feature.shadows = {board_, &board_->shadows};
  cast.features.push_back(std::move(feature));
  return cast;
}

void NightNode::begin_process() {
  dead_ = false;
  open_journal();
  board_ = std::make_shared<CastBoard>();
  ledger_ = spawn_ledger(system_, nullptr, journal_.get(), "n1");
  Stage stage;
  stage.clock = &clock_;
  stage.ledger = ledger_;
  stage.board = board_;
  supervisor_ = spawn_supervisor(system_, cast(), std::move(stage));
  run_actors();
  caf::anon_send(supervisor_, Tick{});
  run_actors();
  host_ = std::make_unique<RunHost>();
  host_->start({&system_, &clock_, journal_.get(), "n1", {board_, &board_->queues}, {}, 60s});
  line_up_ = std::make_shared<LineUp>(
      *host_, clock_, [this] { return journal_.get(); }, plan_.line_up);
  auto ports = std::make_shared<recap_night::NightPorts>();
  auto town = [this](auto* as) {
    return std::shared_ptr<std::remove_pointer_t<decltype(as)>>(std::shared_ptr<void>(), &town_);
  };
  recap_night::NightWorld world{town(static_cast<recap_night::NightSource*>(nullptr)),
                                town(static_cast<recap_night::Mailbox*>(nullptr))};
  ports->open = [world](const Json&) { return Result<recap_night::NightWorld>(world); };
  ports->runs = line_up_;
  for (auto& type : recap_night::night_workflows(ports)) host_->add(std::move(type));
  (void)host_->resume();
  run_actors();
}

void NightNode::end_process() {
  if (!host_) return;
  dead_ = true;
  host_->kill();
  caf::anon_send_exit(supervisor_, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(ledger_, caf::exit_reason::user_shutdown);
  journal_->lose();
  run_actors();
  journal_->lose();
  entries_ += journal_->entries();
  host_.reset();
  line_up_.reset();
  supervisor_ = nullptr;
  ledger_ = nullptr;
  board_.reset();
  journal_.reset();
}

void NightNode::die() {
  ++deaths_;
  deaths_in_calls_ += clouds_.next_due() ? 1 : 0;
  // What waited may have reached the disk with nobody left to hear of it.
  if (journal_->waiting() > 0) journal_->commit(rng_.below(journal_->waiting() + 1), false);
  clouds_.caller_died();
  end_process();
  begin_process();
}

// What a schedule does: a night whose time has come and of which the journal knows nothing is begun.
void NightNode::submit_due() {
  for (const auto& morning : mornings_) {
    auto id = night_id(morning);
    if (clock_.wall() < morning.starts || done_.contains(id) || host_->progress(id)) continue;
    auto row = journal_->run(id);
    if (row && *row && (*row)->state == journal::RunState::running) continue;
    if (row && *row && (*row)->state == journal::RunState::done) {
      done_.insert(id);
      continue;
    }
    Json input;
    input["zone"] = morning.zone;
    input["date"] = morning.date;
    input["batch"] = plan_.batch;
    if (!plan_.shared) input["salt"] = morning.zone;
    RunSpec spec;
    spec.workflow = std::string(recap_night::kNight);
    spec.run_id = id;
    spec.input = {dump_json(input)};
    (void)host_->submit(std::move(spec), {});
  }
}

// ---- time ----

void NightNode::pass(Duration span) {
  clock_.pass(span);
  clouds_.answer_due();
  auto now = clock_.wall();
  if (now.ms - ticked_.ms >= kTickMs) {
    ticked_ = now;
    caf::anon_send(supervisor_, Tick{});
    host_->tick();
  }
  if (now.ms - cared_.ms >= kCareMs) {
    cared_ = now;
    host_->wake_due(true);
    (void)host_->resume();
    submit_due();
  }
  run_actors();
}

void NightNode::write_some() {
  journal_->commit(64 + rng_.below(128), true);
  run_actors();
}

Duration NightNode::until_something() {
  if (host_->going() == 0) return std::chrono::seconds(5);
  Duration next =
      std::chrono::milliseconds(std::max<std::int64_t>(1, kTickMs - (clock_.wall().ms - ticked_.ms)));
  if (auto due = clouds_.next_due()) next = std::min(next, *due - clock_.now());
  return std::max<Duration>(next, 1ms);
}

void NightNode::turn() {
  if (!deaths_due_.empty() && deaths_due_.back() <= clock_.wall()) {
    // By turns in the middle of writing and of calls, as soon as there is any; then a while to get on.
    bool midst = deaths_due_.size() % 2 == 0 ? journal_->waiting() > 0 : clouds_.next_due().has_value();
    if (midst && clock_.wall() >= dies_again_) {
      deaths_due_.pop_back();
      dies_again_ = {clock_.wall().ms + 1000 + static_cast<std::int64_t>(rng_.below(20'000))};
      return die();
    }
  }
  if (journal_->waiting() > 0) {
    write_some();
    return pass(2ms);
  }
  pass(until_something());
}

bool NightNode::over() {
  return done_.size() == mornings_.size() || clock_.wall().ms > mornings_.back().due.ms + 6 * 3'600'000;
}

NightFigures NightNode::play() {
  auto wall_began = system_clock().now();
  auto began = clock_.now();
  begin_process();
  while (!over()) turn();
  NightFigures out;
  out.night = clock_.now() - began;
  out.nights = mornings_.size();
  out.nights_done = done_.size();
  out.deaths = deaths_;
  out.deaths_in_calls = deaths_in_calls_;
  out.town = town_.verdict();
  out.clouds = clouds_.bill();
  out.days_wanted = town_.days_wanted();
  out.days_unshared = town_.days_unshared();
  read_results(out);
  read_costs(out);
  out.entries = entries_ + journal_->entries();
  out.took_s = seconds(system_clock().now() - wall_began);
  end_process();
  for (const auto& file : std::filesystem::directory_iterator(plan_.folder))
    out.journal_bytes += file.file_size();
  return out;
}

// ---- what the journal says ----

void NightNode::read_results(NightFigures& out) {
  std::map<std::string, int> answers[2];
  auto rows = journal_->runs(10'000'000, {});
  if (!rows) return;
  out.runs = rows->size();
  for (const auto& row : *rows) {
    bool day = row.workflow == recap_night::kChannelDay, digest = row.workflow == recap_night::kDigest;
    if (row.workflow == recap_night::kNight) out.reports.push_back(row.run_id + " " + row.output);
    if (!day && !digest) continue;
    (day ? out.days_made : out.digests) += row.state == journal::RunState::done ? 1 : 0;
    auto history = journal_->history(row.run_id);
    if (!history) continue;
    for (const auto& entry : *history) {
      if (entry.kind != journal::Kind::result) continue;
      ++(day ? out.day_answers : out.digest_answers);
      ++answers[digest][entry.step_key];
    }
  }
  auto twice = [](const std::map<std::string, int>& of) {
    return static_cast<std::size_t>(
        std::ranges::count_if(of, [](const auto& each) { return each.second > 1; }));
  };
  out.days_twice = twice(answers[0]);
  out.digests_twice = twice(answers[1]);
  if (auto broken = journal_->check()) out.broken_rules = *broken;
}

void NightNode::read_costs(NightFigures& out) {
  auto rows = journal_->usage({});
  auto sums = journal_->cost("cause", {});
  if (!rows || !sums) return;
  for (const auto& sum : *sums) out.ledger_nano_usd += sum.nano_usd;
  std::map<std::pair<std::string, std::string>, CostLine> lines;
  for (const auto& row : *rows) {
    auto work = row.run_id.empty() ? "no run" : row.step_key.substr(0, row.step_key.find('/'));
    auto cause = row.error == to_string(Errc::cancelled) ? row.cause + ", called off" : row.cause;
    auto& line = lines[{work, cause}];
    line.work = work;
    line.cause = cause;
    ++line.attempts;
    line.failed += row.error.empty() ? 0 : 1;
    line.tokens_in += row.usage.input;
    line.tokens_out += row.usage.output;
    line.nano_usd += std::llround(row.usd * 1e9);
  }
  for (auto& [key, line] : lines) out.costs.push_back(std::move(line));
}

std::string night_table(const NightPlan& plan, const NightFigures& f) {
  std::string out =
      fmt::format("night of {} readers, {} channels, {} zones, seed {}: {} deaths, {} with calls under way\n",
                  plan.town.users, plan.town.channels, f.nights, plan.seed, f.deaths, f.deaths_in_calls);
  const auto& town = f.town;
  out += fmt::format("  nights done {} of {}; letters {} for {} who stayed opted in\n", f.nights_done,
                     f.nights, town.letters, town.expected);
  out += fmt::format(
      "  none {}, more than one {}, after 06:00 {}, unwanted {}, forbidden {}, stale {}, old {}\n", town.none,
      town.more, town.late, town.unwanted, town.forbidden, town.stale, town.old);
  out +=
      fmt::format("  repeats a mailbox dropped {}, not condensed {}, with a channel missing {}, empty {}\n",
                  town.repeats_dropped, town.uncondensed, town.with_missing, town.empty);
  out += fmt::format(
      "  channel-days wanted {}, made {} (an edited one has editions), answers recorded {}; each "
      "reader alone: {}\n",
      f.days_wanted, f.days_made, f.day_answers, f.days_unshared);
  out += fmt::format("  digests made {}, answers recorded {}; asked twice: channel-days {}, digests {}\n",
                     f.digests, f.digest_answers, f.days_twice, f.digests_twice);
  out += fmt::format("  {:<10} {:<22} {:>9} {:>8} {:>12} {:>12} {:>12}\n", "work", "cause", "attempts",
                     "failed", "tokens in", "tokens out", "usd");
  std::int64_t sum = 0;
  for (const auto& line : f.costs) {
    out += fmt::format("  {:<10} {:<22} {:>9} {:>8} {:>12} {:>12} {:>12.6f}\n", line.work, line.cause,
                       line.attempts, line.failed, line.tokens_in, line.tokens_out,
                       static_cast<double>(line.nano_usd) * 1e-9);
    sum += line.nano_usd;
  }
  auto ledger = static_cast<double>(f.ledger_nano_usd) * 1e-9;
  out += fmt::format("  {:<10} {:<22} {:>9} {:>8} {:>12} {:>12} {:>12.6f}\n", "not booked",
                     "process died first", f.clouds.unheard, "", "", "", f.clouds.usd - ledger);
  out += fmt::format("  booked {:.9f}, ledger {:.9f}, the clouds' bill {:.9f}\n",
                     static_cast<double>(sum) * 1e-9, ledger, f.clouds.usd);
  const auto& seen = f.clouds;
  out += fmt::format(
      "  the clouds saw {} attempts: {} answered, {} cut short, {} throttled, {} failed, {} called "
      "off\n",
      seen.attempts, seen.answered, seen.cut, seen.refused, seen.failed, seen.cancelled);
  out += fmt::format("  runs {}, entries {}, journal {:.1f} MB, rules of history broken {}\n", f.runs,
                     f.entries, static_cast<double>(f.journal_bytes) / 1e6, f.broken_rules.size());
  out += fmt::format("  {} virtual in {:.1f} s\n", to_human(f.night), f.took_s);
  return out;
}

}  // namespace troupe::actors::testing
