// Schedules in a file: whose slots they are, what their runs are given, and what is wrong with them.
#include "runtime/config/config.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace troupe::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

bool no_zones() { return !std::filesystem::exists("/usr/share/zoneinfo/Europe/Berlin"); }

const std::string kNightly =
    "tenants: {acme: {zone: Asia/Tokyo}, beta: {}}\n"
    "schedules:\n"
    "  nightly:\n"
    "    workflow: recap\n"
    "    cron: 0 4 * * *\n"
    "    zone: Europe/Berlin\n"
    "    tenants: [\"*\"]\n"
    "    input: {input: \"/data/{{tenant}}\", from: \"{{ date }}\", depth: 3}\n";

std::string nightly_with(const std::string& from, const std::string& to) {
  auto text = kNightly;
  auto at = text.find(from);
  return at == std::string::npos ? "not there: " + from : text.replace(at, from.size(), to);
}
std::string wrong_with(const std::string& text) {
  auto config = parse_config(text, "x.yaml");
  return config ? "" : config.error().what;
}

TEST(ScheduleConfigTest, EachTenantHasItsOwnMidnight) {
  if (no_zones()) GTEST_SKIP() << "no zoneinfo on this machine (package tzdata)";
  auto config = parse_config(kNightly, "x.yaml");
  ASSERT_TRUE(config) << config.error().what;
  const auto& rules = config->schedules.at("nightly").rules;
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[0].tenant, "acme");
  EXPECT_EQ(rules[0].rule.zone.name(), "Asia/Tokyo");
  EXPECT_EQ(rules[1].rule.zone.name(), "Europe/Berlin");  // beta has none of its own
  WallTime midnight{1'774'656'000'000};                   // 2026-03-28T00:00Z
  auto tokyo = policy::next_slot(rules[0].rule.cron, rules[0].rule.zone, midnight);
  auto berlin = policy::next_slot(rules[1].rule.cron, rules[1].rule.zone, midnight);
  EXPECT_EQ(tokyo->ms - midnight.ms, 19 * 3'600'000);
  EXPECT_EQ(berlin->ms - midnight.ms, 3 * 3'600'000);
}

TEST(ScheduleConfigTest, WithoutTenantsThereIsOneRunASlot) {
  auto config = parse_config("schedules: {s: {workflow: recap, cron: \"@daily\", catch_up: all}}", "x.yaml");
  ASSERT_TRUE(config) << config.error().what;
  const auto& schedule = config->schedules.at("s");
  ASSERT_EQ(schedule.rules.size(), 1u);
  EXPECT_EQ(schedule.rules[0].tenant, "default");
  EXPECT_EQ(schedule.rules[0].rule.catch_up, policy::CatchUp::all);
  EXPECT_EQ(schedule.input.text, "{}");
}

TEST(ScheduleConfigTest, WhatItsRunsAreGivenKeepsItsKinds) {
  if (no_zones()) GTEST_SKIP() << "no zoneinfo on this machine (package tzdata)";
  auto config = parse_config(kNightly, "x.yaml").value();
  auto filled = fill_slot(config.schedules.at("nightly").input.text,
                          {"2026-03-28T19:00Z", "2026-03-29", "ac\"me {{slot}}", "nightly"});
  EXPECT_EQ(filled, R"({"input":"/data/ac\"me {{slot}}","from":"2026-03-29","depth":3})");
}

TEST(ScheduleConfigTest, SaysWhereAndWhatWouldBeRight) {
  if (no_zones()) GTEST_SKIP() << "no zoneinfo on this machine (package tzdata)";
  EXPECT_THAT(wrong_with(nightly_with("cron:", "corn:")),
              HasSubstr("x.yaml:5: schedules.nightly.corn: unknown key; did you mean \"cron\"?"));
  EXPECT_THAT(wrong_with(nightly_with("0 4 * * *", "0 25 * * *")),
              HasSubstr("x.yaml:5: schedules.nightly.cron: "));
  EXPECT_THAT(wrong_with(nightly_with("Europe/Berlin", "Europe/Berln")),
              AllOf(HasSubstr("x.yaml:6: schedules.nightly.zone: "), HasSubstr("Europe/Berlin")));
  EXPECT_THAT(wrong_with(nightly_with("Asia/Tokyo", "Asia/Tokio")),
              AllOf(HasSubstr("x.yaml:1: tenants.acme.zone: "), HasSubstr("did you mean \"Asia/Tokyo\"")));
  EXPECT_THAT(wrong_with(nightly_with("\"*\"", "acmee")),
              HasSubstr("x.yaml:7: schedules.nightly.tenants[0]: there is no tenant \"acmee\"; did you mean "
                        "\"acme\"?"));
  EXPECT_THAT(wrong_with(nightly_with("{{ date }}", "{{day}}")),
              HasSubstr("x.yaml:8: schedules.nightly.input: {{day}} is none of {{slot}}, {{date}}"));
  EXPECT_THAT(wrong_with(nightly_with("workflow: recap", "paused: perhaps")),
              HasSubstr("paused: expected true or false"));
  EXPECT_THAT(wrong_with(nightly_with("    workflow: recap\n", "")), HasSubstr("must name a workflow"));
  EXPECT_THAT(wrong_with(nightly_with("  nightly:", "  night/ly:")), HasSubstr("its name may have"));
}

TEST(ScheduleConfigTest, HasBounds) {
  auto with = [](const std::string& more) {
    return wrong_with(fmt::format("schedules: {{s: {{workflow: recap, cron: \"@daily\", {}}}}}", more));
  };
  EXPECT_EQ(with("catch_up_max: 1000"), "");
  EXPECT_THAT(with("catch_up_max: 1001"), HasSubstr("must be from 1 to 1000"));
  EXPECT_THAT(with("catch_up_max: 0"), HasSubstr("must be from 1 to 1000"));
  EXPECT_EQ(with("jitter: 24h"), "");
  EXPECT_THAT(with("jitter: 25h"), HasSubstr("at most 1d"));
  EXPECT_THAT(with("catch_up: lats"),
              HasSubstr("\"lats\" is none of none, last, all; did you mean \"last\"?"));
  EXPECT_THAT(with("input: [1]"), HasSubstr("schedules.s.input: must be options"));
  EXPECT_THAT(with("tenants: [\"*\"]"), HasSubstr("there are no tenants"));
}

TEST(ScheduleConfigTest, WorkflowFilesAreFoundBesideTheConfiguration) {
  auto folder = std::filesystem::temp_directory_path() / fmt::format("troupe-schedules-{}", ::getpid());
  std::filesystem::create_directories(folder / "flows");
  std::ofstream(folder / "flows" / "a.yaml") << "workflow: a\n";
  auto config = parse_config("workflows: [flows/../flows/a.yaml]", "x.yaml", folder.string());
  ASSERT_TRUE(config) << config.error().what;
  EXPECT_THAT(config->workflows, ElementsAre((folder / "flows" / "a.yaml").string()));
  auto gone = parse_config("workflows:\n  - flows/b.yaml", "x.yaml", folder.string());
  ASSERT_FALSE(gone);
  EXPECT_THAT(gone.error().what, HasSubstr("x.yaml:2: workflows[0]: there is no file"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace troupe::config
