// The recap workflow by script: what it asks, what it believes, what it pays for twice (nothing).
#include "agents/recap/condense.hpp"
#include "agents/recap/recap.hpp"
#include "tests/agents/recap_support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

namespace troupe::recap {
namespace {

using recap_test::channel_day;
using recap_test::chatter;
using recap_test::input_with;
using recap_test::made;
using recap_test::repeat_lines;
using recap_test::repeating_model;
using recap_test::workspace_of;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ScriptedDriver;
using testing::text_completion;

std::size_t bought(const ScriptedDriver& driver, const std::string& step) {
  return static_cast<std::size_t>(std::ranges::count(driver.bought, step, &StepKey::name));
}

slack::Workspace small_company() {
  return workspace_of({chatter("general", 12), chatter("incidents", 30, 5), chatter("random", 4, 60)});
}

Result<JsonText> outcome(ScriptedDriver& driver, slack::Workspace workspace, RecapInput input = {}) {
  Workflow wf(driver);
  auto result = testing::drive(driver, recap_workspace(wf, std::move(workspace), std::move(input)));
  return result ? std::move(*result) : fail(Errc::internal, "the workflow never ended");
}

TEST(Recap, EveryPointHasASourceOfItsChannelAndDayAndItsAuthorsAsPeople) {
  auto workspace = small_company();
  ScriptedDriver driver(repeating_model());
  auto recap = made(driver, workspace);
  ASSERT_EQ(recap["channels"].size(), 3u);
  std::size_t points = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    std::map<std::string, std::string> author_of;
    for (const auto& message : workspace.days[i].messages) author_of[message.ts] = message.user;
    for (const auto& point : recap["channels"][i]["points"]) {
      ++points;
      ASSERT_FALSE(point["sources"].empty());
      std::set<std::string> people;
      for (const auto& ts : point["sources"]) people.insert(author_of.at(ts));
      EXPECT_EQ(point["people"].size(), people.size());
      for (const auto& name : point["people"]) EXPECT_TRUE(people.contains(name)) << name;
    }
  }
  EXPECT_EQ(points, 12u + 12u + 4u);
  EXPECT_EQ(recap["digest"].size(), 12u);
  EXPECT_EQ(recap["problems"].size(), 0u);
  EXPECT_EQ(driver.planned.back(), driver.bought.size());
}

TEST(Recap, IsTheSameBytesInWhateverOrderAnswersCome) {
  auto input = input_with(300);
  std::set<std::string> results;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    ScriptedDriver driver(repeating_model(2), seed);
    auto result = outcome(driver, small_company(), input);
    ASSERT_TRUE(result);
    results.insert(result->text);
    EXPECT_LE(driver.in_flight_max, input.parallel_max);
  }
  EXPECT_EQ(results.size(), 1u);
}

TEST(Recap, AsksWithinItsBoundOfParallelCalls) {
  auto input = input_with(200);
  input.parallel_max = 3;
  ScriptedDriver driver(repeating_model(2));
  ASSERT_TRUE(outcome(driver, small_company(), input));
  EXPECT_EQ(driver.in_flight_max, 3u);
}

TEST(Recap, StepKeysAreUniqueInARun) {
  ScriptedDriver driver(repeating_model(2));
  ASSERT_TRUE(outcome(driver, small_company(), input_with(200)));
  std::set<StepKey> keys(driver.asked.begin(), driver.asked.end());
  EXPECT_EQ(keys.size(), driver.asked.size());
  EXPECT_GT(bought(driver, "merge"), 0u);
  EXPECT_GT(bought(driver, "digest"), 1u);
}

TEST(Recap, ReplayedFromItsRecordsBuysNothingAndSaysTheSame) {
  ScriptedDriver first(repeating_model(2));
  auto whole = outcome(first, small_company(), input_with(300));
  ScriptedDriver again([](const StepKey&, const CompletionRequest&) -> Result<Completion> {
    return fail(Errc::internal, "asked again");
  });
  again.recorded = first.recorded;
  auto replayed = outcome(again, small_company(), input_with(300));
  ASSERT_TRUE(whole && replayed);
  EXPECT_EQ(whole->text, replayed->text);
  EXPECT_TRUE(again.bought.empty());
}

// Killed after any number of answers, the next run pays only for the rest.
TEST(Recap, ResumesAfterACrashAnywhere) {
  auto input = input_with(300);
  ScriptedDriver reference(repeating_model(2));
  auto whole = outcome(reference, small_company(), input);
  ASSERT_TRUE(whole);
  for (std::size_t answers = 0; answers < reference.bought.size(); ++answers) {
    ScriptedDriver crashed(repeating_model(2), answers);
    {
      Workflow wf(crashed);
      auto task = recap_workspace(wf, small_company(), input);
      task.start([](Result<JsonText>) { FAIL() << "ended early"; });
      crashed.run(answers);
    }
    ScriptedDriver resumed(repeating_model(2));
    resumed.recorded = crashed.recorded;
    auto result = outcome(resumed, small_company(), input);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->text, whole->text);
    EXPECT_EQ(resumed.bought.size() + answers, reference.bought.size());
  }
}

// K7
TEST(Recap, OnlyNewMessagesAreBoughtAgain) {
  ScriptedDriver monday(repeating_model(2));
  ASSERT_TRUE(outcome(monday, workspace_of({chatter("general", 12), chatter("random", 4, 60)})));
  ScriptedDriver tuesday(repeating_model(2));
  tuesday.recorded = monday.recorded;
  auto grown = workspace_of({chatter("general", 12), chatter("random", 5, 60)});
  auto incremental = outcome(tuesday, grown);
  EXPECT_EQ(bought(tuesday, "map"), 1u) << "of random only";
  EXPECT_EQ(bought(tuesday, "digest"), 1u);
  ScriptedDriver fresh(repeating_model(2));
  auto at_once = outcome(fresh, grown);
  ASSERT_TRUE(incremental && at_once);
  EXPECT_EQ(incremental->text, at_once->text);
}

// K2; with a recap per reader instead, general would be bought twice.
TEST(Recap, ASharedChannelIsSummarisedOnceHoweverManyRead) {
  auto general = channel_day("general", {{"ann", "we ship on friday"}, {"bob", "agreed"}});
  auto lab = channel_day("lab", {{"ann", "the test rig is broken"}});
  RecapInput input;
  input.users = {"ann", "bob", "U-ann"};
  ScriptedDriver shared(repeating_model());
  auto recap = made(shared, workspace_of({general, lab}), input);
  EXPECT_EQ(bought(shared, "map"), 2u);
  EXPECT_EQ(bought(shared, "digest"), 2u) << "ann reads everything, so hers is the common one";
  ASSERT_EQ(recap["personal"].size(), 2u);
  EXPECT_EQ(recap["personal"][0]["user"], "ann");
  EXPECT_EQ(recap["personal"][0]["channels"].size(), 2u);
  EXPECT_EQ(recap["personal"][1]["channels"].size(), 1u);
  EXPECT_EQ(recap["personal"][1]["digest"].size(), 2u);
  EXPECT_EQ(recap["summarised_once"], 1);

  ScriptedDriver apart(repeating_model());
  ASSERT_TRUE(outcome(apart, workspace_of({general, lab})));
  ASSERT_TRUE(outcome(apart, workspace_of({general})));
  EXPECT_EQ(bought(apart, "map"), 2u) << "even apart, a known prompt is not bought again";
}

TEST(Recap, AnUnknownReaderIsSaidBeforeAnyCall) {
  RecapInput input;
  input.users = {"zoe"};
  ScriptedDriver driver(repeating_model());
  auto result = outcome(driver, small_company(), input);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::invalid_input);
  EXPECT_TRUE(driver.asked.empty());
}

TEST(Recap, DropsAndCountsPointsNobodySaid) {
  ScriptedDriver driver([](const StepKey& key, const CompletionRequest& request) -> Result<Completion> {
    if (key.name != "map") return repeat_lines(request);
    auto first = recap_test::prompt_lines(request).front();
    return text_completion(R"({"points":[{"kind":"topic","text":"true","sources":[")" + first.id +
                           R"("]},{"kind":"topic","text":"made up","sources":["99.9"]}]})");
  });
  auto recap = made(driver, small_company());
  EXPECT_EQ(recap["dropped_points"], 3);
  for (const auto& channel : recap["channels"]) {
    ASSERT_EQ(channel["points"].size(), 1u);
    EXPECT_EQ(channel["points"][0]["text"], "true");
  }
}

TEST(Recap, AnUnreadableAnswerIsAskedAgainOnceUnderAnotherKey) {
  ScriptedDriver driver([](const StepKey& key, const CompletionRequest& request) -> Result<Completion> {
    bool first_of_general = key.id.starts_with("general") && !key.id.ends_with("/again");
    if (first_of_general) return text_completion("I am sorry, I cannot do JSON today.");
    return repeat_lines(request);
  });
  auto recap = made(driver, small_company());
  EXPECT_EQ(bought(driver, "map"), 4u);
  EXPECT_EQ(recap["problems"].size(), 0u);
  EXPECT_EQ(recap["channels"][0]["points"].size(), 12u);
}

TEST(Recap, ACutAnswerGetsTwiceTheRoom) {
  int cut_limit = 0;
  int second_limit = 0;
  ScriptedDriver driver([&](const StepKey& key, const CompletionRequest& request) -> Result<Completion> {
    if (!key.id.starts_with("general")) return repeat_lines(request);
    if (key.id.ends_with("/again")) {
      second_limit = request.output_tokens_max;
      return repeat_lines(request);
    }
    cut_limit = request.output_tokens_max;
    auto cut = text_completion(R"({"points":[{"kind":"to)");
    cut.stop = StopReason::length;
    return cut;
  });
  EXPECT_EQ(made(driver, small_company())["problems"].size(), 0u);
  EXPECT_EQ(second_limit, 2 * cut_limit);
}

TEST(Recap, AChunkThatStaysUnreadableIsAProblemAndTheRestIsRecapped) {
  ScriptedDriver driver([](const StepKey& key, const CompletionRequest& request) -> Result<Completion> {
    if (key.id.starts_with("general")) return text_completion("{\"points\": 3}");
    return repeat_lines(request);
  });
  auto recap = made(driver, small_company());
  ASSERT_EQ(recap["problems"].size(), 1u);
  EXPECT_EQ(recap["problems"][0]["file"], "general/2019-03-05.json");
  EXPECT_THAT(recap["problems"][0]["reason"].get<std::string>(),
              HasSubstr("no list of points (asked twice)"));
  EXPECT_EQ(recap["channels"][0]["points"].size(), 0u);
  EXPECT_EQ(recap["channels"][2]["points"].size(), 4u);
}

TEST(Recap, ARefusedPromptIsAProblemButADeadProviderEndsTheRun) {
  for (auto code : {Errc::content_filtered, Errc::context_length_exceeded}) {
    ScriptedDriver driver([&](const StepKey& key, const CompletionRequest& request) -> Result<Completion> {
      if (key.id.starts_with("general")) return std::unexpected(make_error(code, "no"));
      return repeat_lines(request);
    });
    auto recap = made(driver, small_company());
    ASSERT_EQ(recap["problems"].size(), 1u);
    EXPECT_THAT(recap["problems"][0]["reason"].get<std::string>(), HasSubstr(to_string(code)));
  }
  RecapInput input;
  input.parallel_max = 1;
  ScriptedDriver dead([](const StepKey&, const CompletionRequest&) -> Result<Completion> {
    return std::unexpected(make_error(Errc::no_endpoint, "nothing is alive"));
  });
  auto result = outcome(dead, small_company(), input);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::no_endpoint);
  EXPECT_EQ(dead.bought.size(), 1u) << "the other channels are not even tried";
}

TEST(Recap, AUselessMergeOrDigestKeepsThePointsThereAre) {
  ScriptedDriver driver([](const StepKey& key, const CompletionRequest& request) -> Result<Completion> {
    if (key.name == "map") return repeat_lines(request, 3);
    return text_completion(R"({"points":[{"kind":"topic","text":"nothing real","sources":["p9999"]}]})");
  });
  auto recap = made(driver, small_company(), input_with(300));
  EXPECT_GT(recap["channels"][1]["points"].size(), 3u);
  EXPECT_GT(recap["digest"].size(), 3u);
  EXPECT_GE(recap["problems"].size(), 2u);
  EXPECT_EQ(recap["problems"].back()["file"], "digest");
}

TEST(Recap, ADigestOfManyChannelsIsMadeInRoundsAndKeepsItsSources) {
  std::vector<slack::ChannelDay> days;
  for (std::size_t i = 0; i < 60; ++i) days.push_back(chatter(fmt::format("channel-{:02}", i), 8));
  ScriptedDriver driver(repeating_model(4));
  auto recap = made(driver, workspace_of(std::move(days)), input_with(500));
  EXPECT_GT(bought(driver, "digest"), 3u);
  EXPECT_EQ(driver.planned.front(), 61u);
  ASSERT_GT(recap["digest"].size(), 0u);
  EXPECT_LE(recap["digest"].size(), 12u);
  for (const auto& item : recap["digest"]) {
    EXPECT_THAT(item["text"].get<std::string>(), HasSubstr(item["channel"].get<std::string>()));
    EXPECT_EQ(item["sources"].size(), 1u);
  }
}

TEST(Recap, AModelThatCondensesNothingStillEnds) {
  auto input = input_with(400);
  input.prompts.digest_items_max = 1000;
  ScriptedDriver driver(repeating_model());
  auto recap = made(driver, small_company(), input);
  EXPECT_LE(driver.asked.size(), 40u);
  EXPECT_FALSE(recap.is_null());
}

TEST(Recap, AWorkspaceWithoutMessagesAsksNothing) {
  ScriptedDriver driver(repeating_model());
  auto recap = made(driver, workspace_of({}));
  EXPECT_TRUE(driver.asked.empty());
  EXPECT_EQ(recap["digest"].size(), 0u);
}

TEST(RecapInput, ReadsWhatTheCommandLineGives) {
  auto input = read_recap_input({R"({"input":"x.zip","from":"2019-03-01","channels":"general, #random",
                                     "users":["ann"],"parallel_max":"4",
                                     "chunk_tokens_max":800,"deadline_s":""})"});
  ASSERT_TRUE(input);
  EXPECT_EQ(input->path, "x.zip");
  EXPECT_EQ(input->read.from, "2019-03-01");
  EXPECT_THAT(input->read.channels, ElementsAre("general", "random"));
  EXPECT_EQ(input->parallel_max, 4u);
  EXPECT_EQ(input->chunks.chunk_tokens_max, 800u);
  EXPECT_EQ(input->chunks.points_tokens_max, 2000u) << "merged in larger pieces than transcripts are read";
  EXPECT_EQ(input->chunks.message_tokens_max, 800u);
}

TEST(RecapInput, NamesTheKeyThatIsWrong) {
  const std::map<std::string, std::string> wrong = {
      {"{}", "input"},
      {"7", "input"},
      {R"({"input":"x","channels":[1]})", "channels"},
      {R"({"input":"x","users":{}})", "users"},
      {R"({"input":"x","parallel_max":0})", "parallel_max"},
      {R"({"input":"x","parallel_max":"many"})", "parallel_max"},
      {R"({"input":"x","chunk_tokens_max":1e9})", "chunk_tokens_max"},
      {R"({"input":"x","deadline_s":-1})", "deadline_s"},
  };
  for (const auto& [document, key] : wrong) {
    auto input = read_recap_input({document});
    ASSERT_FALSE(input) << document;
    EXPECT_EQ(input.error().code, Errc::invalid_input);
    EXPECT_THAT(input.error().what, HasSubstr(key));
  }
}

}  // namespace
}  // namespace troupe::recap
