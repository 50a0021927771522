// Who gets which arm (B7, E4-E6): shares, stickiness, independence, and what makes a rule unsound.
#include "runtime/policy/experiment.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/policy/exposure.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <set>

namespace troupe::policy {
namespace {

constexpr WallTime kNoon{1'700'000'000'000};
constexpr std::uint64_t kMillion = 1'000'000;

Experiment experiment_of(std::string name, double percent = 100) {
  Experiment x;
  x.name = std::move(name);
  x.slice.percent = percent;
  x.arms = {{"new", "large", 0.5}, {"old", "", 0.5}};
  return x;
}
std::string tenant_name(std::uint64_t i) { return "T" + std::to_string(i); }
// |seen - n p| within five standard deviations: one chance in two million for a fair deal.
void expect_binomial(std::uint64_t seen, double n, double p) {
  EXPECT_NEAR(static_cast<double>(seen), n * p, 5 * std::sqrt(n * p * (1 - p)));
}

TEST(Assignment, SharesOfAMillionUnitsAreWithinBinomialBounds) {
  auto x = experiment_of("x", 30);
  x.arms = {{"a", "m", 0.1}, {"b", "n", 0.3}, {"c", "", 0.6}};
  ExperimentRules rules({x});
  std::map<std::string, std::uint64_t> seen;
  Assignment found;
  for (std::uint64_t i = 0; i < kMillion; ++i) {
    auto tenant = tenant_name(i);
    if (assign(rules, {.unit = {.tenant = tenant}}, kNoon, {&found, 1}) == 1) ++seen[found.arm->name];
  }
  auto in = seen["a"] + seen["b"] + seen["c"];
  expect_binomial(in, kMillion, 0.3);
  expect_binomial(seen["a"], static_cast<double>(in), 0.1);
  expect_binomial(seen["b"], static_cast<double>(in), 0.3);
}

TEST(Assignment, WhoIsInAtFivePercentIsInAtTenAndKeepsItsArm) {
  ExperimentRules five({experiment_of("x", 5)}), ten({experiment_of("x", 10)});
  std::uint64_t in_five = 0, in_ten = 0;
  for (std::uint64_t i = 0; i < kMillion; ++i) {
    auto tenant = tenant_name(i);
    Assignment a, b;
    bool was = assign(five, {.unit = {.tenant = tenant}}, kNoon, {&a, 1}) == 1;
    bool is = assign(ten, {.unit = {.tenant = tenant}}, kNoon, {&b, 1}) == 1;
    ASSERT_FALSE(was && !is) << tenant;
    if (was) {
      ASSERT_EQ(a.arm->name, b.arm->name) << tenant;
    }
    in_five += was;
    in_ten += is;
  }
  expect_binomial(in_five, kMillion, 0.05);
  expect_binomial(in_ten, kMillion, 0.1);
}

TEST(Assignment, WithoutStickinessATenthOfTheUnitsWouldChangeSidesAtEachRequest) {
  // The ablation: assignment by request instead of by tenant.
  auto x = experiment_of("x", 10);
  x.unit = UnitKind::request;
  ExperimentRules rules({x});
  int changed = 0;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    Assignment found;
    bool first = assign(rules, {.unit = {.tenant = "T", .request = 2 * i}}, kNoon, {&found, 1}) == 1;
    bool second = assign(rules, {.unit = {.tenant = "T", .request = 2 * i + 1}}, kNoon, {&found, 1}) == 1;
    changed += first != second;
  }
  EXPECT_GT(changed, 1500);  // 2 * 0.1 * 0.9
}

TEST(Assignment, LayersAreIndependentAndExperimentsOfOneLayerExclusive) {
  auto a = experiment_of("a", 50), b = experiment_of("b", 50), c = experiment_of("c", 50);
  b.slice.from = 50;
  c.layer = "other";
  for (auto* each : {&a, &b, &c}) each->arms = {{"x", "", 0.5}, {"y", "", 0.5}};
  ExperimentRules rules({a, b, c});
  std::vector<std::uint64_t> table(3 * 3);
  for (std::uint64_t i = 0; i < kMillion; ++i) {
    auto tenant = tenant_name(i);
    std::array<Assignment, 8> found;
    auto count = assign(rules, {.unit = {.tenant = tenant}}, kNoon, found);
    std::size_t row = 0, column = 0, in_default = 0;
    for (std::size_t k = 0; k < count; ++k) {
      const auto& name = found[k].rule->experiment.name;
      auto arm = found[k].arm->name == "x" ? 0u : 1u;
      if (name == "a") row = 1 + arm;
      if (name == "c") column = 1 + arm;
      in_default += name != "c";
    }
    ASSERT_EQ(in_default, 1u);  // the two halves of the default layer: one of them, never both
    ++table[row * 3 + column];
  }
  EXPECT_GT(independence_p(table, 3), 1e-4);
}

TEST(Assignment, OneNamespaceForTwoExperimentsWouldTieThemTogether) {
  std::vector<std::uint64_t> table(4), tied(4);
  auto one = namespace_hash("one", ""), two = namespace_hash("two", "");
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    auto unit = unit_hash({.tenant = tenant_name(i)}, UnitKind::tenant);
    auto half = [&](std::uint64_t space) { return unit_point(space, unit) < 0.5 ? 0u : 1u; };
    ++table[half(one) * 2 + half(two)];
    ++tied[half(one) * 2 + half(one)];
  }
  EXPECT_GT(independence_p(table, 2), 1e-4);
  EXPECT_LT(independence_p(tied, 2), 1e-12);
}

// The check of the check: over many salts the p-values are spread evenly (E4).
TEST(Assignment, MismatchChancesAreUniformOverSalts) {
  constexpr int rounds = 400, units = 2000;
  std::vector<std::uint64_t> deciles(10);
  const std::vector<double> shares{0.5, 0.5};
  for (int round = 0; round < rounds; ++round) {
    auto x = experiment_of("x");
    x.salt = std::to_string(round);
    ExperimentRules rules({x});
    std::vector<std::uint64_t> counts(2);
    for (std::uint64_t i = 0; i < units; ++i)
      ++counts[&rules.rules()[0].arm_of(unit_hash({.tenant = tenant_name(i)}, UnitKind::tenant)) !=
               rules.rules()[0].experiment.arms.data()];
    auto p = sample_ratio_p(counts, shares);
    ++deciles[std::min<std::size_t>(9, static_cast<std::size_t>(p * 10))];
  }
  EXPECT_GT(sample_ratio_p(deciles, std::vector<double>(10, 0.1)), 1e-4);
}

TEST(SampleRatio, SeesOneArmLosingAFewOfItsUnits) {
  const std::vector<double> shares{0.5, 0.5};
  EXPECT_GT(sample_ratio_p(std::vector<std::uint64_t>{50'100, 49'900}, shares), 0.1);
  EXPECT_LT(sample_ratio_p(std::vector<std::uint64_t>{50'000, 48'500}, shares), 1e-5);
  EXPECT_EQ(sample_ratio_p(std::vector<std::uint64_t>{0, 0}, shares), 1);
}

// Abramowitz and Stegun, table 26.8, and the closed form exp(-x/2) for two degrees of freedom.
TEST(ChiSquare, AgreesWithTheTablesAndTheClosedForm) {
  for (auto [x, degrees, p] :
       {std::tuple(3.841458820694124, 1.0, 0.05), std::tuple(6.634896601021213, 1.0, 0.01),
        std::tuple(11.07049769351635, 5.0, 0.05), std::tuple(18.307038053275146, 10.0, 0.05),
        std::tuple(124.34211340400407, 100.0, 0.05)})
    EXPECT_NEAR(chi_square_tail(x, degrees), p, 1e-9) << x;
  for (double x : {0.01, 1.0, 3.9, 4.1, 20.0, 200.0})
    EXPECT_NEAR(chi_square_tail(x, 2) / std::exp(-x / 2), 1, 1e-9) << x;
  EXPECT_EQ(chi_square_tail(0, 3), 1);
  EXPECT_LT(chi_square_tail(1e4, 3), 1e-300);
}

TEST(Assignment, FollowsThePredicate) {
  auto x = experiment_of("x");
  x.predicate = {{"recap"}, {"acme"}, {"de"}, 100, 200};
  x.begins = kNoon;
  x.ends = {kNoon.ms + 1000};
  ExperimentRules rules({x});
  auto in = [&](RequestFacts facts, WallTime wall = kNoon) {
    Assignment found;
    return assign(rules, facts, wall, {&found, 1}) == 1;
  };
  RequestFacts good{"recap", "de", {.tenant = "acme"}, 150};
  EXPECT_TRUE(in(good));
  EXPECT_FALSE(in(good, {kNoon.ms - 1}));
  EXPECT_FALSE(in(good, x.ends));
  for (auto change :
       {+[](RequestFacts& f) { f.feature = "other"; }, +[](RequestFacts& f) { f.language = "en"; },
        +[](RequestFacts& f) { f.unit.tenant = "other"; }, +[](RequestFacts& f) { f.input_tokens = 99; },
        +[](RequestFacts& f) { f.input_tokens = 201; }}) {
    auto bad = good;
    change(bad);
    EXPECT_FALSE(in(bad));
  }
}

TEST(Assignment, AUserMovesAloneATenantTogether) {
  EXPECT_EQ(unit_hash({"acme", "ann"}, UnitKind::tenant), unit_hash({"acme", "bob"}, UnitKind::tenant));
  EXPECT_NE(unit_hash({"acme", "ann"}, UnitKind::user), unit_hash({"acme", "bob"}, UnitKind::user));
  EXPECT_NE(unit_hash({"acme", "ann"}, UnitKind::user), unit_hash({"other", "ann"}, UnitKind::user));
  EXPECT_EQ(unit_hash({"acme", ""}, UnitKind::user), unit_hash({"acme", ""}, UnitKind::tenant));
  // Written down once: another build or node must not deal the units anew.
  EXPECT_EQ(unit_hash({"acme", "ann"}, UnitKind::user), 17264104283024884787u);
}

TEST(Experiment, AVersionChangesWithWhateverDecides) {
  auto version = [](const Experiment& x) { return ExperimentRules({x}).rules()[0].version; };
  auto x = experiment_of("x");
  auto same = version(x);
  x.ends = {1};  // when it ends decides nothing about who is in it
  EXPECT_EQ(version(x), same);
  std::set<std::uint64_t> seen{same};
  for (auto change :
       {+[](Experiment& e) { e.salt = "s"; }, +[](Experiment& e) { e.arms[0].share = 0.4; },
        +[](Experiment& e) { e.slice.percent = 7; }, +[](Experiment& e) { e.arms[0].model = "m"; },
        +[](Experiment& e) { e.predicate.tenants = {"acme"}; }}) {
    auto other = experiment_of("x");
    change(other);
    EXPECT_TRUE(seen.insert(version(other)).second);
  }
}

TEST(Experiment, UnsoundRulesAreRefusedWithTheReason) {
  auto complaint = [](std::vector<Experiment> all) { return validate(all).value_or(""); };
  auto a = experiment_of("a", 50), b = experiment_of("b", 50);
  EXPECT_NE(complaint({a, b}).find("overlap in layer default"), std::string::npos);
  b.slice.from = 50;
  EXPECT_EQ(complaint({a, b}), "");
  b.unit = UnitKind::user;
  EXPECT_NE(complaint({a, b}).find("same unit"), std::string::npos);
  b = experiment_of("b");
  b.layer = "other";
  EXPECT_NE(complaint({a, b}).find("both choose the model"), std::string::npos);
  b.predicate.features = {"recap"};
  a.predicate.features = {"summary"};
  EXPECT_EQ(complaint({a, b}), "");
  a.arms[0].share = 0.6;
  EXPECT_NE(complaint({a}).find("sum to 1.1"), std::string::npos);
  a.arms.resize(1);
  EXPECT_NE(complaint({a}).find("1 arms"), std::string::npos);
  auto late = experiment_of("late");
  late.begins = {2};
  late.ends = {1};
  EXPECT_NE(complaint({late}).find("ends before"), std::string::npos);
  auto wide = experiment_of("wide", 101);
  EXPECT_NE(complaint({wide}).find("101 percent"), std::string::npos);
  std::vector<Experiment> many;
  for (std::size_t i = 0; i <= kExperimentsMax; ++i) many.push_back(experiment_of(std::to_string(i), 0));
  EXPECT_NE(complaint(many).find("at most 256"), std::string::npos);
}

// E5: whatever the percentage says, no request reaches a model that nobody signed for.
TEST(Experiment, AnUnsignedOrStoppedModelTakesTheWholeExperimentOut) {
  ExperimentRules rules({experiment_of("x")});
  Controls controls;
  controls.sign_offs.add(Checklist{"customer", {}, {"legal"}});
  auto count = [&](std::string_view data_class) {
    int assigned = 0;
    for (std::uint64_t i = 0; i < 1000; ++i) {
      auto tenant = tenant_name(i);
      assigned += assign_model(rules, controls, {.unit = {.tenant = tenant}}, data_class, kNoon).assigned();
    }
    return assigned;
  };
  EXPECT_EQ(count(""), 1000);  // data that needs no sign-off: the bad outcome with the gate off
  EXPECT_EQ(count("customer"), 0);
  EXPECT_EQ(halted_by(rules.rules()[0], controls, "customer", kNoon),
            "model large has no legal sign-off for customer data");
  controls.sign_offs.add(SignOff{Signed::model, "large", "legal", {}, {}, {}});
  EXPECT_EQ(count("customer"), 1000);
  Stop stop{.subject = Subject::experiment, .name = "x", .order = {"ann", "", kNoon}, .stamp = {1, "a"}};
  absorb(controls, stop);
  EXPECT_EQ(count("customer"), 0);
  EXPECT_EQ(halted_by(rules.rules()[0], controls, "customer", kNoon), "experiment x is stopped by ann");
}

TEST(ExposureMemory, LogsATenantOnceAndARequestAlways) {
  ExperimentRules by_tenant({experiment_of("x")});
  auto request = experiment_of("x");
  request.unit = UnitKind::request;
  ExperimentRules by_request({request});
  ExposureMemory memory(2);
  Assignment a{&by_tenant.rules()[0], nullptr, 1}, b{&by_tenant.rules()[0], nullptr, 2};
  EXPECT_TRUE(memory.first(a));
  EXPECT_FALSE(memory.first(a));
  EXPECT_TRUE(memory.first(b));
  EXPECT_TRUE(memory.first(a));  // beyond its bound it forgets, and the journal keeps one row
  Assignment c{&by_request.rules()[0], nullptr, 1};
  EXPECT_TRUE(memory.first(c));
  EXPECT_TRUE(memory.first(c));
}

}  // namespace
}  // namespace troupe::policy
