// The option that lets predicted difficulty choose: what it reads, and what it refuses.
#include "runtime/config/config.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace troupe::config {
namespace {

std::string text_with(const std::string& choice) {
  return R"(
providers:
  east: {dialect: bedrock, region: us-east-1}
  west: {dialect: bedrock, region: us-west-2}
models: {small: {}, large: {}}
endpoints:
  list:
    - {id: e1, provider: east, model: small}
    - {id: e2, provider: west, model: large}
features:
  math: {hierarchy: [small, large], choice: {)" +
         choice + "}}\n";
}
Result<Config> parsed(const std::string& choice) {
  return parse_config(text_with(choice), "x.yaml", std::string(TROUPE_SOURCE_DIR) + "/configs");
}
std::string complaint(const std::string& choice) {
  auto config = parsed(choice);
  return config ? std::string("no error") : config.error().what;
}

TEST(ChoiceConfig, ReadsTheModelBesideTheConfiguration) {
  auto config = parsed("weak: small, strong: large, strong_share: 0.2, model: choice/gsm8k.txt");
  ASSERT_TRUE(config) << config.error().what;
  auto rule = choice_rule(*config, "math");
  ASSERT_TRUE(rule);
  EXPECT_EQ(rule->weak, 0u);
  EXPECT_EQ(rule->strong, 1u);
  auto half = parsed("weak: small, strong: large, model: choice/gsm8k.txt");
  ASSERT_TRUE(half);
  EXPECT_GT(rule->threshold, choice_rule(*half, "math")->threshold) << "fewer strong calls: a higher bar";
}

TEST(ChoiceConfig, IsOffByDefault) {
  auto config = parsed("");
  ASSERT_TRUE(config) << config.error().what;
  EXPECT_FALSE(choice_rule(*config, "math"));
}

TEST(ChoiceConfig, RefusesWhatCouldNotChoose) {
  EXPECT_NE(complaint("weak: small, strong: lagre, model: choice/gsm8k.txt").find("did you mean \"large\"?"),
            std::string::npos);
  EXPECT_NE(complaint("weak: small, model: choice/gsm8k.txt").find("features.math.choice.strong"),
            std::string::npos);
  EXPECT_NE(complaint("weak: small, strong: small, model: choice/gsm8k.txt").find("nothing to choose"),
            std::string::npos);
  EXPECT_NE(complaint("weak: small, strong: large").find("features.math.choice.model: must name a file"),
            std::string::npos);
  EXPECT_NE(complaint("weak: small, strong: large, model: nowhere.txt").find("cannot be read"),
            std::string::npos);
  EXPECT_NE(complaint("weak: small, strong: large, model: demo.yaml").find("line 1: expected difficulty 1"),
            std::string::npos);
  EXPECT_NE(complaint("weak: small, strong: large, model: choice").find("cannot be read"), std::string::npos);
  EXPECT_NE(complaint("weak: small, strong: large, strong_share: 2, model: choice/gsm8k.txt")
                .find("is a share, from 0 to 1"),
            std::string::npos);
  EXPECT_NE(complaint("model: choice/gsm8k.txt").find("needs `weak` and `strong`"), std::string::npos);
}

}  // namespace
}  // namespace troupe::config
