// What differs between two configurations, and what each difference takes: every option there is, one by one,
// so that a new one must be thought about (C1, C13).
#include "runtime/config/changes.hpp"

#include "runtime/config/fields.hpp"
#include "runtime/config/words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace troupe::config {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Names = std::set<std::string>;

/// Changes the option of number `at`, counted as they are described, and says its key.
class OptionChanger {
 public:
  OptionChanger(std::size_t at, std::string key, std::size_t& seen, std::string& changed)
      : at_(at), key_(std::move(key)), seen_(seen), changed_(changed) {}
  template <class T>
  void operator()(const char* key, T& value) {
    OptionChanger(at_, key_.empty() ? key : key_ + "." + key, seen_, changed_).visit(value);
  }
  template <class T>
  void list(const char* key, std::vector<T>& values, const T&) {
    (*this)(key, values);
  }

 private:
  bool mine() {
    if (seen_++ != at_) return false;
    changed_ = key_;
    return true;
  }
  void visit(std::string& value) {
    if (mine()) value += "x";
  }
  void visit(SecretRef& value) {
    if (mine()) value.reference += "x";
  }
  void visit(JsonValue& value) {
    if (mine()) value.text += " ";
  }
  void visit(bool& value) {
    if (mine()) value = !value;
  }
  void visit(double& value) {
    if (mine()) value += 0.125;
  }
  void visit(Duration& value) {
    if (mine()) value += Duration(1);
  }
  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) void visit(T& value) {
    if (mine()) ++value;
  }
  template <class T>
  requires std::is_enum_v<T>
  void visit(T& value) {
    if (mine()) value = Words<T>::all[Words<T>::all[0] == value ? 1 : 0];
  }
  template <class T>
  void visit(std::vector<T>& values) {
    if (values.empty()) values.emplace_back();
    OptionChanger(at_, key_ + "[]", seen_, changed_).visit(values.front());
  }
  template <class T>
  void visit(std::map<std::string, T>& values) {
    if (values.empty()) values["one"];
    OptionChanger(at_, key_ + ".*", seen_, changed_).visit(values.begin()->second);
  }
  template <class T>
  requires std::is_class_v<T>
  void visit(T& value) { fields(*this, value); }

  std::size_t at_;
  std::string key_;
  std::size_t& seen_;
  std::string& changed_;
};

/// The demo with an entry in every list and map, and the same with one option changed. Empty key: there are
/// no more.
struct OnePair {
  std::string key;
  Config before, after;
};
OnePair pair_of(std::size_t at) {
  OnePair out;
  std::size_t seen = 0;
  std::string none;
  static const auto demo = demo_config();
  out.before = demo;
  out.before.features.begin()->second.shadow.model = "m";
  OptionChanger filler(SIZE_MAX, {}, seen, none);
  fields(filler, out.before);
  out.after = out.before;
  seen = 0;
  OptionChanger changer(at, {}, seen, out.key);
  fields(changer, out.after);
  return out;
}

bool in_rest(std::string_view key) {
  for (std::string_view section : {"node", "store", "cluster", "http", "tenants", "tools", "workflows",
                                   "schedules", "telemetry", "simulator"})
    if (key.starts_with(section)) return true;
  return key.find(".auth.") != std::string_view::npos || key.find(".budget.") != std::string_view::npos;
}

TEST(ConfigChanges, EveryOptionThereIsWasThoughtAbout) {
  for (const auto& key : known_keys()) EXPECT_TRUE(takes(key)) << key << " is in no row of kTakes";
  EXPECT_FALSE(takes("features.*.novelty"));
  EXPECT_FALSE(takes("rollouts.*.novelty"));
  EXPECT_FALSE(takes("endpoints.novelty"));
  EXPECT_FALSE(takes("nodes"));
}

TEST(ConfigChanges, EveryOptionThatDiffersIsSeenAndTakesWhatItsRowSays) {
  std::set<std::string> seen;
  for (std::size_t at = 0;; ++at) {
    auto [key, before, after] = pair_of(at);
    if (key.empty()) break;
    seen.insert(key);
    auto changes = changes_between(before, after);
    auto what = takes(key);
    ASSERT_TRUE(what) << key;
    ASSERT_THAT(changes.options, ::testing::Not(IsEmpty())) << key;
    EXPECT_EQ(!changes.fixed.empty(), *what == Takes::restart) << key << " " << changes.fixed.size();
    EXPECT_EQ(in_rest(key), *what == Takes::restart) << key;
    bool candidate = *what == Takes::candidate;
    bool queue = *what == Takes::routing || *what == Takes::share || candidate;
    bool endpoint = *what == Takes::endpoint || *what == Takes::provider;
    EXPECT_TRUE(!queue || !changes.features.empty()) << key;
    EXPECT_EQ(!changes.shadows.empty(), *what == Takes::shadow || candidate) << key;
    EXPECT_TRUE(*what != Takes::rollout || changes.rollouts.changed.size() == 1) << key;
    EXPECT_EQ(changes.leads, *what == Takes::leads) << key;
    EXPECT_TRUE(*what != Takes::sign_off || changes.sign_offs) << key;
    EXPECT_EQ(!changes.endpoints.empty(), endpoint) << key << ": " << to_text(changes);
  }
  auto known = known_keys();
  EXPECT_EQ(seen, known);
}

ConfigChanges changes(const std::function<void(Config&)>& change) {
  auto before = demo_config();
  auto after = before;
  change(after);
  return changes_between(before, after);
}
std::vector<std::string> paths(const ConfigChanges& changes) {
  std::vector<std::string> out;
  for (const auto& each : changes.options) out.push_back(each.path);
  return out;
}

TEST(ConfigChanges, AreNamedByTheirPathsAndEndpointsByTheirIds) {
  EXPECT_TRUE(changes([](Config&) {}).empty());
  EXPECT_THAT(
      paths(changes([](Config& c) { c.features["recap"].route.pools = policy::Pools::on_demand_only; })),
      ElementsAre("features.recap.route.pools"));
  auto id = demo_config().endpoints.list[2].id;
  EXPECT_THAT(paths(changes([](Config& c) {
                c.endpoints.list[2].model = "other";
                c.http.timeouts.connect += Duration(1);
              })),
              ElementsAre("endpoints.list[" + id + "].model", "http.timeouts.connect"));
}

TEST(ConfigChanges, TheOrderOfEndpointsSaysNothing) {
  EXPECT_TRUE(
      changes([](Config& c) { std::swap(c.endpoints.list.front(), c.endpoints.list.back()); }).empty());
}

TEST(ConfigChanges, OfOneEndpointConcernThatEndpointAlone) {  // the rest keeps its buckets and breakers
  auto demo = demo_config();
  auto id = demo.endpoints.list[1].id;
  auto limits = changes([](Config& c) { c.endpoints.list[1].limits.in_flight_max += 1; });
  EXPECT_EQ(limits.endpoints.changed, Names{id});
  EXPECT_TRUE(limits.endpoints.added.empty());
  EXPECT_TRUE(limits.features.empty());
  auto more = changes([](Config& c) {
    c.endpoints.list.push_back(c.endpoints.list[1]);
    c.endpoints.list.back().id = "new";
    c.endpoints.list.erase(c.endpoints.list.begin());
  });
  EXPECT_EQ(more.endpoints.added, Names{"new"});
  EXPECT_EQ(more.endpoints.removed, Names{demo.endpoints.list[0].id});
  EXPECT_TRUE(more.endpoints.changed.empty()) << "those behind it moved up, and are the same";
}

TEST(ConfigChanges, OfAProviderConcernItsEndpoints) {
  auto demo = demo_config();
  auto provider = demo.endpoints.list[0].provider;
  Names its;
  for (const auto& each : demo.endpoints.list)
    if (each.provider == provider) its.insert(each.id);
  ASSERT_LT(its.size(), demo.endpoints.list.size());
  EXPECT_EQ(changes([&](Config& c) { c.providers[provider].warm_connections += 1; }).endpoints.changed, its);
  auto auth = changes([&](Config& c) { c.providers[provider].auth.profile = "other"; });
  ASSERT_EQ(auth.fixed.size(), 1u);
  EXPECT_THAT(auth.fixed[0], ::testing::StartsWith("providers." + provider + ".auth.profile"));
  auto fresh = changes([&](Config& c) {
    c.providers["new"] = c.providers[provider];
    c.providers["new"].auth.profile = "other";
  });
  EXPECT_THAT(fresh.fixed, IsEmpty()) << "a new provider brings its own credentials";
  EXPECT_TRUE(fresh.endpoints.empty());
}

TEST(ConfigChanges, OfAPriceConcernTheEndpointsThatHaveIt) {
  auto priced = changes([](Config& c) { c.endpoints.list[0].price.input += 1; });
  EXPECT_EQ(priced.endpoints.changed, Names{demo_config().endpoints.list[0].id});
  auto listed = changes([](Config& c) { c.endpoints.list[0].tariff.rows.push_back({.from = "2027-01-01"}); });
  EXPECT_EQ(listed.endpoints.changed, Names{demo_config().endpoints.list[0].id}) << "a price of next year";
}

Config with_rollout() {
  auto config = demo_config();
  config.features["a"] = config.features["a.b"] = config.features["recap"];
  config.rollouts["r"].feature = "recap";
  config.rollouts["r"].model = config.features["recap"].hierarchy[0];
  return config;
}

TEST(ConfigChanges, OfARolloutConcernItsFeatureAndOnlyIfUnitsAreDealtAnew) {
  auto before = demo_config(), after = before;
  before.features["a"] = after.features["a"] = before.features["recap"];
  after.rollouts["r"] = with_rollout().rollouts["r"];
  auto begun = changes_between(before, after);
  EXPECT_EQ(begun.rollouts.added, Names{"r"});
  EXPECT_EQ(begun.features, Names{"recap"});
  EXPECT_THAT(begun.redealt, IsEmpty());
  before = after;
  after.rollouts["r"].policy.dwell += Duration(1);
  auto slower = changes_between(before, after);
  EXPECT_EQ(slower.rollouts.changed, Names{"r"});
  EXPECT_THAT(slower.features, IsEmpty());
  EXPECT_THAT(slower.redealt, IsEmpty());
  after.rollouts["r"].feature = "a";
  auto moved = changes_between(before, after);
  EXPECT_EQ(moved.redealt, Names{"r"});
  EXPECT_EQ(moved.features, (Names{"a", "recap"}));
}

TEST(ConfigChanges, OfAShadowsModelMakeTheQueueAnewThatHoldsItBack) {  // B5
  auto before = demo_config();
  auto& recap = before.features["recap"];
  auto begun =
      changes([](Config& c) { c.features["recap"].shadow.model = c.features["recap"].hierarchy[1]; });
  EXPECT_EQ(begun.shadows.added, Names{"recap"});
  EXPECT_EQ(begun.features, Names{"recap"});
  recap.shadow.model = recap.hierarchy[1];
  auto ended = changes_between(before, demo_config());
  EXPECT_EQ(ended.shadows.removed, Names{"recap"});
  EXPECT_EQ(ended.features, Names{"recap"}) << "its model is a backup like any other again";
}

TEST(ConfigChanges, OfTheRestOfAShadowLeaveTheFeaturesQueueAlone) {
  auto before = demo_config();
  before.features["recap"].shadow.model = before.features["recap"].hierarchy[1];
  auto after = before;
  after.features["recap"].shadow.policy.share = 0.5;
  auto slower = changes_between(before, after);
  EXPECT_EQ(slower.shadows.changed, Names{"recap"});
  EXPECT_THAT(slower.features, IsEmpty());
  EXPECT_TRUE(changes([](Config& c) { c.features["recap"].shadow.policy.share = 0.5; }).shadows.empty())
      << "there is none";
}

TEST(ConfigChanges, FindTheFeatureMeantAmongThoseWithDotsInTheirNames) {
  auto before = with_rollout(), after = before;
  after.features["a.b"].admission.queued_max += 1;
  EXPECT_EQ(changes_between(before, after).features, Names{"a.b"});
  after = before;
  after.features["a"].admission.queued_max += 1;
  EXPECT_EQ(changes_between(before, after).features, Names{"a"});
}

TEST(ConfigChanges, OfSharesConcernAllFeaturesWhereThereIsALimitForAll) {  // C6: they take from one tree
  auto before = with_rollout(), after = before;
  after.features["a"].share.guaranteed_tokens_per_minute = 5;
  auto free = changes_between(before, after);
  EXPECT_FALSE(free.shares) << "nothing is shared without a limit";
  EXPECT_EQ(free.features, Names{"a"});
  before.node.tokens_per_minute = after.node.tokens_per_minute = 1000;
  auto shared = changes_between(before, after);
  EXPECT_TRUE(shared.shares);
  EXPECT_EQ(shared.features.size(), after.features.size());
}

TEST(ConfigChanges, FeaturesComeAndGoWithARestart) {
  EXPECT_THAT(changes([](Config& c) { c.features["new"]; }).fixed, ElementsAre("features.new"));
  EXPECT_THAT(changes([](Config& c) { c.features.erase("recap"); }).fixed, ElementsAre("features.recap"));
}

TEST(ConfigChanges, AHierarchyUnderABudgetMayChangeBehindTheCheaperModel) {
  auto before = demo_config();
  auto& feature = before.features["recap"];
  feature.budget.policy.usd_per_day = 10;
  feature.budget.model = feature.hierarchy.back();
  auto after = before;
  after.features["recap"].hierarchy.push_back("candidate");
  EXPECT_THAT(changes_between(before, after).fixed, IsEmpty());
  auto& moved = after.features["recap"].hierarchy;
  std::swap(moved.front(), moved[moved.size() - 2]);
  EXPECT_THAT(changes_between(before, after).fixed,
              Contains(::testing::StartsWith("features.recap.hierarchy")));
}

TEST(ConfigChanges, SayWhatIsMadeAnew) {
  auto text = to_text(changes([](Config& c) {
    c.endpoints.list[0].limits.in_flight_max += 1;
    c.features["recap"].shadow.model = "candidate";
  }));
  EXPECT_EQ(text, "endpoints ~" + demo_config().endpoints.list[0].id + "; shadows +recap; queues recap");
  EXPECT_EQ(to_text(ConfigChanges{}), "");
}

}  // namespace
}  // namespace troupe::config
