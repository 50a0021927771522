// Sign-offs, experiments, rollouts and shadows as a file says them: what becomes of them, and what is
// refused.
#include "runtime/config/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::config {
namespace {

using ::testing::HasSubstr;

constexpr const char* kClouds = R"(
providers:
  aws: {base_url: simulator, region: us-east-1, sign_offs: [{kind: legal, expires: 2027-01-31}]}
  gcp: {base_url: simulator, region: us-east4, sign_offs: [{kind: legal}]}
models:
  large: {sign_offs: [{kind: quality, data_classes: [customer]}]}
  small: {sign_offs: [{kind: quality}]}
  unsigned: {}
simulator: {endpoints: [{name: a}, {name: b}, {name: c}]}
tenants:
  acme: {cohorts: [beta]}
  other: {}
)";
constexpr const char* kEndpoints = R"(
endpoints:
  data_classes: {customer: {provider: [legal], model: [quality]}}
  list:
    - {id: a, provider: aws, model: large}
    - {id: b, provider: gcp, model: small}
    - {id: c, provider: gcp, model: unsigned}
)";
constexpr const char* kFeature = R"(
features:
  recap: {hierarchy: [large, small, unsigned], data_class: customer}
)";

Result<Config> parse(const std::string& more, const std::string& feature = kFeature) {
  return parse_config(std::string(kClouds) + kEndpoints + feature + more, "x.yaml");
}
std::string complaint(const std::string& more, const std::string& feature = kFeature) {
  auto config = parse(more, feature);
  return config ? "" : config.error().what;
}

TEST(LeadConfig, BecomesRulesThatRoutingReads) {
  auto config = parse(R"(
experiments:
  x: {percent: 20, cohorts: [beta], features: [recap], ends: 2027-02-01,
      arms: [{name: new, model: small}, {name: old}]}
)");
  ASSERT_TRUE(config) << config.error().what;
  auto rules = lead_rules_of(*config);
  ASSERT_EQ(rules.experiments.rules().size(), 1u);
  const auto& x = rules.experiments.rules()[0].experiment;
  EXPECT_EQ(x.predicate.tenants, std::vector<std::string>{"acme"});
  EXPECT_EQ(x.ends.ms, 1'801'440'000'000);
  auto sign_offs = sign_offs_of(*config);
  auto never = [](std::string_view) { return false; };
  EXPECT_FALSE(sign_offs.missing({"a", "aws", "large", "customer"}, {1'801'353'599'999}, never));
  EXPECT_TRUE(sign_offs.missing({"a", "aws", "large", "customer"}, {1'801'353'600'000}, never));
}

TEST(LeadConfig, AModelThatIsOnlyTriedOutIsNoBackup) {  // C10, B5
  std::string rollout = "rollouts: {r: {feature: recap, model: small}}\n";
  std::string feature = "features: {recap: {hierarchy: [large, small]}}\n";
  std::string shadowed =
      "features: {recap: {hierarchy: [large, small], "
      "shadow: {model: small, share: 1, tokens_per_hour: 9, usd_per_hour: 1}}}\n";
  EXPECT_EQ(complaint("", feature), "") << "two clouds";
  for (const auto& tried : {complaint(rollout, feature), complaint("", shadowed)}) {
    EXPECT_THAT(tried,
                HasSubstr("features.recap.hierarchy: every endpoint is in one failure domain (provider "
                          "aws, region us-east-1), but for model small, which is only tried out"));
  }
  EXPECT_EQ(complaint(rollout, "features: {recap: {hierarchy: [large, small, unsigned]}}\n"), "");
  EXPECT_EQ(complaint(rollout, "features: {recap: {hierarchy: [small, large]}}\n"), "")
      << "it serves already";
}

TEST(LeadConfig, ACohortOfNobodyIsNobody) {
  auto config = parse("experiments: {x: {percent: 20, cohorts: [none], arms: [{name: a}, {name: b}]}}");
  ASSERT_TRUE(config) << config.error().what;
  auto rules = lead_rules_of(*config);
  policy::Assignment found;
  EXPECT_EQ(
      policy::assign(rules.experiments, {.feature = "recap", .unit = {.tenant = "acme"}}, {1}, {&found, 1}),
      0u);
}

TEST(LeadConfig, ARolloutIsJudgedByTheFirstNodeUnlessItNamesOne) {
  auto config = parse("rollouts: {r: {feature: recap, model: small}}");
  ASSERT_TRUE(config) << config.error().what;
  EXPECT_EQ(rollout_home(*config, config->rollouts.at("r")), "local");
  config->cluster.peers.push_back({"a", "", ""});
  EXPECT_EQ(rollout_home(*config, config->rollouts.at("r")), "a");
  config->rollouts.at("r").home = "b";
  EXPECT_EQ(rollout_home(*config, config->rollouts.at("r")), "b");
}

TEST(LeadConfig, AModelNobodySignedForIsRefusedWithTheReason) {  // E5, B4
  auto lacks = HasSubstr("model unsigned has no quality sign-off for customer data");
  EXPECT_THAT(complaint("experiments: {x: {percent: 20, arms: [{name: a, model: unsigned}, {name: b}]}}"),
              lacks);
  EXPECT_THAT(complaint("rollouts: {r: {feature: recap, model: unsigned}}"), lacks);
  std::string open = "\nfeatures: {recap: {hierarchy: [large, small, unsigned]}}\n";
  EXPECT_EQ(complaint("rollouts: {r: {feature: recap, model: unsigned}}", open), "");
  EXPECT_THAT(
      complaint("", "\nfeatures: {recap: {hierarchy: [unsigned, large, small], data_class: secret}}\n"),
      HasSubstr("there is no data class \"secret\""));
  EXPECT_THAT(complaint("",
                        "\nfeatures: {recap: {hierarchy: [large, small], shadow: {model: unsigned}, "
                        "data_class: customer}}\n"),
              lacks);
}

TEST(LeadConfig, MistakesAreToldWithTheirPlace) {
  EXPECT_THAT(complaint("experiments: {x: {ends: soon, arms: [{name: a}, {name: b}]}}"),
              HasSubstr("experiments.x.ends: must be a day"));
  EXPECT_THAT(complaint("experiments: {x: {ends: 2027-02-30, arms: [{name: a}, {name: b}]}}"),
              HasSubstr("must be a day"));
  EXPECT_THAT(complaint("experiments: {x: {features: [recpa], arms: [{name: a}, {name: b}]}}"),
              HasSubstr("did you mean"));
  EXPECT_THAT(complaint("experiments: {x: {arms: [{name: a}]}}"), HasSubstr("1 arms"));
  EXPECT_THAT(complaint("rollouts: {r: {feature: recap, model: small, stages: [0.5]}}"),
              HasSubstr("must end at 1"));
  EXPECT_THAT(complaint("rollouts: {r: {feature: recap, model: small, after_copies: 100}}"),
              HasSubstr("rollouts.r.after_copies: needs copies to small: give feature recap a shadow"));
  EXPECT_THAT(complaint("rollouts: {r: {feature: recap, model: small, after_copies: 3}}"),
              HasSubstr("after_copies is below 30"));
  EXPECT_THAT(complaint("rollouts: {r: {feature: recap, model: small, home: nowhere}}"),
              HasSubstr("no node"));
  EXPECT_THAT(
      complaint("", "\nfeatures: {recap: {hierarchy: [large, small], shadow: {model: small, share: 0.1}}}\n"),
      HasSubstr("a budget of its own"));
  EXPECT_THAT(complaint("rollouts: {r: {feature: recap, model: unsigned}}",
                        "\nfeatures: {recap: {hierarchy: [large, small]}}\n"),
              HasSubstr("not in the hierarchy"));
}

/// A feature with a shadow, and one that may judge it.
struct JudgeWorld {
  std::string judge = "feature: judge, share: 0.2, usd_per_day: 5";
  std::string judging = "hierarchy: [wise], class: batch";
  std::string recap, remote = "wise-1", price = "{input: 1, output: 2}";
};
std::string judge_complaint(const JudgeWorld& world) {
  auto text = R"(
providers: {aws: {base_url: simulator, region: us}, gcp: {base_url: simulator, region: us}}
models: {large: {}, small: {}, wise: {}}
simulator: {endpoints: [{name: a}, {name: b}, {name: c}, {name: d}, {name: e}]}
prices: {models: {wise-1: )" +
              world.price + R"(}}
endpoints:
  data_classes: {customer: {provider: [], model: []}}
  list:
    - {id: a, provider: aws, model: large}
    - {id: b, provider: gcp, model: small, remote_model: small-1}
    - {id: e, provider: gcp, model: large}
    - {id: c, provider: aws, model: wise, remote_model: wise-1}
    - {id: d, provider: gcp, model: wise, remote_model: )" +
              world.remote + R"(}
features:
  judge: {)" + world.judging +
              R"(}
  recap: {hierarchy: [large, small], )" +
              world.recap +
              "shadow: {model: small, share: 0.1, tokens_per_hour: 9, usd_per_hour: 1, judge: {" +
              world.judge + "}}}\n";
  auto config = parse_config(text, "x.yaml");
  return config ? "" : config.error().what;
}

TEST(JudgeConfig, IsAFeatureOfItsOwnWithABudget) {
  EXPECT_EQ(judge_complaint({}), "");
  EXPECT_EQ(judge_complaint({.judge = ""}), "");
  EXPECT_THAT(judge_complaint({.judge = "feature: judge, share: 0.2"}),
              HasSubstr("features.recap.shadow.judge: a judge needs a budget of its own"));
  EXPECT_THAT(judge_complaint({.judge = "share: 0.2, usd_per_day: 5"}), HasSubstr("a feature of its own"));
  EXPECT_THAT(judge_complaint({.judge = "feature: jugde, share: 0.2, usd_per_day: 5"}),
              HasSubstr("there is no feature \"jugde\"; did you mean \"judge\"?"));
  EXPECT_THAT(judge_complaint({.judge = "feature: recap, share: 0.2, usd_per_day: 5"}),
              HasSubstr("a feature does not judge itself"));
  EXPECT_THAT(judge_complaint({.judge = "feature: judge, rubric: " + std::string(9000, 'x')}),
              HasSubstr("shadow.judge.rubric: has 9000 bytes"));
  EXPECT_THAT(judge_complaint({.price = "{input: 0}"}), HasSubstr("endpoint c has no price"));
}

TEST(JudgeConfig, IsNoModelThatItJudgesWhateverItIsCalled) {
  EXPECT_THAT(judge_complaint({.judging = "hierarchy: [wise, large], class: batch"}),
              HasSubstr("model large would judge its own answers"));
  EXPECT_THAT(judge_complaint({.judging = "hierarchy: [small, wise], class: batch"}),
              HasSubstr("model small would judge its own answers"))
      << "the candidate";
  EXPECT_THAT(judge_complaint({.remote = "small-1"}), HasSubstr("d is small-1 as well"));
}

TEST(JudgeConfig, ComesBehindCustomersAndKeepsTheirDataWhereItIs) {
  EXPECT_THAT(judge_complaint({.judging = "hierarchy: [wise]"}), HasSubstr("must be of class batch"));
  EXPECT_THAT(judge_complaint({.recap = "data_class: customer, "}),
              HasSubstr("must have data_class customer"));
  EXPECT_EQ(judge_complaint({.judging = "hierarchy: [wise], class: batch, data_class: customer",
                             .recap = "data_class: customer, "}),
            "");
  EXPECT_THAT(judge_complaint({.recap = "boundary: eu, "}), HasSubstr("must have boundary eu"));
}

}  // namespace
}  // namespace troupe::config
