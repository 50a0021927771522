// The summary workflow by script: what it asks, what it believes, what it pays for twice (nothing).
#include "agents/summary/plan.hpp"
#include "agents/summary/printed.hpp"
#include "agents/summary/result.hpp"
#include "tests/agents/recap_support.hpp"
#include "tests/agents/summary_support.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace troupe::summary {
namespace {

using summary_test::calls_of;
using summary_test::chat;
using summary_test::made;
using summary_test::mark_lines;
using summary_test::marking_model;
using summary_test::outcome;
using summary_test::prompt_tokens;
using summary_test::small_chunks;
using summary_test::small_chunks_and_a_look;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ScriptedDriver;
using testing::text_completion;

ScriptedDriver::Model answering(std::string text) {
  return [text](const StepKey&, const CompletionRequest&) -> Result<Completion> {
    return text_completion(text);
  };
}

std::vector<std::string> reasons(const Json& summary) {
  std::vector<std::string> out;
  for (const auto& problem : summary["problems"]) out.push_back(get_string(problem, "reason"));
  return out;
}

// K1: the time to the first token is that of one call.
TEST(Summary, OfASmallWindowIsOneStreamingCall) {
  ScriptedDriver driver(marking_model(4));
  auto summary = made(driver, chat(20));
  ASSERT_EQ(driver.bought.size(), 1u);
  EXPECT_EQ(live_step(driver.bought[0])->marks_max, 20u);
  const auto& request = driver.bought_requests[0];
  EXPECT_TRUE(request.stream);
  EXPECT_FALSE(request.response_schema);
  EXPECT_EQ(request.feature, "summary");
  EXPECT_EQ(summary["points"].size(), 5u);
  EXPECT_THAT(get_string(summary, "text"), HasSubstr("- ann: message 0"));
  EXPECT_EQ(driver.planned.back(), 1u);
}

TEST(Summary, EveryPointHasASourceInTheWindowAndItsAuthorsAsPeople) {
  for (auto input : {SummaryInput{}, small_chunks()}) {
    auto window = chat(60);
    ScriptedDriver driver(marking_model(2));
    auto summary = made(driver, window, input);
    std::map<std::string, std::string> author_of;
    for (const auto& line : window.lines) author_of[line.id] = line.who;
    ASSERT_GT(summary["points"].size(), 3u);
    for (const auto& point : summary["points"]) {
      ASSERT_FALSE(point["sources"].empty());
      std::set<std::string> people;
      for (const auto& id : point["sources"]) people.insert(author_of.at(id));
      EXPECT_EQ(point["people"].size(), people.size());
      for (const auto& name : point["people"]) EXPECT_TRUE(people.contains(name)) << name;
    }
  }
}

// Every mark of the text resolves, also where it stands for a point with several lines.
TEST(Summary, MarksOfTheTextNameTheSourcesOfItsPoints) {
  ScriptedDriver driver(marking_model(3));
  auto summary = made(driver, chat(90), small_chunks());
  ASSERT_GT(calls_of(driver, "map"), 2u);
  ASSERT_EQ(calls_of(driver, "summary"), 1u);
  std::set<std::string> by_marks, by_points;
  for (const auto& mark : summary["marks"]) {
    EXPECT_THAT(get_string(summary, "text"), HasSubstr(fmt::format("[{}]", get_int(mark, "mark"))));
    for (const auto& id : mark["sources"]) by_marks.insert(id);
  }
  for (const auto& point : summary["points"])
    for (const auto& id : point["sources"]) by_points.insert(id);
  EXPECT_EQ(by_marks, by_points);
  EXPECT_EQ(summary["cited"].size(), by_points.size());
}

TEST(Summary, StatementsWithoutAValidSourceAreDroppedAndCounted) {
  ScriptedDriver driver(answering("- ann ships [1]\n- bob lies [21]\n- cy invents\n- dora [2, 400]"));
  auto summary = made(driver, chat(20));
  EXPECT_EQ(summary["points"].size(), 2u);
  EXPECT_EQ(summary["dropped_points"], 2);
  EXPECT_EQ(summary["dropped_sources"], 1);
  EXPECT_EQ(get_string(summary, "text"), "- ann ships [1]\n- dora [2]");
}

TEST(Summary, ATextWithoutAnySourceIsAskedForOnceMore) {
  ScriptedDriver driver([](const StepKey& key, const CompletionRequest& request) -> Result<Completion> {
    return key.name == "rewrite" ? mark_lines(request, 5) : text_completion("They talked.");
  });
  auto summary = made(driver, chat(20));
  EXPECT_EQ(driver.bought.size(), 2u);
  EXPECT_EQ(summary["points"].size(), 4u);
  EXPECT_TRUE(summary["problems"].empty());
}

TEST(Summary, ATextThatStaysWithoutSourcesIsAProblemAndThePointsStandIn) {
  ScriptedDriver alone(answering("They talked."));
  auto summary = made(alone, chat(20));
  EXPECT_EQ(get_string(summary, "text"), "");
  EXPECT_THAT(reasons(summary), ElementsAre(HasSubstr("no statement had a valid source")));

  ScriptedDriver with_points([](const StepKey&, const CompletionRequest& request) -> Result<Completion> {
    return request.response_schema ? mark_lines(request, 4) : text_completion("They talked.");
  });
  auto from_points = made(with_points, chat(60), small_chunks());
  EXPECT_GT(from_points["points"].size(), 3u);
  EXPECT_THAT(get_string(from_points, "text"), HasSubstr("message 0 is about"));
}

TEST(Summary, SaysWhenTheTranscriptDoesNotAnswer) {
  SummaryInput input;
  input.query = "Who won the boat race?";
  ScriptedDriver driver(answering("NOT FOUND."));
  auto summary = made(driver, chat(20), input);
  EXPECT_FALSE(get_bool(summary, "found", true));
  EXPECT_EQ(driver.bought.size(), 1u);
  EXPECT_THAT(get_string(summary, "text"), HasSubstr("does not answer"));
  const auto& prompt = std::get<TextPart>(driver.bought_requests[0].messages.back().parts[0]).text;
  EXPECT_THAT(prompt, HasSubstr("Question: Who won the boat race?"));
}

// L4: the swap a reader would resent most.
TEST(Summary, ANameThatNoSourceSupportsIsDoubtful) {
  ScriptedDriver driver(answering("- bob said message 0 [1]\n- ann said message 0 [1]\n- they met [2]"));
  auto summary = made(driver, chat(20));
  EXPECT_EQ(summary["doubtful"], 1);
  EXPECT_THAT(summary["points"][0]["doubtful_people"], ElementsAre("bob"));
  EXPECT_EQ(find(summary["points"][1], "doubtful_people"), nullptr);
}

TEST(Summary, IsTheSameBytesInWhateverOrderAnswersCome) {
  std::set<std::string> results;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    ScriptedDriver driver(marking_model(3), seed);
    auto result = outcome(driver, chat(120), small_chunks_and_a_look());
    ASSERT_TRUE(result);
    results.insert(result->text);
  }
  EXPECT_EQ(results.size(), 1u);
}

// Killed after any number of answers, the next run pays only for the rest.
TEST(Summary, ResumesAfterACrashAnywhere) {
  auto input = small_chunks_and_a_look();
  ScriptedDriver reference(marking_model(2));
  auto whole = outcome(reference, chat(150), input);
  ASSERT_TRUE(whole);
  ASSERT_GT(calls_of(reference, "merge"), 0u);
  for (std::size_t answers = 0; answers < reference.bought.size(); ++answers) {
    ScriptedDriver crashed(marking_model(2), answers);
    {
      Workflow wf(crashed);
      auto task = summarise_window(wf, chat(150), input);
      task.start([](Result<JsonText>) { FAIL() << "ended early"; });
      crashed.run(answers);
    }
    ScriptedDriver resumed(marking_model(2));
    resumed.recorded = crashed.recorded;
    auto result = outcome(resumed, chat(150), input);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->text, whole->text);
    EXPECT_EQ(resumed.bought.size() + answers, reference.bought.size());
  }
}

TEST(Summary, StepKeysAreUniqueAndCallsWithinTheirBounds) {
  auto input = small_chunks_and_a_look();
  input.parallel_max = 3;
  ScriptedDriver driver(marking_model(2));
  ASSERT_TRUE(outcome(driver, chat(200), input));
  std::set<StepKey> keys(driver.asked.begin(), driver.asked.end());
  EXPECT_EQ(keys.size(), driver.asked.size());
  EXPECT_EQ(driver.in_flight_max, 3u);
  for (const auto& request : driver.bought_requests)
    EXPECT_LE(prompt_tokens(request), input.chunk_tokens_max + 100);
}

// K6: with the pre-pass a transcript of any length is one call a model can read; without it is not.
TEST(Summary, ThePrepassKeepsAPromptWithinAModelsWindow) {
  constexpr std::size_t kWindow = 1500;
  auto narrow = [](const StepKey&, const CompletionRequest& request) -> Result<Completion> {
    if (prompt_tokens(request) > kWindow) return fail(Errc::context_length_exceeded, "too long");
    return mark_lines(request, 5);
  };
  SummaryInput input;
  input.chunk_tokens_max = 100'000;
  input.prepass_tokens_max = 1200;
  ScriptedDriver with(narrow);
  auto summary = made(with, chat(400), input);
  EXPECT_EQ(with.bought.size(), 1u);
  EXPECT_GT(summary["points"].size(), 3u);
  EXPECT_LE(get_int(summary["prepass"], "tokens"), 1200);
  EXPECT_GT(get_int(summary["prepass"], "tokens_before"), 5000);

  input.prepass_tokens_max = 0;
  ScriptedDriver without(narrow);
  auto overflown = made(without, chat(400), input);
  EXPECT_TRUE(overflown["points"].empty());
  EXPECT_THAT(reasons(overflown), ElementsAre(HasSubstr("the pre-pass is off")));
}

TEST(Summary, APromptTooLongForTheModelIsCutToHalfAndAskedAgain) {
  ScriptedDriver driver([](const StepKey&, const CompletionRequest& request) -> Result<Completion> {
    if (prompt_tokens(request) > 3000) return fail(Errc::context_length_exceeded, "too long");
    return mark_lines(request, 5);
  });
  auto summary = made(driver, chat(400));
  EXPECT_GT(driver.bought.size(), 1u);
  EXPECT_LE(driver.bought.size(), 4u);
  EXPECT_GT(summary["points"].size(), 3u);
  EXPECT_THAT(reasons(summary), ::testing::Contains(HasSubstr("too long for every model; cut to")));
}

// One refused line costs its quarter of a chunk, not the chunk.
TEST(Summary, AChunkThatIsRefusedIsHalvedTwice) {
  ScriptedDriver driver([](const StepKey&, const CompletionRequest& request) -> Result<Completion> {
    const auto& prompt = std::get<TextPart>(request.messages.back().parts[0]).text;
    if (request.response_schema && prompt.find("message 3 ") != std::string::npos)
      return fail(Errc::content_filtered, "refused");
    return mark_lines(request, 1);
  });
  // Two chunks; of the first, both halves, and the quarters of the half that holds the line.
  auto input = small_chunks();
  input.disentangle = false;
  auto summary = made(driver, chat(24), input);
  EXPECT_EQ(calls_of(driver, "map"), 6u);
  EXPECT_THAT(reasons(summary), ElementsAre(HasSubstr("lines 4 to 6 not summarised: content_filtered")));
}

TEST(Summary, AFinalErrorEndsTheRun) {
  ScriptedDriver driver([](const StepKey&, const CompletionRequest&) -> Result<Completion> {
    return fail(Errc::auth, "no key");
  });
  EXPECT_EQ(outcome(driver, chat(20)).error().code, Errc::auth);
}

TEST(Summary, ATextCutShortLosesItsLastLine) {
  ScriptedDriver driver([](const StepKey&, const CompletionRequest&) -> Result<Completion> {
    auto completion = text_completion("- ann ships [1]\n- bob did not [2");
    completion.stop = StopReason::length;
    return completion;
  });
  EXPECT_EQ(made(driver, chat(20))["points"].size(), 1u);
}

TEST(Summary, SaysWhenItsModelIsNoLanguageModel) {
  ScriptedDriver driver([](const StepKey&, const CompletionRequest& request) -> Result<Completion> {
    auto completion = mark_lines(request, 5);
    completion.model = "extractive-1 (not a language model)";
    return completion;
  });
  EXPECT_THAT(get_string(made(driver, chat(20)), "model_note"), HasSubstr("not a language model"));
}

// What a terminal shows: the text once, its sources, and on the side what is wrong with it.
std::string printed(const Json& summary, const std::string& streamed) {
  std::string out, notes;
  SummaryPrinter printer([&](std::string_view text) { out += text; },
                         [&](std::string_view text) { notes += text; });
  auto hook = printer.hook();
  auto key = live_key(20, "hash");
  if (!streamed.empty()) {
    hook.on_text(key, streamed);
    hook.on_end(key);
  }
  printer.finish(summary);
  return out + "--\n" + notes;
}

TEST(Summary, IsPrintedOnceWithItsSourcesAndWhatIsWrongWithIt) {
  const char* good = "- ann ships [1]\n- bob tests [2, 3]";
  ScriptedDriver driver(answering(good));
  SummaryInput in_order;
  in_order.disentangle = false;
  auto summary = made(driver, chat(20), in_order);
  const char* sources =
      "\n[1] ann, 1970-01-01 00:00: message 0 is about the release of part 0\n"
      "[2] bob, 1970-01-01 00:01: message 1 is about the release of part 0\n"
      "[3] cy, 1970-01-01 00:02: message 2 is about the release of part 0\n--\n";
  EXPECT_EQ(printed(summary, good), fmt::format("{}\n{}", good, sources));
  // A replayed run streams nothing; its text is printed all the same.
  EXPECT_EQ(printed(summary, ""), fmt::format("{}\n{}", good, sources));

  const char* half = "- ann ships [1]\n- bob lies";
  ScriptedDriver lying(answering(half));
  auto shown = printed(made(lying, chat(20)), half);
  EXPECT_THAT(shown, HasSubstr("- bob lies [no source: withdrawn]\n\nWhat stands of it:\n- ann ships [1]\n"));
  EXPECT_THAT(shown, HasSubstr("--\nstatements withdrawn because no source shows them: 1\n"));
  EXPECT_THAT(printed(parse_json("{}").value_or(nullptr), ""), HasSubstr("Nothing with a source was found."));
}

// K5: two people's cake and two people's database, message by message in turn.
Window interleaved() {
  Window window{.name = "#noisy"};
  const char* cake[] = {"who ordered the cake?", "cy: I did, chocolate cake",
                        "dora: how many people does it serve?", "cy: the cake serves twelve people"};
  const char* database[] = {"is the staging database down?", "bob: yes, staging refuses connections",
                            "ann: I restart the staging database", "bob: thanks, staging is back"};
  for (int i = 0; i < 8; ++i) {
    auto who = i % 2 == 0 ? (i % 4 == 0 ? "cy" : "dora") : (i % 4 == 1 ? "bob" : "ann");
    window.lines.push_back({.id = fmt::format("m{}", i),
                            .who = who,
                            .text = i % 2 == 0 ? cake[i / 2] : database[i / 2],
                            .at = WallTime{i * 30'000}});
  }
  return window;
}

// A model that makes one point of each two lines it is shown next to each other.
Completion pair_lines(const CompletionRequest& request) {
  auto lines = recap_test::prompt_lines(request);
  std::string text;
  for (std::size_t i = 0; i + 1 < lines.size(); i += 2)
    text += fmt::format("- they spoke [{}, {}]\n", lines[i].id, lines[i + 1].id);
  return text_completion(text);
}

std::size_t mixed_points(const Json& summary) {
  std::size_t mixed = 0;
  for (const auto& point : summary["points"]) {
    std::set<int> subjects;
    for (const auto& id : point["sources"]) subjects.insert((id.get<std::string>().back() - '0') % 2);
    mixed += subjects.size() > 1 ? 1 : 0;
  }
  return mixed;
}

TEST(Summary, OfAnInterleavedChannelMixesItsConversationsOnlyWhenTheyAreNotTakenApart) {
  auto model = [](const StepKey&, const CompletionRequest& request) -> Result<Completion> {
    return pair_lines(request);
  };
  ScriptedDriver apart(model);
  auto summary = made(apart, interleaved());
  EXPECT_GT(get_int(summary, "conversations"), 1);
  EXPECT_EQ(mixed_points(summary), 0u);

  SummaryInput off;
  off.disentangle = false;
  ScriptedDriver together(model);
  EXPECT_EQ(mixed_points(made(together, interleaved(), off)), 4u);
}

}  // namespace
}  // namespace troupe::summary
