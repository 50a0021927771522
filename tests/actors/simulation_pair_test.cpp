// A thousand seeds of two whole nodes whose wire, disks, providers and processes fail (O7, RUNTIME 4.1, 4.3).
// One seed again:
//   SIMULATION_SEED=417 build/test/tests/actors_test --gtest_filter='SimulatedPair.*'
#include "tests/actors/simulated_pair.hpp"

#include "actors/audit.hpp"
#include "actors/run_entries.hpp"
#include "tests/actors/simulated_work.hpp"
#include "tests/support/shared_store.hpp"

#include <gmock/gmock.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <set>

namespace troupe::actors::testing {
namespace {

// Real journals take their time; a seed of the shared store is ten times cheaper.
constexpr std::uint64_t kSeedsOfTwoStores = 200, kSeedsOfOneStore = 200;

struct PairSeeds {
  std::uint64_t from = 0, to = 0;
};
PairSeeds pair_seeds(std::uint64_t usual) {
  PairSeeds out{0, usual};
  if (const char* one = std::getenv("SIMULATION_SEED")) {
    out.from = std::strtoull(one, nullptr, 10);
    out.to = out.from + 1;
  }
  if (const char* many = std::getenv("SIMULATION_SEEDS"))
    out.to = out.from + std::strtoull(many, nullptr, 10);
  return out;
}

/// A folder in memory where there is one: the disks' faults are ours, and no real disk should add its waits.
class PairFolder {
 public:
  PairFolder() {
    std::filesystem::path base = "/dev/shm";
    if (::access(base.c_str(), W_OK) != 0) base = std::filesystem::temp_directory_path();
    auto name = (base / "troupe_pair_XXXXXX").string();
    path_ = mkdtemp(name.data()) ? name : "";
  }
  ~PairFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// What came of one seed.
struct PairHistory {
  std::vector<std::string> problems;
  PairCounts counts;
  std::uint64_t hash = 0;
  std::size_t taken_over = 0, refused_late = 0, given_up = 0;
};

/// Of five seeds one has runs whose budget may not last: they may end for that reason, and no other.
bool has_small_budget(std::uint64_t seed) { return seed % 5 == 4; }

std::vector<PairWork> pair_work(std::uint64_t seed) {
  std::vector<PairWork> work;
  for (std::size_t node = 0; node < 2; ++node) {
    PairWork each{node, {}};
    each.spec.workflow = kErrand;
    each.spec.run_id = node == 0 ? "run-a" : "run-b";
    each.spec.input.text = each.spec.run_id + " " + std::to_string(1 + seed % 3);
    if (has_small_budget(seed)) each.spec.budget.calls = static_cast<std::int64_t>(6 + seed % 17);
    work.push_back(std::move(each));
  }
  return work;
}

// ---- what must hold of a store afterwards ----

void judge_end(const journal::RunRow& row, const PairWork& work, std::uint64_t seed, PairHistory& history) {
  auto complain = [&](const std::string& what) { history.problems.push_back(row.run_id + ": " + what); };
  if (row.state == journal::RunState::done) {
    if (row.output != errand_expected(errand_shape(work.spec.input).width)) complain("gave " + row.output);
    return;
  }
  bool honest = row.state == journal::RunState::failed && has_small_budget(seed) &&
                row.output.find("budget") != std::string::npos;
  if (!honest) complain(std::string(to_string(row.state)) + ", " + row.output);
  ++history.given_up;
}

/// A run that stops between the intent and the call says so, and that nothing was used: a call that is sent
/// uses one.
bool says_never_sent(const journal::Entry& entry) {
  if (entry.kind != journal::Kind::note) return false;
  auto note = read_note(entry.payload);
  const auto* failed = note ? std::get_if<FailedNote>(&*note) : nullptr;
  return failed != nullptr && !failed->unknown && failed->used.calls == 0;
}

/// Calls of a run and its children.
std::int64_t calls_begun(journal::Journal& store, const std::string& run_id) {
  std::int64_t count = 0;
  std::set<std::string> announced;
  auto entries = store.history(run_id);
  for (const auto& entry : *entries) {
    if (says_never_sent(entry)) count -= static_cast<std::int64_t>(announced.erase(entry.step_key));
    if (entry.kind != journal::Kind::intent) continue;
    auto note = read_intent(entry.payload);
    if (!note || note->of != IntentOf::model) continue;
    announced.insert(entry.step_key);
    ++count;
  }
  auto children = store.children(run_id);
  for (const auto& child : *children) count += calls_begun(store, child.run_id);
  return count;
}

/// Every answer that was recorded is paid once.
void judge_charges(journal::Journal& store, PairHistory& history) {
  std::map<std::string, int> paid;
  auto rows = store.usage({});
  for (const auto& row : *rows)
    if (row.error.empty() && !row.run_id.empty()) ++paid[row.run_id + " " + row.step_key];
  auto runs = store.runs(1000);
  for (const auto& run : *runs) {
    auto entries = store.history(run.run_id);
    for (const auto& entry : *entries)
      if (entry.kind == journal::Kind::result && entry.step_key.starts_with("ask/"))
        --paid[run.run_id + " " + entry.step_key];
  }
  for (const auto& [step, more] : paid)
    if (more != 0) history.problems.push_back(fmt::format("{}: {} charges more than answers", step, more));
}

void judge_store(journal::Journal& store, const std::vector<PairWork>& work, std::uint64_t seed,
                 PairHistory& history) {
  auto audited = audit(store);
  if (!audited) return history.problems.push_back("the audit failed: " + audited.error().what);
  history.problems.insert(history.problems.end(), audited->begin(), audited->end());
  judge_charges(store, history);
  for (const auto& each : work) {
    auto row = store.run(each.spec.run_id);
    if (!row || !*row) continue;  // the other node's
    judge_end(**row, each, seed, history);
    auto cap = each.spec.budget.calls;
    if (auto begun = calls_begun(store, each.spec.run_id); cap > 0 && begun > cap)
      history.problems.push_back(fmt::format("{}: {} calls, {} allowed", each.spec.run_id, begun, cap));
    auto entries = store.history(each.spec.run_id);
    auto signals = std::ranges::count(*entries, journal::Kind::signal_in, &journal::Entry::kind);
    if (signals > 1) history.problems.push_back(each.spec.run_id + ": the signal counted twice");
  }
}

// ---- a seed ----

PairHistory play_pair(SimulatedPair& pair, std::vector<PairWork> work) {
  pair.add({kErrand, errand, {}, {}});
  pair.add({kErrandPart, errand_part, {}, {}});
  PairHistory history;
  history.problems = pair.play(std::move(work), std::chrono::hours(1));
  history.counts = pair.counts();
  history.hash = pair.hash();
  return history;
}

/// Each node with a journal of its own, the real one.
PairHistory simulate_two_stores(std::uint64_t seed, PairFaults faults, const PairFolder& folder,
                                journal::testing::PlantedMistakes mistakes = {}, bool power_safe = true) {
  journal::testing::FileStore a(folder / "a", "a", power_safe), b(folder / "b", "b", power_safe);
  a.mistakes = b.mistakes = mistakes;
  auto work = pair_work(seed);
  SimulatedPair pair(seed, faults, {&a, &b});
  auto history = play_pair(pair, work);
  judge_store(a, work, seed, history);
  judge_store(b, work, seed, history);
  history.counts.power_losses = a.power_losses + b.power_losses;
  return history;
}

/// Both on one store, from which a node takes over what the other leaves behind.
PairHistory simulate_shared_store(std::uint64_t seed, PairFaults faults, bool fences = true) {
  journal::testing::SharedTables tables;
  tables.journal.fences = fences;
  journal::testing::SeatStore a(tables, "a"), b(tables, "b");
  auto work = pair_work(seed);
  SimulatedPair pair(seed, faults, {&a, &b});
  tables.clock = &pair.clock();
  auto history = play_pair(pair, work);
  judge_store(a, work, seed, history);
  history.taken_over = tables.taken_over;
  history.refused_late = tables.refused_late;
  return history;
}

PairFaults faults_of_shared_store() {
  PairFaults faults;
  faults.disk_breaks = 0;
  faults.process_dies = 0.001;
  faults.process_stops = 0.0015;
  return faults;
}

struct PairSums {
  PairCounts counts;
  std::size_t taken_over = 0, refused_late = 0, given_up = 0, seeds = 0;
  void add(const PairHistory& history) {
    const auto& c = history.counts;
    counts.deaths += c.deaths, counts.power_losses += c.power_losses, counts.disks_broken += c.disks_broken;
    counts.partings += c.partings, counts.stops += c.stops, counts.attempts += c.attempts;
    counts.bought_again += c.bought_again, counts.bought_late += c.bought_late;
    taken_over += history.taken_over, refused_late += history.refused_late, given_up += history.given_up;
    ++seeds;
  }
  void print(const char* what) const {
    fmt::print(
        "{}: {} seeds, {} deaths of a process, {} power losses, {} disks broken, {} partings of the wire, "
        "{} processes stopped, {} runs taken over, {} late writes refused, {} attempts, {} bought again "
        "with reason ({} of them late, for nobody), {} runs ended by their budget\n",
        what, seeds, counts.deaths, counts.power_losses, counts.disks_broken, counts.partings, counts.stops,
        taken_over, refused_late, counts.attempts, counts.bought_again, counts.bought_late, given_up);
  }
};

using ::testing::IsEmpty;

TEST(SimulatedPair, EndsRightWhateverFailsAndBuysTwiceOnlyWithReason) {
  auto [from, to] = pair_seeds(kSeedsOfTwoStores);
  PairFolder folder;
  PairSums sums;
  for (auto seed = from; seed < to; ++seed) {
    auto history = simulate_two_stores(seed, {}, folder);
    ASSERT_THAT(history.problems, IsEmpty()) << "seed " << seed;
    sums.add(history);
  }
  sums.print("two nodes, two stores");
  if (sums.seeds < kSeedsOfTwoStores) return;
  // The seeds must have met what they are for.
  EXPECT_GT(sums.counts.deaths, sums.seeds);
  EXPECT_GT(sums.counts.power_losses, sums.seeds / 4);
  EXPECT_GT(sums.counts.disks_broken, sums.seeds / 4);
  EXPECT_GT(sums.counts.partings, sums.seeds);
  EXPECT_GT(sums.counts.bought_again, 0u);
}

TEST(SimulatedPair, OneTakesOverWhatTheOtherLeavesBehind) {  // RUNTIME 4.5, 5.5
  auto [from, to] = pair_seeds(kSeedsOfOneStore);
  PairSums sums;
  for (auto seed = from; seed < to; ++seed) {
    auto history = simulate_shared_store(seed, faults_of_shared_store());
    ASSERT_THAT(history.problems, IsEmpty()) << "seed " << seed;
    sums.add(history);
  }
  sums.print("two nodes, one store");
  if (sums.seeds < kSeedsOfOneStore) return;
  EXPECT_GT(sums.taken_over, sums.seeds / 4);
  EXPECT_GT(sums.refused_late, sums.seeds / 20);
}

TEST(SimulatedPair, TheSameSeedIsTheSameHistory) {
  PairFolder folder;
  for (std::uint64_t seed : {3, 17}) {
    EXPECT_EQ(simulate_two_stores(seed, {}, folder).hash, simulate_two_stores(seed, {}, folder).hash) << seed;
    auto faults = faults_of_shared_store();
    EXPECT_EQ(simulate_shared_store(seed, faults).hash, simulate_shared_store(seed, faults).hash) << seed;
  }
  EXPECT_NE(simulate_two_stores(3, {}, folder).hash, simulate_two_stores(4, {}, folder).hash);
}

// ---- mistakes that it must find ----

constexpr std::uint64_t kFindWithin = 200;

template <class Simulate>
void expect_found(const char* mistake, Simulate simulate) {
  for (std::uint64_t seed = 0; seed < kFindWithin; ++seed) {
    auto problems = simulate(seed).problems;
    if (problems.empty()) continue;
    fmt::print("{}: found by seed {}: {}\n", mistake, seed, problems.front());
    return;
  }
  ADD_FAILURE() << mistake << ": not found";
}

TEST(SimulatedPair, FindsThatRepeatedMessagesAreNotDropped) {
  PairFolder folder;
  PairFaults faults;
  faults.mechanisms.dedup = false;
  expect_found("no dedup", [&](auto seed) { return simulate_two_stores(seed, faults, folder); });
}

TEST(SimulatedPair, FindsThatLateWritersAreNotFenced) {
  expect_found("no fences",
               [](auto seed) { return simulate_shared_store(seed, faults_of_shared_store(), false); });
}

TEST(SimulatedPair, FindsThatCallsGoOutBeforeTheirIntentIsDurable) {
  PairFolder folder;
  journal::testing::PlantedMistakes mistakes{.acknowledges_early = true};
  expect_found("early answers", [&](auto seed) { return simulate_two_stores(seed, {}, folder, mistakes); });
}

TEST(SimulatedPair, FindsThatAnswersAreNotCharged) {
  PairFolder folder;
  journal::testing::PlantedMistakes mistakes{.forgets_usage = true};
  expect_found("no charges", [&](auto seed) { return simulate_two_stores(seed, {}, folder, mistakes); });
}

TEST(SimulatedPair, FindsThatTheJournalDoesNotSync) {
  PairFolder folder;
  expect_found("no fsync", [&](auto seed) { return simulate_two_stores(seed, {}, folder, {}, false); });
}

}  // namespace
}  // namespace troupe::actors::testing
